"""Going from block to block: reading, checks of comprehension, questionnaires."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from studies import queries
from studies.errors import DomainError
from studies.models import (
    Block,
    BlockKind,
    Item,
    ItemAnswer,
    Outcome,
    Participant,
    ParticipantState,
    ReturnPolicy,
)
from studies.questions import Answer, AnswerError, question_type
from studies.services.assignment import assign_trials
from studies.services.leaving import locked, turn_away
from studies.services.responses import leave_block, require_open
from studies.services.slots import is_silent, lock_balance, take_again

# Prolific's rule: two attempts, then the person is asked to return, never rejected.
MAX_ATTEMPTS = 2


def parse_items(
    items: list[Item], answers: Mapping[str, Any]
) -> tuple[list[tuple[Item, Answer]], dict[str, str]]:
    """Each item's answer, and what is wrong by key."""
    sent = {name: str(value) for name, value in answers.items() if value is not None}
    parsed, wrong = [], {}
    for item in items:
        kind = question_type(item.kind)
        raw = kind.gather(sent, item.key)
        if raw in (None, "") and kind.is_required(item.options):
            wrong[item.key] = _("Please answer this question.")
            continue
        try:
            parsed.append((item, kind.parse(raw, item.options)))
        except AnswerError as error:
            wrong[item.key] = str(error)
    return parsed, wrong


def n_attempts(participant: Participant, block: Block) -> int:
    """How often `participant` has answered the comprehension check `block`."""
    return (
        ItemAnswer.objects.filter(participant=participant, item__block=block)
        .order_by("-attempt")
        .values_list("attempt", flat=True)
        .first()
        or 0
    )


@transaction.atomic
def complete_block(
    *,
    participant: Participant,
    position: int,
    answers: Mapping[str, Any] | None = None,
    attempt: int | None = None,
) -> Participant:
    """Finish the block at `position` and go on. For a block that is behind, nothing happens.

    `attempt` is the number that the page of a comprehension check was shown with: the same page
    sent twice is one attempt. Trials are assigned when the next block shows images, never
    before and never by a GET.
    DomainError “bad_answer” where an item has no allowed answer.
    """
    participant = locked(participant)
    require_open(participant)
    here = queries.protocol(participant.study).block(participant.at_block)
    over = participant.state not in (ParticipantState.CONSENTED, ParticipantState.ACTIVE)
    if over or here is None or here.position != position:
        return participant
    if here.kind in (BlockKind.PRACTICE, BlockKind.RATINGS):
        raise DomainError("not_current", _("There are images left to rate."))
    if here.kind in (BlockKind.COMPREHENSION, BlockKind.QUESTIONNAIRE):
        if attempt is not None and attempt != n_attempts(participant, here) + 1:
            return participant
        wrong = answer_items(participant, here, answers or {})
        if participant.state == ParticipantState.TURNED_AWAY:
            return participant
        if wrong:
            return participant
    return go_on_from(participant, here)


def go_on_from(participant: Participant, block: Block) -> Participant:
    following = queries.protocol(participant.study).after(block.position)
    if (
        participant.state == ParticipantState.CONSENTED
        and following is not None
        and not queries.comes_before_images(following)
    ):
        participant = assign_trials(participant=participant)
        if participant.state != ParticipantState.ACTIVE:
            return participant
    leave_block(participant, block)
    return participant


def answer_items(participant: Participant, block: Block, answers: Mapping[str, Any]) -> bool:
    """Store the answers to a block's items; whether it must be tried once more."""
    items = list(block.items.all())
    parsed, wrong = parse_items(items, answers)
    if wrong:
        detail = " ".join([*dict.fromkeys(wrong.values()), _("Nothing was stored.")])
        raise DomainError("bad_answer", detail, fields=wrong)
    attempt = n_attempts(participant, block) + 1
    now = timezone.now()
    ItemAnswer.objects.bulk_create(
        ItemAnswer(
            participant=participant,
            item=item,
            attempt=attempt,
            value=answer.value,
            label=answer.label,
            number=answer.number,
            received_at=now,
        )
        for item, answer in parsed
    )
    participant.last_active_at = now
    participant.save(update_fields=["last_active_at"])
    if block.kind == BlockKind.QUESTIONNAIRE:
        return False
    if all(item.correct is None or answer.value in item.correct for item, answer in parsed):
        return False
    if attempt >= MAX_ATTEMPTS:
        lock_balance(participant.study, participant.kind)
        turn_away(participant, Outcome.COMPREHENSION)
    return True


@transaction.atomic
def come_back(*, participant: Participant) -> Participant:
    """Go on after a silence in which the slots were given back, as the study's policy says.

    What others have not taken is theirs again; where nothing is left to rate, they go on to
    the next block with what they have.
    """
    participant = locked(participant)
    require_open(participant)
    if participant.state != ParticipantState.ACTIVE:
        return participant
    lock_balance(participant.study, participant.kind)
    if participant.study.after_silence == ReturnPolicy.BLOCK and is_silent(participant):
        turn_away(participant, Outcome.TOO_LATE)
        return participant
    if queries.upcoming_trials(participant, 1):
        return participant
    if not take_again(participant):
        if participant.n_done == 0:
            # Nothing was rated and nothing is left: that is not taking part.
            turn_away(participant, Outcome.OVER_QUOTA)
            return participant
        block = queries.protocol(participant.study).block(participant.at_block)
        leave_block(participant, block)
    return participant
