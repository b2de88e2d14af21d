"""What quality rules are told about participants, read in one pass."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db.models import Max

from studies.models import (
    BlockKind,
    Check,
    ItemAnswer,
    Participant,
    ParticipantState,
    Question,
    Study,
    TrialImage,
    TrialRole,
)
from studies.quality import CheckAsked, Evidence, TrialEvidence
from studies.queries.places import compared_images, left_to_right

FETCH_ROWS = 500

PARTICIPANT = ("pk", "public_id", "kind", "state", "started_at", "ended_at")
TRIAL = (
    "trials__pk", "trials__role", "trials__state", "trials__study_image", "trials__pair",
    "trials__response_time_ms", "trials__evidence", "trials__check_asked",
)  # fmt: skip
ANSWER = ("trials__responses__question", "trials__responses__value")


@dataclass(frozen=True)
class TookPart:
    """A participant, by key, public id and kind, and what is known of how they took part."""

    pk: int
    public_id: str
    kind: str
    evidence: Evidence


def seconds_to_finish(study: Study, kind: str) -> Iterator[float]:
    """From the first image to the end, of everybody of `kind` who finished."""
    rows = study.participants.filter(
        kind=kind, state=ParticipantState.FINISHED, started_at__isnull=False
    )
    for started_at, ended_at in rows.values_list("started_at", "ended_at").iterator(FETCH_ROWS):
        yield seconds_between(started_at, ended_at)


def seconds_between(started_at: Any, ended_at: Any) -> float:
    return (ended_at - started_at).total_seconds()


def who_took_part(study: Study, participants: Iterable[int] | None = None) -> Iterator[TookPart]:
    """Participants of `study` with their evidence, by key; those with the keys given, or all.

    Five queries, however many rows; no more than one participant is held at a time.
    """
    people = Participant.objects.filter(study=study)
    attempts = ItemAnswer.objects.filter(
        participant__study=study, item__block__kind=BlockKind.COMPREHENSION
    )
    if participants is not None:
        keys = list(participants)
        people, attempts = people.filter(pk__in=keys), attempts.filter(participant__in=keys)
    checks = {
        check.pk: CheckAsked(check.kind, check.question.key, tuple(check.expected))
        for check in Check.objects.filter(study=study).select_related("question")
    }
    questions = dict(Question.objects.filter(study=study).values_list("pk", "key"))
    columns = [*PARTICIPANT, *TRIAL, *ANSWER]
    # Sets are told apart by their images; single images and pairs by a number of their own.
    sets = TrialImage.objects.filter(
        trial__participant__study=study, trial__pair__isnull=True
    ).exists()  # fmt: skip
    if sets:
        people = people.annotate(compared=compared_images("trials__pk", "study_image"))
        columns.append("compared")
    rows = people.order_by("pk", "trials__position").values_list(*columns).iterator(FETCH_ROWS)
    tried = most_attempts(attempts)
    upcoming = next(tried, None)
    for pk, own in groupby(rows, key=lambda row: row[0]):
        while upcoming is not None and upcoming[0] < pk:
            upcoming = next(tried, None)
        n_attempts = upcoming[1] if upcoming is not None and upcoming[0] == pk else None
        yield took_part(list(own), n_attempts, checks, questions)


def most_attempts(answers: Any) -> Iterator[tuple[int, int]]:
    """Participant and attempts at the comprehension check that took them most, by participant."""
    counted = answers.order_by("participant_id").values_list("participant_id")
    yield from counted.annotate(n=Max("attempt")).iterator(FETCH_ROWS)


def took_part(
    rows: list[tuple[Any, ...]],
    n_attempts: int | None,
    checks: dict[int, CheckAsked],
    questions: dict[int, str],
) -> TookPart:
    """One participant from their rows, of which each is an answer of a trial."""
    pk, public_id, kind, state, started_at, ended_at = rows[0][: len(PARTICIPANT)]
    finished = state == ParticipantState.FINISHED
    timed = finished and started_at is not None
    trials = [
        trial_evidence(list(own), checks, questions)
        for key, own in groupby((row[len(PARTICIPANT) :] for row in rows), key=lambda row: row[0])
        if key is not None
    ]
    evidence = Evidence(
        trials=tuple(each for each in trials if each.role != TrialRole.PRACTICE),
        finished=finished,
        total_time_s=seconds_between(started_at, ended_at) if timed else None,
        n_attempts=n_attempts,
    )
    return TookPart(pk, public_id, kind, evidence)


def trial_evidence(
    rows: list[tuple[Any, ...]], checks: dict[int, CheckAsked], questions: dict[int, str]
) -> TrialEvidence:
    first = rows[0]
    role, state, study_image, pair, response_time_ms, measured, check = first[1 : len(TRIAL)]
    answers = {}
    for row in rows:
        question, value = row[len(TRIAL) : len(TRIAL) + len(ANSWER)]
        if question is not None:
            answers[questions[question]] = value
    compared = first[len(TRIAL) + len(ANSWER) :]
    shown: Any = ("image", study_image)
    if study_image is None:
        images = left_to_right(compared[0]) if compared else []
        shown = ("pair", pair) if pair is not None else ("set", *images)
    return TrialEvidence(
        role=role,
        state=state,
        shown=shown,
        response_time_ms=response_time_ms,
        answers=answers,
        measured=measured or {},
        check=checks.get(check),
    )
