"""Reports of studies: what they are told is gathered here, with as many queries for any study."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from PIL import Image as Pillow

from studies import __version__, queries
from studies.errors import DomainError
from studies.models import (
    AnalysisRun,
    BlockKind,
    GenerativeModel,
    ImageSet,
    ParticipantKind,
    Question,
    Scan,
    Study,
)
from studies.quality import RULES, amount
from studies.questions import n_images_together, question_type
from studies.reporting import Facts, Picture, Report, to_pdf, write_report
from studies.reporting.maps import extremes
from studies.services import files
from studies.services.analysis import RATERS, latest_run, n_newer_answers
from studies.services.detection import detection_power
from studies.services.exports.design import POLICIES
from studies.services.exports.scan import describe_scan
from studies.services.quality import limits_of

MEDIA_TYPES = {"html": "text/html; charset=utf-8", "pdf": "application/pdf"}
# What a report that stands alone looks like: the page's own files.
STYLES = ("css/tokens.css", "css/base.css", "css/report.css")
# Pictures are embedded at about this size: small ones enlarged pixel by pixel, large ones shrunk.
EMBEDDED_PX = 256


def latest_report(*, study: Study, kind: str | None = None) -> Report:
    """The report of the newest analysis of one kind of participants; None: people's, if any.

    DomainError where there is no scan, no rating, or no analysis yet: reports do not analyse.
    """
    if study.scan is None:
        raise DomainError("no_scan", f"“{study.title}” has no scan to compare ratings with.")
    if kind is not None and kind not in ParticipantKind.values:
        allowed = ", ".join(ParticipantKind.values)
        raise DomainError("unknown_kind", f"raters must be one of {allowed}; got {kind!r}")
    kinds = queries.kinds_with_ratings(study)
    kind = kind or next(iter(kinds), ParticipantKind.PERSON.value)
    found = latest_run(study, kind)
    if found.run is None:
        plural = RATERS[ParticipantKind(kind)][1]
        if kind not in kinds:
            raise DomainError("no_ratings", f"No ratings by {plural} have been stored yet.")
        raise DomainError("not_analysed", f"The ratings by {plural} have not been analysed yet.")
    return report_of(found.run, is_current=found.is_current)


def report_of(run: AnalysisRun, *, is_current: bool = True) -> Report:
    """The report of one analysis, with the facts of its study as they are now."""
    return write_report(run.result, gather_facts(run, is_current=is_current))


def to_file(report: Report, extension: Literal["html", "pdf"]) -> bytes:
    """The report as one file that needs no other: no script, no picture or style from outside."""
    if extension == "pdf":
        return to_pdf(report)
    styles = "\n".join(Path(found(name)).read_text() for name in STYLES)
    context = {"report": report, "styles": SafeString(styles)}
    return render_to_string("report/standalone.html", context).encode()


def found(name: str) -> str:
    path = finders.find(name)
    assert isinstance(path, str), f"{name} is one of our own files"
    return path


def gather_facts(run: AnalysisRun, *, is_current: bool = True) -> Facts:
    study = run.study
    scan = study.scan
    assert scan is not None, "an analysis has one"
    questions, blocks = list(study.questions.all()), list(study.blocks.all())
    test_sets, held_out = list(scan.test_sets.order_by("pk")), list(scan.held_out.order_by("pk"))
    n_images = queries.images_in_sets([scan.background, *test_sets, *held_out])
    ratings_at = next((b.position for b in blocks if b.kind == BlockKind.RATINGS), 0)
    shown = [row["image"] for rows in extremes(run.result).values() for row in rows]
    return Facts(
        study=study_facts(study),
        questions=[question_facts(question) for question in questions],
        blocks_before=[str(b.kind) for b in blocks if b.position < ratings_at],
        blocks_after=[str(b.kind) for b in blocks if b.position > ratings_at],
        checks=checks_by_kind(study),
        scan=describe_scan(scan),
        background=set_facts(scan.background, n_images),
        test_sets=[set_facts(each, n_images) for each in test_sets],
        held_out=[set_facts(each, n_images) for each in held_out],
        model=model_facts(scan),
        strata=queries.strata(study),
        rules=rules_of(study),
        flow=queries.participant_stages(study, run.kind),
        detection=detection_power(scan=scan),
        n_newer=None if is_current else n_newer_answers(run),
        pictures=pictures_of(study, shown),
        written_at=timezone.now(),
        version=__version__,
    )


def study_facts(study: Study) -> dict[str, Any]:
    names = ("slug", "title", "state", "responsible", "seed", "trials_per_participant")
    return {name: getattr(study, name) for name in (*names, "duration_minutes", *POLICIES)}


def question_facts(question: Question) -> dict[str, Any]:
    return {
        "key": question.key,
        "kind": question.kind,
        "text": question.text,
        "options": question.options,
        "n_together": n_images_together([(question.kind, question.options)]),
        "number": question_type(question.kind).number_means,
    }


def checks_by_kind(study: Study) -> dict[str, int]:
    counts: dict[str, int] = {}
    for kind in study.checks.order_by("pk").values_list("kind", flat=True):
        counts[kind] = counts.get(kind, 0) + 1
    return counts


def set_facts(image_set: ImageSet, n_images: dict[int, dict[str, int]]) -> dict[str, Any]:
    processes = n_images.get(image_set.pk, {})
    return {
        "name": image_set.name,
        "n": sum(processes.values()),
        "process": " and ".join(sorted(processes)),
        "generation": image_set.generation,
    }


def model_facts(scan: Scan) -> dict[str, Any] | None:
    model: GenerativeModel | None = scan.model
    if model is None:
        return None
    return {
        "name": model.name,
        "architecture": model.architecture,
        "configuration": model.configuration,
        "training": model.training,
    }


def rules_of(study: Study) -> list[dict[str, Any]]:
    """The rules that mark participants, each with its limit in words."""
    limits = limits_of(study)
    return [
        {
            "key": rule.name,
            "name": rule.title,
            "about": rule.limit.about,
            "limit": amount(limits[rule.limit.name], rule.limit.unit),
        }
        for rule in RULES
        if limits[rule.limit.name] is not None
    ]


def pictures_of(study: Study, images: Iterable[str]) -> dict[str, Picture]:
    found = {}
    for row in queries.mapped_images(study, images):
        image = row.image
        path = files.path_of("images", image.sha256)
        if path.exists():
            found[image.public_id] = Picture(
                image=image.public_id,
                content=embedded(path.read_bytes(), smooth=study.smooth_images),
                media_type="image/png",
                width=image.width,
                height=image.height,
                nodes=row.nodes,
            )
    return found


def embedded(content: bytes, *, smooth: bool) -> bytes:
    """An image's file as PNG of about `EMBEDDED_PX`: whole pixels stay whole."""
    with Pillow.open(io.BytesIO(content)) as image:
        longest = max(image.size)
        if longest > EMBEDDED_PX:
            size, how = (EMBEDDED_PX / longest, Pillow.Resampling.LANCZOS)
        else:
            size = EMBEDDED_PX // longest
            how = Pillow.Resampling.BICUBIC if smooth else Pillow.Resampling.NEAREST
        wide, high = (max(1, round(side * size)) for side in image.size)
        written = io.BytesIO()
        image.resize((wide, high), how).save(written, format="PNG")
    return written.getvalue()
