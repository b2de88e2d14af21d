"""What analyses and exports read."""

from typing import Any

import pandas as pd
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from studies.models import (
    AnalysisPlan,
    Coverage,
    Decision,
    Event,
    ImageRole,
    ItemAnswer,
    Participant,
    ParticipantKind,
    ParticipantState,
    Response,
    Revision,
    ScanResult,
    Study,
    StudyImage,
    StudyState,
    Trial,
    TrialRole,
    TrialState,
)
from studies.queries.places import compared_images
from studies.queries.researchers import study_images


def kinds_with_ratings(study: Study) -> list[str]:
    """The kinds of participants of whom somebody has rated who is not excluded, people first."""
    ratings = Trial.objects.filter(
        participant=OuterRef("pk"), role=TrialRole.MAIN, state=TrialState.COMPLETED
    )
    rated = set(
        Participant.objects.filter(Exists(ratings), study=study, is_excluded=False)
        .order_by()
        .values_list("kind", flat=True)
        .distinct()
    )
    return [kind.value for kind in ParticipantKind if kind.value in rated]


def main_answers(study: Study, kind: str, *, excluded: bool) -> QuerySet[Response]:
    """Answers to ratings proper; of whom a researcher excluded only where `excluded`."""
    rows = Response.objects.filter(
        trial__participant__study=study,
        trial__participant__kind=kind,
        trial__role=TrialRole.MAIN,
    )
    return rows if excluded else rows.filter(trial__participant__is_excluded=False)


def ratings_frame(study: Study, kind: str, *, excluded: bool = False) -> pd.DataFrame:
    """Every answer of one kind of participants, a row each, in a fixed order.

    Columns: question (its key), rater and image (public ids), number, value.
    Answers given before somebody withdrew are among them: they agreed to that. Repeats, checks
    and practice are not, nor, unless `excluded`, is anybody whom a researcher excluded.
    """
    rows = (
        main_answers(study, kind, excluded=excluded)
        .filter(trial__study_image__isnull=False)
        .order_by("question__position", "trial__participant_id", "trial__position")
        .values_list(
            "question__key",
            "trial__participant__public_id",
            "trial__study_image__image__public_id",
            "number",
            "value",
        )
    )
    columns = ["question", "rater", "image", "number", "value"]
    frame = pd.DataFrame.from_records(list(rows.iterator(chunk_size=5000)), columns=columns)
    return frame.astype({"number": float})


def comparisons_frame(study: Study, kind: str, *, excluded: bool = False) -> pd.DataFrame:
    """Every image of every answer that compares images, a row each, in a fixed order.

    Columns: question (its key), rater and image (public ids), trial, place (from 1), value.
    Whom a researcher excluded is not among them, unless `excluded`.
    """
    rows = (
        main_answers(study, kind, excluded=excluded)
        .filter(trial__study_image__isnull=True)
        .order_by("question__position", "trial_id", "trial__images__place")
        .values_list(
            "question__key",
            "trial__participant__public_id",
            "trial__images__study_image__image__public_id",
            "trial_id",
            "trial__images__place",
            "value",
        )
    )
    columns = ["question", "rater", "image", "trial", "place", "value"]
    return pd.DataFrame.from_records(list(rows.iterator(chunk_size=5000)), columns=columns)


def images_frame(study: Study) -> pd.DataFrame:
    """The study's images, a row each, in a fixed order.

    Columns: image (the image's public id), process, stratum, size, score, in_group.
    """
    columns = ["image", "process", "stratum", "size", "score", "in_group"]
    rows: QuerySet[Any] = study_images(study)
    values = rows.order_by("pk").values_list(
        "image__public_id", "image__process", "stratum", "size", "score", "in_group"
    )
    return pd.DataFrame.from_records(list(values), columns=columns)


def layers_frame(study: Study) -> pd.DataFrame:
    """What other scans of the workspace found in the study's images, by scan and image.

    Columns: scan (its name), layer, image (public id), size, score. Only of scans that hold
    every image of the study.
    """
    images = StudyImage.objects.filter(study=study, role=ImageRole.RATING)
    rows = ScanResult.objects.filter(
        scan__in=scans_of_all(study, images), image__in=images.values("image")
    )
    columns = ["scan", "layer", "image", "size", "score"]
    values = rows.order_by("scan_id", "image_id").values_list(
        "scan__name", "scan__layer", "image__public_id", "size", "score"
    )
    return pd.DataFrame.from_records(list(values), columns=columns)


def scans_of_all(study: Study, images: QuerySet[StudyImage]) -> list[int]:
    """Keys of the workspace's other scans that hold every one of `images`."""
    found = (
        ScanResult.objects.filter(
            scan__workspace=study.workspace_id, image__in=images.values("image")
        )
        .exclude(scan=study.scan_id)
        .order_by()
        .values_list("scan")
        .annotate(n=Count("pk"))
    )
    n_images = images.count()
    return sorted(scan for scan, n in found if n and n == n_images)


