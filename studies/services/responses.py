"""Taking answers."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from studies import queries
from studies.errors import DomainError
from studies.models import (
    Block,
    BlockKind,
    Coverage,
    Outcome,
    Participant,
    ParticipantState,
    Question,
    Response,
    ReturnPolicy,
    Revision,
    StudyState,
    Trial,
    TrialRole,
    TrialState,
)
from studies.models.fields import PUBLIC_ID
from studies.questions import Answer, AnswerError, question_type
from studies.services.enrolment import CLOSED_TO_ANSWERS, session_by_token
from studies.services.evidence import clean_evidence, plausible_ms
from studies.services.leaving import finish, locked, turn_away
from studies.services.saving import record_event
from studies.services.slots import (
    change_coverage,
    images_of,
    is_silent,
    lock_balance,
    slots_of,
    take_again,
)


@dataclass(frozen=True)
class Submission:
    """What a page sends for one trial. `key` is the same however often the page sends it."""

    trial: str
    answers: Mapping[str, Any]
    key: uuid.UUID | None = None
    response_time_ms: Any = None
    evidence: Any = None
    replaces: bool = False


@dataclass(frozen=True)
class Recorded:
    """What became of a submission: `stored` is False where the answer was there already.

    `upcoming` are the participant's next trials; where there are none, this block is over.
    """

    participant: Participant
    stored: bool
    upcoming: list[Trial] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        return self.participant.state == ParticipantState.FINISHED


def parse_answers(
    questions: Sequence[Question], answers: Mapping[str, Any]
) -> list[tuple[Question, Answer]]:
    """Every question's answer, by question; DomainError names each one missing or not allowed."""
    sent = {name: str(value) for name, value in answers.items() if value is not None}
    parsed, wrong = [], {}
    for question in questions:
        kind = question_type(question.kind)
        raw = kind.gather(sent, question.key)
        if raw in (None, "") and kind.is_required(question.options):
            wrong[question.key] = _("Please answer this question.")
            continue
        try:
            parsed.append((question, kind.parse(raw, question.options)))
        except AnswerError as error:
            wrong[question.key] = str(error)
    if wrong:
        detail = " ".join([*dict.fromkeys(wrong.values()), _("Nothing was stored.")])
        raise DomainError("bad_answer", detail, fields=wrong)
    return parsed


def require_open(participant: Participant) -> None:
    """DomainError where the answers of `participant` are not taken any more."""
    if participant.study.state != StudyState.RUNNING:
        code, detail = CLOSED_TO_ANSWERS[StudyState(participant.study.state)]
        raise DomainError(code, f"{_('Your last answer was not stored.')} {detail}")
    if participant.state == ParticipantState.WITHDRAWN:
        raise DomainError("withdrawn", _("You have stopped taking part. Nothing was stored."))
    # Who was only too late may still hand in what they had answered by then.
    late = participant.outcome in (Outcome.OVER_QUOTA, Outcome.TOO_LATE)
    if participant.state == ParticipantState.TURNED_AWAY and not late:
        raise DomainError("turned_away", _("Your session has ended. Nothing was stored."))


def record_answers(*, participant: Participant, submission: Submission) -> Recorded:
    """Store the answers to one trial of `participant`, whole or not at all."""
    with transaction.atomic():
        return record_locked(locked(participant), submission)


def record_answers_by_token(*, slug: str, token: str, submission: Submission) -> Recorded:
    """The same for whoever holds `token` in the study `slug`: one query finds and locks them."""
    with transaction.atomic():
        session = session_by_token(slug=slug, token=token, lock=True)
        return record_locked(session.participant, submission)


