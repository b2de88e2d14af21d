"""Giving participants their trials."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from studies import queries
from studies.errors import DomainError
from studies.models import (
    BlockKind,
    Coverage,
    ImageRole,
    Outcome,
    Participant,
    ParticipantState,
    Study,
    StudyImage,
    Trial,
    TrialImage,
    TrialRole,
)
from studies.questions import n_images_together
from studies.services.choosing import (
    Choice,
    PlannedTrial,
    Shown,
    StoredLoads,
    plan_participation,
)
from studies.services.enrolment import require_running
from studies.services.leaving import locked, turn_away
from studies.services.saving import record_event
from studies.services.slots import give_back_of_silent, lock_balance


@transaction.atomic
def assign_trials(*, participant: Participant) -> Participant:
    """Give a participant who agreed their images. Calling it again changes nothing.

    1. The participant's row is locked: of two requests at once the second finds them active.
    2. The balance of their kind is locked: those who arrive together choose one after the
       other, each seeing the last one's choice. Nobody else waits, neither answers nor
       other studies.
    3. Slots of whoever has been silent too long are given back first.
    4. Images are chosen and ordered by the participant's own seed, counted and stored.

    Where every image has its ratings already, the participant is turned away kindly.
    """
    participant = locked(participant)
    study = participant.study
    require_running(study)
    if participant.state == ParticipantState.WITHDRAWN:
        raise DomainError("withdrawn", _("You have stopped taking part in this study."))
    if participant.state != ParticipantState.CONSENTED:
        return participant
    balance = lock_balance(study, participant.kind)
    give_back_of_silent(study, participant.kind)
    number = balance.n_started
    choice, ratings = plan_participation(
        study,
        seed=participant.seed,
        number=number,
        loads=StoredLoads(study, participant.kind),
        balance=balance,
        given_back=queries.returned_pairs(study, participant.kind),
    )
    if not ratings:
        turn_away(participant, Outcome.OVER_QUOTA)
        return participant
    balance.n_started += 1
    balance.save(update_fields=["n_started", "next_pair", "open_pairs"])
    create_trials(participant, [*practice_trials(study), *ratings])
    count_assigned(choice, participant.kind)
    participant.state = ParticipantState.ACTIVE
    participant.started_at = participant.last_active_at = timezone.now()
    participant.number = number
    participant.n_trials = len(ratings)
    participant.save(update_fields=["state", "started_at", "last_active_at", "number", "n_trials"])
    record_event(
        study=study,
        participant=participant,
        kind="trials_assigned",
        data={"seed": participant.seed, "number": number, "trials": as_logged(ratings)},
    )
    return participant


def as_logged(trials: Sequence[PlannedTrial]) -> list[list]:
    """Trials as the log has them: role, images, check, place in the schedule of pairs."""
    return [
        [trial.role.value, list(trial.shown.images), trial.check, trial.shown.pair]
        for trial in trials
    ]


def practice_trials(study: Study) -> list[PlannedTrial]:
    """Trials on the practice images, in their order, as many at a time as are compared."""
    protocol = queries.protocol(study)
    if not any(block.kind == BlockKind.PRACTICE for block in protocol.blocks):
        return []
    k = n_images_together((question.kind, question.options) for question in protocol.questions)
    images = StudyImage.objects.filter(study=study, role=ImageRole.PRACTICE)
    keys = iter(images.order_by("position", "pk").values_list("pk", flat=True))
    # The same iterator k times: consecutive images stand together.
    together = zip(*[keys] * k, strict=False)
    return [PlannedTrial(TrialRole.PRACTICE, Shown(shown)) for shown in together]


def create_trials(participant: Participant, planned: Sequence[PlannedTrial]) -> None:
    trials = Trial.objects.bulk_create(
        Trial(
            participant=participant,
            role=each.role,
            study_image_id=each.shown.images[0] if len(each.shown.images) == 1 else None,
            check_asked_id=each.check,
            pair=each.shown.pair,
            position=position,
        )
        for position, each in enumerate(planned, start=1)
    )
    TrialImage.objects.bulk_create(
        TrialImage(trial=trial, study_image_id=image, place=place)
        for trial, each in zip(trials, planned, strict=True)
        if len(each.shown.images) > 1
        for place, image in enumerate(each.shown.images, start=1)
    )


def count_assigned(choice: Choice, kind: str) -> None:
    """Add the choice to its images' coverage, whose rows are locked in the order of their keys."""
    counts = choice.counts()
    rows = Coverage.objects.filter(study_image__in=counts, kind=kind)
    changed = list(rows.select_for_update().order_by("pk"))
    for row in changed:
        row.n_assigned += counts[row.study_image_id]
        row.shuffle = choice.shuffles.get(row.study_image_id, row.shuffle)
    Coverage.objects.bulk_update(changed, ["n_assigned", "shuffle"])