def data_stamp(study: Study, kind: str) -> dict[str, Any]:
    """Counts by which newer data of `kind` are noticed without reading them. Five queries.

    Answers come, are replaced, and are erased; participants are excluded or marked by other
    rules; plans are fixed; scans of the same images are added; a study with a planned number of
    raters is closed.
    """
    answers = main_answers(study, kind, excluded=True)
    people = study.participants.filter(kind=kind)
    plans = AnalysisPlan.objects.filter(study=study, fixed_at__isnull=False)
    images = StudyImage.objects.filter(study=study, role=ImageRole.RATING)
    given = answers.aggregate(n_answers=Count("pk"), last_answer=Max("pk"))
    replaced = Revision.objects.filter(
        response__trial__participant__study=study, response__trial__participant__kind=kind
    )
    counted = people.aggregate(
        n_participants=Count("pk"),
        n_excluded=Count("pk", filter=Q(is_excluded=True)),
        n_over=Count("pk", filter=Q(ended_at__isnull=False)),
        n_erased=Count("pk", filter=Q(state=ParticipantState.ERASED)),
        last_excluded=Max("pk", filter=Q(is_excluded=True)),
    )
    decided = Decision.objects.filter(participant__study=study, participant__kind=kind)
    last = plans.order_by("-version").values_list("version", "content__n_target").first()
    version, target = last or (None, None)
    planned = target is not None and kind == ParticipantKind.PERSON
    is_over = planned and study.state == StudyState.CLOSED
    return {
        **given,
        **counted,
        "last_revision": replaced.aggregate(last=Max("pk"))["last"],
        "last_decision": decided.aggregate(last=Max("pk"))["last"],
        "plan": version,
        # A closed study has as many raters as it will have, which a planned number is held against.
        **({"closed": True} if is_over else {}),
        "rules": study.quality_rules,
        "scan": study.scan_id,
        "other_scans": scans_of_all(study, images),
    }


def response_rows(study: Study) -> QuerySet[Response]:
    """Every answer of every kind of participants, by participant, trial and question.

    With `compared` (public ids of the images compared, by place; None where there is one) and
    `n_revisions` (how many answers it replaced).
    """
    earlier = Revision.objects.filter(response=OuterRef("pk")).order_by().values("response")
    return (
        Response.objects.filter(trial__participant__study=study)
        .annotate(
            compared=compared_images("trial", "study_image__image__public_id"),
            n_revisions=Coalesce(Subquery(earlier.annotate(n=Count("pk")).values("n")), 0),
        )
        .order_by("trial__participant_id", "trial__position", "question__position")
    )


def revision_rows(study: Study) -> QuerySet[Revision]:
    """Every answer that was replaced, by participant, trial and question, oldest first."""
    return Revision.objects.filter(response__trial__participant__study=study).order_by(
        "response__trial__participant_id",
        "response__trial__position",
        "response__question__position",
        "replaced_at",
        "pk",
    )


def item_answer_rows(study: Study) -> QuerySet[ItemAnswer]:
    """Answers to questionnaires and comprehension checks, by participant, block and attempt."""
    return ItemAnswer.objects.filter(participant__study=study).order_by(
        "participant_id", "item__block__position", "attempt", "item__position"
    )


def trial_rows(study: Study) -> QuerySet[Trial]:
    """Every trial of every kind of participants, in order, with `compared` as answers have it."""
    return (
        Trial.objects.filter(participant__study=study)
        .annotate(compared=compared_images("pk", "study_image__image__public_id"))
        .order_by("participant_id", "position")
    )


def decision_rows(study: Study) -> QuerySet[Decision]:
    """What was decided about participants, in that order."""
    return Decision.objects.filter(participant__study=study).order_by("at", "pk")


def event_rows(study: Study) -> QuerySet[Event]:
    """The log, in order."""
    return Event.objects.filter(study=study).order_by("pk")


def coverage_rows(study: Study) -> QuerySet[Coverage]:
    """How often each image was assigned to and rated by each kind, by image."""
    return Coverage.objects.filter(study=study).order_by("study_image_id", "kind")


def strata(study: Study) -> dict[str, int]:
    """The study's strata and how many images each holds."""
    images = study.study_images.filter(role=ImageRole.RATING)
    counts = images.values("stratum").annotate(n=Count("pk")).order_by("stratum")
    return dict(counts.values_list("stratum", "n"))


def identity_rows(study: Study) -> QuerySet[Participant]:
    """Whom a recruitment service or an invitation says who they are, by participant."""
    known = Q(identity__isnull=False) | Q(invitation__isnull=False)
    return Participant.objects.filter(known, study=study).order_by("pk")
