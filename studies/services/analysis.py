"""From ratings to the results page: one analysis per state of the data, kept and reused.

The analyses and their conventions are those of `studies.stats`; here the ratings are read,
turned into one number per image, and handed over. The page and the command both show what is
stored here, so they cannot disagree.
"""

import dataclasses
import hashlib
import json
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from django.db import transaction

from studies import __version__, queries, wording
from studies.errors import DomainError
from studies.models import AnalysisRun, ParticipantKind, Question, Study
from studies.services.image_numbers import COMPARISONS, ImageNumbers, image_numbers
from studies.services.scans import versions
from studies.stats import RankAssociation, rank_association, two_groups

PREDICTORS = {"size": "subset size", "score": "score"}
METHODS = ("spearman", "kendall")
# Below these, whoever happened to rate matters more than the intervals can say.
FEW_RATERS, FEW_RATINGS = 10, 3
RATERS = {
    ParticipantKind.PERSON: ("person", "people"),
    ParticipantKind.PILOT: ("pilot participant", "pilot participants"),
    ParticipantKind.SIMULATED: ("simulated rater", "simulated raters"),
}


@cache
def code_version() -> str:
    """Musescan's version and a hash of the code that computes the figures."""
    here = Path(__file__)
    beside = here.with_name("image_numbers.py")
    sources = [
        here,
        beside,
        here.parents[1] / "wording.py",
        *(here.parents[1] / "stats").glob("*.py"),
    ]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources)))
    return f"{__version__}+{digest.hexdigest()[:12]}"


def analyse(*, study: Study, kind: str | None = None, seed: int = 0) -> AnalysisRun:
    """The analysis of the ratings of one kind of participants, computed unless it is kept.

    `kind` None means people where any person has rated, else the kind that has. Kinds are
    never mixed. DomainError where the study has no scan to compare with, or no ratings.
    """
    if study.scan is None:
        raise DomainError("no_scan", f"“{study.title}” has no scan to compare ratings with.")
    kinds = queries.kinds_with_ratings(study)
    if kind is not None and kind not in ParticipantKind.values:
        allowed = ", ".join(ParticipantKind.values)
        raise DomainError("unknown_kind", f"raters must be one of {allowed}; got {kind!r}")
    kind = kind or next(iter(kinds), ParticipantKind.PERSON.value)
    if kind not in kinds:
        plural = RATERS[ParticipantKind(kind)][1]
        raise DomainError("no_ratings", f"No ratings by {plural} have been stored yet.")
    started = time.perf_counter()
    ratings = queries.ratings_frame(study, kind)
    comparisons = queries.comparisons_frame(study, kind)
    images = queries.images_frame(study)
    used_versions = {**versions(), "musescan": code_version()}
    input_sha256 = hash_of(
        [ratings, comparisons, images], {"versions": used_versions, "scan": study.scan.pk}
    )
    kept = AnalysisRun.objects.filter(
        study=study, kind=kind, input_sha256=input_sha256, seed=seed
    ).first()
    if kept is not None:
        return kept
    result = {
        **describe(study, kind, kinds, ratings, comparisons),
        "seed": seed,
        "versions": used_versions,
        "questions": analysed(study, kind, ratings, comparisons, images, seed),
    }
    duration_ms = round(1000 * (time.perf_counter() - started))
    with transaction.atomic():
        # Two pages may ask at once: both computed the same, one row stays.
        run, _ = AnalysisRun.objects.get_or_create(
            study=study,
            kind=kind,
            input_sha256=input_sha256,
            seed=seed,
            defaults={"versions": used_versions, "result": result, "duration_ms": duration_ms},
        )
    return run


def hash_of(frames: Iterable[pd.DataFrame], parameters: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode())
    for frame in frames:
        digest.update(frame.to_json(orient="split", double_precision=15).encode())
    return digest.hexdigest()


def analysed(
    study: Study,
    kind: str,
    ratings: pd.DataFrame,
    comparisons: pd.DataFrame,
    images: pd.DataFrame,
    seed: int,
) -> list[dict[str, Any]]:
    """The analysis of each question whose answers are more than words."""
    results = []
    for question in study.questions.all():
        numbers = image_numbers(question, ratings, comparisons, images, seed)
        if numbers is None:
            continue
        asked = comparisons if question.kind in COMPARISONS else ratings
        mine = asked[asked["question"] == question.key]
        n_raters = int(mine["rater"].nunique())
        results.append(analyse_question(question, kind, numbers, mine, images, n_raters, seed))
    return results