def record_locked(participant: Participant, submission: Submission) -> Recorded:
    """Store a submission of `participant`, whose row is locked.

    The same trial sent again (double click, reload, second tab, a page that never heard the
    acknowledgement) changes nothing and counts as stored before.

    1. The participant's own requests queue at their row, nobody else's do.
    2. The trial must be their next one, or one whose slot was given back while they were
       silent, or since its image could not be shown: an answer that was given is never
       refused for coming late.
    3. Its state goes to completed together with its responses and its coverage.
    4. Where it was the last one, the participant goes on to the next block.
    """
    try:
        require_open(participant)
    except DomainError:
        # Nobody who never heard the acknowledgement is told that nothing was stored.
        if is_held(participant, submission):
            return Recorded(participant, False)
        raise
    upcoming = queries.upcoming_trials(participant)
    trial = next((each for each in upcoming[:1] if each.public_id == submission.trial), None)
    late = unseen = False
    if trial is None:
        trial = own_trial(participant, submission.trial)
        if trial.state == TrialState.COMPLETED:
            stored = submission.replaces and replace_answers(participant, trial, submission)
            return Recorded(participant, stored, upcoming)
        # Passed over on one device because the image did not load, and rated on another: it
        # is among those behind them already.
        unseen = trial.state == TrialState.UNSEEN
        late = unseen or trial.state == TrialState.RETURNED
        if not late:
            raise DomainError(
                "not_current", _("Please rate the images in their order. Nothing was stored.")
            )
    elif not is_at(participant, trial):
        raise DomainError("not_current", _("Please finish this page first. Nothing was stored."))
    parsed = parse_answers(queries.protocol(participant.study).questions, submission.answers)
    now = timezone.now()
    was_silent = (
        late
        and is_at(participant, trial)
        and is_silent(participant)
        and (not unseen or queries.returned_trials(participant).exists())
    )
    if late:
        take_late(participant, trial)
    trial.state = TrialState.COMPLETED
    trial.completed_at = now
    trial.submission = submission.key
    trial.response_time_ms = plausible_ms(submission.response_time_ms)
    trial.evidence = clean_evidence(submission.evidence)
    trial.save(
        update_fields=["state", "completed_at", "submission", "response_time_ms", "evidence"]
    )
    Response.objects.bulk_create(
        Response(
            trial=trial,
            question=question,
            value=answer.value,
            label=answer.label,
            number=answer.number,
            received_at=now,
        )
        for question, answer in parsed
    )
    if trial.role == TrialRole.MAIN and counts_for_balance(participant):
        count_completed(participant, trial)
    upcoming = [each for each in upcoming if each.pk != trial.pk]
    if was_silent and participant.study.after_silence == ReturnPolicy.BLOCK:
        participant.n_done += 0 if unseen else 1
        participant.save(update_fields=["n_done", "n_trials"])
        turn_away(participant, Outcome.TOO_LATE)
        return Recorded(participant, True)
    move_on(participant, trial, upcoming, counted=unseen)
    return Recorded(participant, True, upcoming)


def is_held(participant: Participant, submission: Submission) -> bool:
    """Whether this very submission was stored before."""
    return submission.key is not None and bool(PUBLIC_ID.fullmatch(submission.trial)) and (
        participant.trials.filter(public_id=submission.trial, submission=submission.key).exists()
    )  # fmt: skip


def own_trial(participant: Participant, public_id: str) -> Trial:
    trial = None
    # What cannot be an id (text with a NUL, say) is not asked of the database.
    if PUBLIC_ID.fullmatch(public_id):
        trial = Trial.objects.filter(participant=participant, public_id=public_id).first()
    if trial is None:
        raise DomainError(
            "not_your_trial", _("This answer does not belong to your session. Nothing was stored.")
        )
    return trial


def counts_for_balance(participant: Participant) -> bool:
    """Whether what they rate counts towards the targets: not while others replace them."""
    return not (participant.is_excluded and participant.study.replace_excluded)


def count_completed(participant: Participant, trial: Trial) -> None:
    if trial.study_image_id is None:
        # Who gives back or assigns locks one set of rows after another, in no order over all.
        lock_balance(participant.study, participant.kind)
        change_coverage(images_of([trial]), participant.kind, completed=1)
    else:
        Coverage.objects.filter(study_image=trial.study_image_id, kind=participant.kind).update(
            n_completed=F("n_completed") + 1
        )


