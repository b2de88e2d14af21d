"""What a report of a study reads besides its analysis."""

from collections import Counter
from collections.abc import Iterable

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from studies.models import (
    Event,
    Image,
    ImageSet,
    Participant,
    ParticipantKind,
    ParticipantState,
    ScanResult,
    Study,
    Trial,
    TrialRole,
    TrialState,
)

BEFORE = ("comprehension", "over_quota", "too_late", "withdrew", "excluded")


def participant_stages(study: Study, kind: str) -> dict[str, int]:
    """How many participants of `kind` came how far. Two queries.

    consented, started (were given images), rated (a rating of theirs is stored); finished,
    withdrew and unfinished of those who rated; excluded_by_decision of those who rated;
    before_… by why somebody was given no images; erased; screened_out (visits of people).
    """
    ratings = Trial.objects.filter(
        participant=OuterRef("pk"), role=TrialRole.MAIN, state=TrialState.COMPLETED
    )
    rows = (
        Participant.objects.filter(study=study, kind=kind)
        .annotate(has_rated=Exists(ratings), has_started=Q(started_at__isnull=False))
        .order_by()
        .values_list("has_rated", "has_started", "state", "outcome", "is_excluded")
        .annotate(n=Count("pk"))
    )
    stages: Counter[str] = Counter(
        dict.fromkeys(
            ("consented", "started", "rated", "finished", "withdrew", "unfinished", "erased",
             "excluded_by_decision", "screened_out"), 0,
        )
    )  # fmt: skip
    for has_rated, has_started, state, outcome, is_excluded, n in rows:
        stages["consented"] += n
        stages["erased"] += n * (state == ParticipantState.ERASED)
        stages["started"] += n * has_started
        if not has_started:
            stages[f"before_{outcome if outcome in BEFORE else 'other'}"] += n
        if has_rated:
            stages["rated"] += n
            stages["excluded_by_decision"] += n * is_excluded
            stages[how_it_ended(state)] += n
    if kind == ParticipantKind.PERSON:
        events = Event.objects.filter(study=study, kind="visitor_screened_out")
        stages["screened_out"] = events.count()
    return dict(stages)


def how_it_ended(state: str) -> str:
    return {
        ParticipantState.FINISHED.value: "finished",
        ParticipantState.WITHDRAWN.value: "withdrew",
    }.get(state, "unfinished")


def images_in_sets(sets: Iterable[ImageSet]) -> dict[int, dict[str, int]]:
    """By set: how many images of each process. One query."""
    rows = Image.objects.filter(image_set__in=list(sets)).order_by()
    found: dict[int, dict[str, int]] = {}
    for key, process, n in rows.values_list("image_set", "process").annotate(n=Count("pk")):
        found.setdefault(key, {})[process] = n
    return found


def mapped_images(study: Study, images: Iterable[str]) -> QuerySet[ScanResult]:
    """What the study's scan found in the images with these public ids, and the images."""
    rows = ScanResult.objects.filter(scan=study.scan_id, image__public_id__in=list(images))
    return rows.select_related("image")
