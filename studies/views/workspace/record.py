"""A participant's record in words: trials with answers, steps, and the log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import prefetch_related_objects

from studies import queries, wording
from studies.models import (
    Block,
    Event,
    Image,
    ItemAnswer,
    Outcome,
    Participant,
    ParticipantState,
    Question,
    Response,
    Study,
    Trial,
    Verdict,
)

EVENTS = {
    "participant_consented": "Agreed to take part",
    "trials_assigned": "Got their images",
    "slots_returned": "Slots went to others",
    "slots_taken_again": "Slots were taken again",
    "participant_finished": "Finished",
    "participant_withdrew": "Withdrew",
    "participant_turned_away": "Was turned away",
    "participant_decided": "A researcher decided",
    "rater_simulated": "Simulated by a model",
}
# What of an event's data is told, and in which words; anything else stays in the database.
DETAILS: dict[str, dict[str, str]] = {
    "reason": {
        **{outcome.value: str(outcome.label).lower() for outcome in Outcome},
        "silent": "after a silence",
        "withdrawn": "withdrew",
        "unseen": "the image could not be shown",
        "excluded": "excluded",
        "not_excluded": "not excluded any more",
    },
    "outcome": {outcome.value: str(outcome.label).lower() for outcome in Outcome},
    "verdict": {verdict.value: str(verdict.label).lower() for verdict in Verdict},
}


@dataclass(frozen=True)
class ToldEvent:
    """A line of the log as a page says it."""

    at: Any
    words: str
    detail: str
    actor: str


def told_events(participant: Participant) -> list[ToldEvent]:
    """What happened to `participant`, in order."""
    events = Event.objects.filter(participant=participant).select_related("actor").order_by("pk")
    return [
        ToldEvent(
            at=event.at,
            words=EVENTS.get(event.kind, event.kind.replace("_", " ").capitalize()),
            detail=detail_of(event),
            actor=event.actor.get_username() if event.actor else "",
        )
        for event in events
    ]


def detail_of(event: Event) -> str:
    """How many images or trials, and why."""
    data = event.data
    parts = []
    if event.kind == "trials_assigned":
        parts.append(wording.count(len(data.get("trials", [])), "trial"))
    elif "study_images" in data:
        parts.append(wording.count(len(data["study_images"]), "image"))
    parts += [known[data[name]] for name, known in DETAILS.items() if data.get(name) in known]
    return ", ".join(parts)


@dataclass(frozen=True)
class ToldAnswer:
    """What was answered, what it replaced (oldest first), and whether a check was passed."""

    label: str
    earlier: list[str] = field(default_factory=list)
    passed: bool | None = None


@dataclass(frozen=True)
class ToldTrial:
    """A trial: its images from left to right, its answers by question, what the page measured."""

    trial: Trial
    images: list[Image]
    answers: list[ToldAnswer | None]
    measured: list[str]


def told_trials(trials: Iterable[Trial], questions: Sequence[Question]) -> list[ToldTrial]:
    """`trials` with what a page shows of each. A fixed number of queries."""
    rows = list(trials)
    prefetch_related_objects(
        rows,
        "study_image__image",
        "images__study_image__image",
        "check_asked",
        "responses__revisions",
    )
    return [told_trial(trial, questions) for trial in rows]


def told_trial(trial: Trial, questions: Sequence[Question]) -> ToldTrial:
    compared = sorted(trial.images.all(), key=lambda each: each.place)
    given = {response.question_id: response for response in trial.responses.all()}
    return ToldTrial(
        trial=trial,
        images=[trial.study_image.image]
        if trial.study_image
        else [each.study_image.image for each in compared],
        answers=[
            told_answer(trial, given[question.pk]) if question.pk in given else None
            for question in questions
        ],
        measured=measured_words(trial),
    )


def told_answer(trial: Trial, response: Response) -> ToldAnswer:
    check = trial.check_asked
    asked = check is not None and check.question_id == response.question_id
    return ToldAnswer(
        label=in_words(response),
        earlier=[in_words(each) for each in response.revisions.all()],
        passed=response.value in check.expected if check is not None and asked else None,
    )


def in_words(answer: Any) -> str:
    """A point with its words where it has any: “7, Extremely creative”."""
    value = str(answer.value)
    if not answer.label or isinstance(answer.value, dict | list):
        return answer.label or value
    if isinstance(answer.value, int | float) and answer.label != value:
        return f"{value}, {answer.label}"
    return answer.label


def measured_words(trial: Trial) -> list[str]:
    """What the page measured beside the answer, as far as it says something."""
    found = trial.evidence
    told = []
    if found.get("hidden_ms") or found.get("n_hidden"):
        seconds = found.get("hidden_ms", 0) / 1000
        told.append(f"hidden {times(found.get('n_hidden', 1))}, {seconds:.1f} s")
    for name, words in (
        ("n_blurred", "focus lost"),
        ("n_resized", "resized"),
        ("n_zoomed", "looked closer"),
        ("n_retries", "loaded again"),
    ):
        if found.get(name):
            told.append(f"{words} {times(found[name])}")
    if "shown_ms" in found:
        told.append(f"shown {found['shown_ms']} ms")
    if found.get("input"):
        told.append(str(found["input"]))
    return told


def times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"


@dataclass(frozen=True)
class AnsweredBlock:
    """A step of the study: whether it is behind the participant, and what they answered there."""

    block: Block
    state: str
    attempts: list[tuple[int, list[tuple[ItemAnswer, bool | None]]]]


def answered_blocks(study: Study, participant: Participant) -> list[AnsweredBlock]:
    """The study's steps from the participant's side, in order."""
    by_block: dict[int, dict[int, list[tuple[ItemAnswer, bool | None]]]] = {}
    answers = ItemAnswer.objects.filter(participant=participant).select_related("item")
    for answer in answers.order_by("attempt", "item__position"):
        correct = answer.item.correct
        passed = None if correct is None else answer.value in correct
        attempts = by_block.setdefault(answer.item.block_id, {})
        attempts.setdefault(answer.attempt, []).append((answer, passed))
    return [
        AnsweredBlock(block, state_of(block, participant), list(by_block.get(block.pk, {}).items()))
        for block in queries.protocol(study).blocks
    ]


def state_of(block: Block, participant: Participant) -> str:
    finished = participant.state == ParticipantState.FINISHED
    if finished or block.position < participant.at_block:
        return "done"
    if block.position > participant.at_block:
        return "not reached"
    return "here" if participant.ended_at is None else "ended here"
