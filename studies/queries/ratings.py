"""What analyses and exports read."""

from typing import Any

import pandas as pd
from django.db.models import Count, QuerySet

from studies.models import (
    Coverage,
    ImageRole,
    ParticipantKind,
    Response,
    Study,
    TrialRole,
)
from studies.queries.researchers import study_images


def kinds_with_ratings(study: Study) -> list[str]:
    """The kinds of participants that have rated anything, people first."""
    rated = set(
        Coverage.objects.filter(study_image__study=study, n_completed__gt=0)
        .order_by()
        .values_list("kind", flat=True)
        .distinct()
    )
    return [kind.value for kind in ParticipantKind if kind.value in rated]


def ratings_frame(study: Study, kind: str) -> pd.DataFrame:
    """Every answer of one kind of participants, a row each, in a fixed order.

    Columns: question (its key), rater and image (public ids), number, value.
    Answers given before somebody withdrew are among them: they agreed to that. Repeats, checks
    and practice are not, nor is anybody whom a researcher excluded.
    """
    rows = (
        Response.objects.filter(
            trial__participant__study=study,
            trial__participant__kind=kind,
            trial__participant__is_excluded=False,
            trial__role=TrialRole.MAIN,
            trial__study_image__isnull=False,
        )
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


def comparisons_frame(study: Study, kind: str) -> pd.DataFrame:
    """Every image of every answer that compares images, a row each, in a fixed order.

    Columns: question (its key), rater and image (public ids), trial, place (from 1), value.
    Whom a researcher excluded is not among them.
    """
    rows = (
        Response.objects.filter(
            trial__participant__study=study,
            trial__participant__kind=kind,
            trial__participant__is_excluded=False,
            trial__role=TrialRole.MAIN,
            trial__study_image__isnull=True,
        )
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


def response_rows(study: Study) -> QuerySet[Response]:
    """Every answer of every kind of participants, by participant, trial and question."""
    return Response.objects.filter(trial__participant__study=study).order_by(
        "trial__participant_id", "trial__position", "question__position"
    )


def strata(study: Study) -> dict[str, int]:
    """The study's strata and how many images each holds."""
    images = study.study_images.filter(role=ImageRole.RATING)
    counts = images.values("stratum").annotate(n=Count("pk")).order_by("stratum")
    return dict(counts.values_list("stratum", "n"))
