"""Choosing which images a participant rates, and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from studies import queries
from studies.errors import DomainError
from studies.models import Coverage, Participant, ParticipantState, Study, Trial
from studies.services.enrolment import require_running
from studies.services.saving import record_event

# Longer than anybody looks at one image, shorter than a slot should stay taken in vain.
SILENT_AFTER = timedelta(minutes=30)


@dataclass(frozen=True)
class Load:
    """How often an image has been rated, or is being rated by somebody who is at it."""

    study_image: int
    stratum: str
    n_rated: int


def trials_per_stratum(
    loads: Sequence[Load], n_trials: int, rng: np.random.Generator
) -> dict[str, int]:
    """How many images to take from each stratum: as equal as the strata's sizes allow.

    Trials are dealt one at a time to the stratum with the fewest so far; among equals, to
    the one whose images have been rated least, then at random.
    """
    strata = sorted({load.stratum for load in loads})
    members = {s: [load.n_rated for load in loads if load.stratum == s] for s in strata}
    chance = dict(zip(strata, rng.permutation(len(strata)), strict=True))
    order = sorted(strata, key=lambda s: (sum(members[s]) / len(members[s]), chance[s]))
    taken = dict.fromkeys(strata, 0)
    for _ in range(min(n_trials, len(loads))):
        free = [s for s in order if taken[s] < len(members[s])]
        taken[min(free, key=lambda s: taken[s])] += 1
    return taken


def choose_images(loads: Sequence[Load], n_trials: int, rng: np.random.Generator) -> list[int]:
    """The least-rated images of each stratum, ties at random, in random order: their ids."""
    chosen: list[int] = []
    for stratum, n in trials_per_stratum(loads, n_trials, rng).items():
        members = [load for load in loads if load.stratum == stratum]
        tie_break = rng.random(len(members))
        order = np.lexsort((tie_break, np.array([load.n_rated for load in members])))
        chosen += [members[i].study_image for i in order[:n]]
    return [chosen[i] for i in rng.permutation(len(chosen))]


def current_loads(study: Study, kind: str) -> list[Load]:
    """The load of every image of `study`: ratings by `kind`, and trials of those at it now.

    Trials of whoever has been silent for longer than `SILENT_AFTER` count no more, so that
    dropouts do not keep images from being rated; should they come back, their answers count.
    """
    at_it = queries.open_trials_per_image(study, kind, timezone.now() - SILENT_AFTER)
    rows = Coverage.objects.filter(study_image__study=study, kind=kind).order_by("pk")
    return [
        Load(image, stratum, n_completed + at_it.get(image, 0))
        for image, stratum, n_completed in rows.values_list(
            "study_image_id", "study_image__stratum", "n_completed"
        )
    ]


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
    study.refresh_from_db(fields=["state"])
    require_running(study)
    now = timezone.now()
    started = Participant.objects.filter(
        pk=participant.pk, state=ParticipantState.CONSENTED
    ).update(state=ParticipantState.ACTIVE, started_at=now, last_active_at=now)
    participant.refresh_from_db()
    if not started:
        if participant.state == ParticipantState.WITHDRAWN:
            raise DomainError("withdrawn", "You have stopped taking part in this study.")
        return
    rows = Coverage.objects.filter(study_image__study=study, kind=participant.kind)
    list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
    loads = current_loads(study, participant.kind)
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
