"""Erasing one person: everything that they gave and everything that tells who they are."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from studies.models import (
    Balance,
    Identity,
    Invitation,
    Participant,
    ParticipantState,
    Response,
    Revision,
    Trial,
    TrialRole,
    TrialState,
)
from studies.services.exports.stored import withdraw_exports
from studies.services.leaving import locked
from studies.services.saving import record_event
from studies.services.slots import (
    change_coverage,
    give_back,
    images_of,
    lock_balance,
    lock_coverage,
    slots_of,
)

TAKEN = [TrialState.ASSIGNED, TrialState.COMPLETED]


@transaction.atomic
def erase_participant(*, participant: Participant, actor: User | None = None) -> Participant:
    """Erase what `participant` answered and who they are. Doing it again changes nothing.

    Gone are answers and their history, trials, answers to questionnaires and checks, the
    identity and the invitation, sessions (their browsers are not recognised any more), what
    was measured of their device, and researchers' decisions, whose reasons are free text.
    Slots, ratings and pairs count as never given, so that others are asked for them.

    What stays is a tombstone: public id, study, kind, outcome, the hash of the consent text,
    the seed and the times of consent and end. The event log cannot be changed, and its lines
    about the participant stay: they hold no answers and no identifiers. Results computed
    before keep their figures; asked for again, they are computed anew from what is left. Exports
    that the server keeps are removed; those that somebody has taken away are theirs to delete.

    Locks are taken in the order that `services.slots` documents, an invitation before them
    all, as where somebody comes back by it.
    """
    list(Invitation.objects.select_for_update(of=("self",)).filter(participant=participant))
    participant = locked(participant)
    if participant.state == ParticipantState.ERASED:
        return participant
    balance = lock_balance(participant.study, participant.kind)
    take_back_counts(participant, balance)
    deleted = delete_content(participant)
    delete_identifiers(participant)
    participant.decisions.all().delete()
    participant.state = ParticipantState.ERASED
    participant.ended_at = participant.ended_at or timezone.now()
    participant.last_active_at = participant.ended_at
    participant.environment = {}
    participant.n_trials = participant.n_done = 0
    participant.save(
        update_fields=["state", "ended_at", "last_active_at", "environment", "n_trials", "n_done"]
    )
    record_event(
        study=participant.study,
        participant=participant,
        actor=actor,
        kind="participant_erased",
        data=deleted,
    )
    withdraw_exports(participant.study, "erased")
    return participant


def take_back_counts(participant: Participant, balance: Balance) -> None:
    """Let the slots, ratings and pairs of `participant` count as never given.

    Those of somebody excluded whose ratings are gathered anew were taken back when they were
    excluded.
    """
    main = participant.trials.filter(role=TrialRole.MAIN)
    lock_coverage(main.filter(state__in=TAKEN), participant.kind)
    give_back(participant, reason="erased")
    completed = list(main.filter(state=TrialState.COMPLETED))
    if completed and not (participant.is_excluded and participant.study.replace_excluded):
        change_coverage(images_of(completed), participant.kind, assigned=-1, completed=-1)
        # Whoever does the assignment over again from the log needs to know.
        record_event(
            study=participant.study,
            participant=participant,
            kind="slots_returned",
            data={"reason": "erased", **slots_of(completed)},
        )
    free = pairs_in(main)
    if free:
        free -= pairs_of_others(participant)
        balance.open_pairs = sorted(free | set(balance.open_pairs))
        balance.save(update_fields=["open_pairs"])


def pairs_of_others(participant: Participant) -> set[int]:
    """Pairs that others of the same kind have now."""
    others = Trial.objects.filter(
        participant__study=participant.study,
        participant__kind=participant.kind,
        role=TrialRole.MAIN,
        state__in=TAKEN,
    ).exclude(participant=participant)
    return pairs_in(others)


def pairs_in(trials: QuerySet[Trial]) -> set[int]:
    return {pair for pair in trials.values_list("pair", flat=True).distinct() if pair is not None}


def delete_content(participant: Participant) -> dict[str, int]:
    """Delete what `participant` was shown and answered, history first; how many of each."""
    trials = Trial.objects.filter(participant=participant)
    responses = Response.objects.filter(trial__in=trials)
    counts = {
        "n_trials": trials.count(),
        "n_responses": responses.count(),
        "n_item_answers": participant.answers.count(),
    }
    Revision.objects.filter(response__in=responses).delete()
    responses.delete()
    trials.delete()
    participant.answers.all().delete()
    return counts


def delete_identifiers(participant: Participant) -> None:
    """Delete whatever leads from a person or a browser to `participant`.

    In the order in which `services.retention` does it, so that neither waits for the other.
    """
    Identity.objects.filter(participant=participant).delete()
    Invitation.objects.filter(participant=participant).delete()
    participant.sessions.all().delete()
