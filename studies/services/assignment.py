"""Choosing which images a participant rates, and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from studies.errors import DomainError
from studies.models import Coverage, Participant, ParticipantState, Trial
from studies.services.enrolment import require_running
from studies.services.saving import record_event


@dataclass(frozen=True)
class Load:
    """How often an image has been assigned so far."""

    study_image: int
    stratum: str
    n_assigned: int


def trials_per_stratum(
    loads: Sequence[Load], n_trials: int, rng: np.random.Generator
) -> dict[str, int]:
    """How many images to take from each stratum: as equal as the strata's sizes allow.

    Trials are dealt one at a time to the stratum with the fewest so far; among equals, to
    the one whose images have been assigned least, then at random.
    """
    strata = sorted({load.stratum for load in loads})
    members = {s: [load.n_assigned for load in loads if load.stratum == s] for s in strata}
    chance = dict(zip(strata, rng.permutation(len(strata)), strict=True))
    order = sorted(strata, key=lambda s: (sum(members[s]) / len(members[s]), chance[s]))
    taken = dict.fromkeys(strata, 0)
    for _ in range(min(n_trials, len(loads))):
        free = [s for s in order if taken[s] < len(members[s])]
        taken[min(free, key=lambda s: taken[s])] += 1
    return taken


def choose_images(loads: Sequence[Load], n_trials: int, rng: np.random.Generator) -> list[int]:
    """The least-assigned images of each stratum, ties at random, in random order: their ids."""
    chosen: list[int] = []
    for stratum, n in trials_per_stratum(loads, n_trials, rng).items():
        members = [load for load in loads if load.stratum == stratum]
        tie_break = rng.random(len(members))
        order = np.lexsort((tie_break, np.array([load.n_assigned for load in members])))
        chosen += [members[i].study_image for i in order[:n]]
    return [chosen[i] for i in rng.permutation(len(chosen))]


@transaction.atomic
def assign_trials(*, participant: Participant) -> None:
    """Give a participant who agreed their images. Calling it again changes nothing.

    1. The participant's state goes from consented to active under a condition, so that of
       two requests at once only one goes on.
    2. The coverage rows of the participant's kind are locked in the order of their keys:
       those who arrive together choose one after the other, each seeing the last one's choice.
    3. Images are chosen by the participant's own seed, counted, and stored in their order.
    """
    study = participant.study
    require_running(study)
    started = Participant.objects.filter(
        pk=participant.pk, state=ParticipantState.CONSENTED
    ).update(state=ParticipantState.ACTIVE, started_at=timezone.now())
    participant.refresh_from_db()
    if not started:
        if participant.state == ParticipantState.WITHDRAWN:
            raise DomainError("withdrawn", "You have stopped taking part in this study.")
        return
    rows = Coverage.objects.filter(study_image__study=study, kind=participant.kind)
    loads = [
        Load(*row)
        for row in rows.select_for_update(of=("self",))
        .order_by("pk")
        .values_list("study_image_id", "study_image__stratum", "n_assigned")
    ]
    rng = np.random.default_rng(participant.seed)
    chosen = choose_images(loads, study.trials_per_participant, rng)
    rows.filter(study_image__in=chosen).update(n_assigned=F("n_assigned") + 1)
    Trial.objects.bulk_create(
        [
            Trial(participant=participant, study_image_id=study_image, position=position)
            for position, study_image in enumerate(chosen, start=1)
        ]
    )
    record_event(
        study=study,
        participant=participant,
        kind="trials_assigned",
        data={"seed": participant.seed, "study_images": chosen},
    )