def describe(
    study: Study,
    kind: str,
    kinds: list[str],
    ratings: pd.DataFrame,
    comparisons: pd.DataFrame,
) -> dict[str, Any]:
    """What the analysis is of."""
    scan = study.scan
    assert scan is not None, "analyse() has checked"
    return {
        "study": study.slug,
        "title": study.title,
        "kind": kind,
        "simulated": kind == ParticipantKind.SIMULATED,
        "other_kinds": [other for other in kinds if other != kind],
        "n_raters": len({*ratings["rater"], *comparisons["rater"]}),
        "n_images": len({*ratings["image"], *comparisons["image"]}),
        "n_ratings": len(ratings) + len(comparisons.drop_duplicates(["question", "trial"])),
        "scan": {
            "name": scan.name,
            "layer": scan.layer,
            "tail": scan.tail,
            "statistic": scan.statistic,
            "alpha_max": scan.alpha_max,
        },
    }


def analyse_question(
    question: Question,
    kind: str,
    numbers: ImageNumbers,
    ratings: pd.DataFrame,
    images: pd.DataFrame,
    n_raters: int,
    seed: int,
) -> dict[str, Any]:
    """Associations, group membership and reliability for one question."""
    table = numbers.table
    rated = table[table["n"] > 0]
    associations = [
        {
            "predictor": predictor,
            "predictor_label": label,
            "method_name": method,
            **rank_association(
                rated[predictor],
                rated["mean"],
                method=method,
                seed=seed,
                names=(f"the {label}", "the images’ mean answer"),
            ).to_dict(),
        }
        for predictor, label in PREDICTORS.items()
        for method in METHODS
    ]
    inside = rated["in_group"].astype(bool)
    result: dict[str, Any] = {
        "key": question.key,
        "text": question.text,
        "kind": question.kind,
        **numbers.measure,
        "n_images": len(rated),
        "n_ratings": numbers.n_answers,
        "ratings_per_image": float(rated["n"].mean()) if len(rated) else None,
        "associations": associations,
        "membership": {
            **two_groups(rated["mean"], inside).to_dict(),
            "mean_inside": float(rated["mean"][inside].mean()) if inside.any() else None,
            "mean_outside": float(rated["mean"][~inside].mean()) if (~inside).any() else None,
            "n_inside": int(inside.sum()),
            "n_outside": int((~inside).sum()),
        },
        "reliability": numbers.reliability,
        "labels": label_counts(question, ratings, images),
        "images": image_rows(table),
    }
    raters = wording.count(n_raters, *RATERS[ParticipantKind(kind)])
    result["sentence"] = wording.association_sentence(result, associations[0], raters=raters)
    result["warnings"] = thin_ratings(n_raters, result["ratings_per_image"])
    return result


def headline_association(question: dict[str, Any], predictor: str) -> RankAssociation:
    """The first association of `predictor` in a question's part of a stored result."""
    stored = next(each for each in question["associations"] if each["predictor"] == predictor)
    names = {field.name for field in dataclasses.fields(RankAssociation)}
    return RankAssociation(**{key: value for key, value in stored.items() if key in names})


def thin_ratings(n_raters: int, ratings_per_image: float | None) -> list[str]:
    """What the intervals, which resample images and not raters, cannot show."""
    if ratings_per_image is None:
        return []
    if n_raters >= FEW_RATERS and ratings_per_image >= FEW_RATINGS:
        return []
    return [
        f"Few ratings so far ({wording.count(n_raters, 'rater')}, "
        f"{ratings_per_image:.1f} per image): "
        "the intervals are over images and do not show what other raters would have said."
    ]


def label_counts(
    question: Question, ratings: pd.DataFrame, images: pd.DataFrame
) -> list[dict[str, Any]]:
    """How often each label was chosen for the images of each process; empty for other kinds."""
    if question.kind != "categorical":
        return []
    chosen = ratings.merge(images[["image", "process"]], on="image")
    counts = chosen.groupby(["value", "process"]).size()
    return [
        {
            "value": label["value"],
            "label": label["label"],
            "process": process,
            "n": int(counts.get((label["value"], process), 0)),
        }
        for label in question.options["labels"]
        for process in sorted(images["process"].unique())
    ]


def image_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """`table` as plain JSON values, None for what is not defined."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [
        {
            str(key): value.item() if isinstance(value, np.generic) else value
            for key, value in row.items()
        }
        for row in rows
    ]