def take_late(participant: Participant, trial: Trial) -> None:
    """Reserve the slot of an answer that comes after it was given back, whoever has it now.

    The answer was given in good faith and is kept, even where the image has enough by now.
    """
    lock_balance(participant.study, participant.kind)
    if trial.role == TrialRole.MAIN and counts_for_balance(participant):
        counts = images_of([trial])
        change_coverage(counts, participant.kind, assigned=1)
        record_event(
            study=participant.study,
            participant=participant,
            kind="slots_taken_again",
            data={"late": True, **slots_of([trial])},
        )
    if trial.state == TrialState.RETURNED:
        participant.n_trials += 1
        participant.save(update_fields=["n_trials"])


def is_at(participant: Participant, trial: Trial) -> bool:
    """Whether they have not ended, and are at the block that `trial` is part of."""
    block = queries.protocol(participant.study).block(participant.at_block)
    kind = BlockKind.PRACTICE if trial.role == TrialRole.PRACTICE else BlockKind.RATINGS
    active = participant.state == ParticipantState.ACTIVE
    return active and block is not None and block.kind == kind


def move_on(
    participant: Participant, trial: Trial, upcoming: list[Trial], *, counted: bool = False
) -> None:
    """Count `trial` as done and, where its block is over, go to the next one or finish.

    One that was `counted` before is not counted again. A late answer of somebody who is past
    the images already moves them nowhere.
    """
    participant.last_active_at = timezone.now()
    if trial.role != TrialRole.PRACTICE and not counted:
        participant.n_done += 1
    practising = trial.role == TrialRole.PRACTICE
    more = [each for each in upcoming if (each.role == TrialRole.PRACTICE) == practising]
    participant.save(update_fields=["n_done", "last_active_at"])
    if more or not is_at(participant, trial):
        return
    if not practising and queries.returned_trials(participant).exists():
        lock_balance(participant.study, participant.kind)
        if take_again(participant):
            return
    leave_block(participant, queries.protocol(participant.study).block(participant.at_block))


def leave_block(participant: Participant, block: Block | None) -> None:
    """Go to the block after `block`, or finish; the participant's row is locked."""
    following = block and queries.protocol(participant.study).after(block.position)
    if following is None:
        finish(participant)
        return
    participant.at_block = following.position
    participant.last_active_at = timezone.now()
    participant.save(update_fields=["at_block", "last_active_at"])


def replace_answers(participant: Participant, trial: Trial, submission: Submission) -> bool:
    """Store another answer to a completed trial; the earlier one is kept as its history."""
    if not participant.study.allow_changes or participant.state != ParticipantState.ACTIVE:
        return False
    if submission.key is None or submission.key == trial.submission:
        return False
    questions = queries.protocol(participant.study).questions
    parsed = dict(parse_answers(questions, submission.answers))
    now = timezone.now()
    changed = False
    for response in trial.responses.select_related("question"):
        answer = parsed.get(response.question)
        if answer is None or answer.value == response.value:
            continue
        Revision.objects.create(
            response=response,
            value=response.value,
            label=response.label,
            number=response.number,
            received_at=response.received_at,
            replaced_at=now,
        )
        response.value, response.label, response.number = answer.value, answer.label, answer.number
        response.received_at = now
        response.save(update_fields=["value", "label", "number", "received_at"])
        changed = True
    trial.submission = submission.key
    trial.save(update_fields=["submission"])
    participant.last_active_at = now
    participant.save(update_fields=["last_active_at"])
    return changed


@transaction.atomic
def mark_unseen(*, participant: Participant, trial_id: str) -> Recorded:
    """Record that the image of the next trial could not be shown: it is not rated.

    Its slot is given back, so that somebody else sees the image.
    """
    participant = locked(participant)
    require_open(participant)
    upcoming = queries.upcoming_trials(participant)
    if not upcoming or upcoming[0].public_id != trial_id:
        own_trial(participant, trial_id)
        return Recorded(participant, False, upcoming)
    trial = upcoming[0]
    trial.state = TrialState.UNSEEN
    trial.save(update_fields=["state"])
    if trial.role == TrialRole.MAIN:
        lock_balance(participant.study, participant.kind)
        counts = images_of([trial])
        change_coverage(counts, participant.kind, assigned=-1)
        record_event(
            study=participant.study,
            participant=participant,
            kind="slots_returned",
            data={"reason": "unseen", **slots_of([trial])},
        )
    move_on(participant, trial, upcoming[1:])
    return Recorded(participant, True, upcoming[1:])
