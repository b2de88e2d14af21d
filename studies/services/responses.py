"""Taking answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from studies.errors import DomainError
from studies.models import (
    Coverage,
    Participant,
    ParticipantState,
    Question,
    Response,
    StudyState,
    Trial,
    TrialState,
)
from studies.models.fields import PUBLIC_ID
from studies.questions import Answer, AnswerError, question_type
from studies.services.enrolment import CLOSED_TO_ANSWERS
from studies.services.saving import record_event

DAY_MS = 86_400_000


@dataclass(frozen=True)
class Recorded:
    """What became of a submission: `stored` is False where the answer was there already."""

    stored: bool
    finished: bool


def parse_answers(
    questions: list[Question], answers: Mapping[str, Any]
) -> list[tuple[Question, Answer]]:
    """Every question's answer, by question; DomainError names each one missing or not allowed."""
    parsed, wrong = [], {}
    for question in questions:
        kind = question_type(question.kind)
        if answers.get(question.key) in (None, ""):
            wrong[question.key] = "Please answer this question."
            continue
        try:
            parsed.append((question, kind.parse(answers[question.key], question.options)))
        except AnswerError as error:
            wrong[question.key] = str(error)
    if wrong:
        detail = " ".join(dict.fromkeys(wrong.values())) + " Nothing was stored."
        raise DomainError("bad_answer", detail, fields=wrong)
    return parsed


def plausible_ms(raw: Any) -> int | None:
    """A response time sent by a page, or None where it is missing or cannot be one."""
    text = str(raw).strip() if raw is not None else ""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        return None
    return int(text) if int(text) <= DAY_MS else None


@transaction.atomic
def record_answers(
    *,
    participant: Participant,
    trial_id: str,
    answers: Mapping[str, Any],
    response_time_ms: Any = None,
) -> Recorded:
    """Store the answers to one trial, whole or not at all.

    `trial_id` is the trial's public id. The same trial sent again (double click, reload,
    second tab) changes nothing and counts as stored before.

    1. The participant's row is locked: their own requests queue, nobody else's do.
    2. The trial must be the participant's own and, unless done before, their next one.
    3. Its state goes from assigned to completed together with its responses.
    4. When it was the last, the participant is finished.
    """
    participant = (
        Participant.objects.select_for_update(of=("self",))
        .select_related("study")
        .get(pk=participant.pk)
    )
    if participant.study.state != StudyState.RUNNING:
        code, detail = CLOSED_TO_ANSWERS[StudyState(participant.study.state)]
        raise DomainError(code, f"Your last answer was not stored. {detail}")
    trial = None
    # What cannot be an id (text with a NUL, say) is not asked of the database.
    if PUBLIC_ID.fullmatch(trial_id):
        trial = Trial.objects.filter(participant=participant, public_id=trial_id).first()
    if trial is None:
        raise DomainError(
            "not_your_trial", "This answer does not belong to your session. Nothing was stored."
        )
    if participant.state == ParticipantState.WITHDRAWN:
        raise DomainError("withdrawn", "You have stopped taking part. Nothing was stored.")
    if trial.state == TrialState.COMPLETED:
        return Recorded(stored=False, finished=participant.state == ParticipantState.FINISHED)
    still_open = Trial.objects.filter(participant=participant, state=TrialState.ASSIGNED)
    if still_open.filter(position__lt=trial.position).exists():
        raise DomainError(
            "not_current", "Please rate the images in their order. Nothing was stored."
        )
    questions = list(Question.objects.filter(study_id=participant.study_id))
    parsed = parse_answers(questions, answers)
    now = timezone.now()
    trial.state = TrialState.COMPLETED
    trial.completed_at = now
    trial.response_time_ms = plausible_ms(response_time_ms)
    trial.save(update_fields=["state", "completed_at", "response_time_ms"])
    Response.objects.bulk_create(
        [
            Response(
                trial=trial,
                question=question,
                value=answer.value,
                label=answer.label,
                number=answer.number,
            )
            for question, answer in parsed
        ]
    )
    Coverage.objects.filter(study_image_id=trial.study_image_id, kind=participant.kind).update(
        n_completed=F("n_completed") + 1
    )
    record_event(
        study=participant.study,
        participant=participant,
        kind="trial_completed",
        data={"trial": trial.position},
    )
    finished = not still_open.exists()
    participant.last_active_at = now
    if finished:
        participant.state = ParticipantState.FINISHED
        participant.ended_at = now
    participant.save(update_fields=["state", "ended_at", "last_active_at"])
    if finished:
        record_event(study=participant.study, participant=participant, kind="participant_finished")
    return Recorded(stored=True, finished=finished)
