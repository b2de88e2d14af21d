"""How taking part ends: finished, withdrawn, or turned away."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from studies.errors import DomainError
from studies.models import Outcome, Participant, ParticipantState, TrialState
from studies.services.saving import record_event
from studies.services.slots import give_back, lock_balance

STILL_HERE = [ParticipantState.CONSENTED, ParticipantState.ACTIVE]


def locked(participant: Participant) -> Participant:
    """`participant` with its row locked until the transaction ends, and its study."""
    return (
        Participant.objects.select_for_update(of=("self",))
        .select_related("study")
        .get(pk=participant.pk)
    )


def finish(participant: Participant) -> None:
    """Say that nothing more is asked of `participant`, whose row the caller has locked."""
    # The code is given for what the database holds, not for what a counter says.
    if participant.trials.filter(state=TrialState.ASSIGNED).exists():
        raise DomainError("not_finished", _("There are images left to rate."))
    participant.state = ParticipantState.FINISHED
    participant.outcome = Outcome.COMPLETED
    participant.ended_at = timezone.now()
    participant.save(update_fields=["state", "outcome", "ended_at"])
    record_event(study=participant.study, participant=participant, kind="participant_finished")


def turn_away(participant: Participant, outcome: Outcome) -> None:
    """End taking part because of `outcome`; the caller has locked the row and the balance."""
    give_back(participant, reason=outcome)
    participant.state = ParticipantState.TURNED_AWAY
    participant.outcome = outcome
    participant.ended_at = timezone.now()
    participant.save(update_fields=["state", "outcome", "ended_at"])
    record_event(
        study=participant.study,
        participant=participant,
        kind="participant_turned_away",
        data={"outcome": outcome},
    )


@transaction.atomic
def withdraw_participant(*, participant: Participant) -> Participant:
    """Stop taking part: open slots are given back, so that others see those images."""
    participant = locked(participant)
    if participant.state == ParticipantState.WITHDRAWN:
        return participant
    if participant.state not in STILL_HERE:
        raise DomainError("already_finished", _("You have already finished this study."))
    lock_balance(participant.study, participant.kind)
    n_returned = give_back(participant, reason="withdrawn")
    participant.state = ParticipantState.WITHDRAWN
    participant.outcome = Outcome.WITHDREW
    participant.ended_at = timezone.now()
    participant.save(update_fields=["state", "outcome", "ended_at"])
    record_event(
        study=participant.study,
        participant=participant,
        kind="participant_withdrew",
        data={"n_returned": n_returned},
    )
    return participant
