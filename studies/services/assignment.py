"""Choosing which images a participant rates, and in which order."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from django.db import transaction
from django.db.models import Avg, Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from studies import queries
from studies.errors import DomainError
from studies.models import (
    Balance,
    BlockKind,
    Coverage,
    ImageRole,
    Outcome,
    Participant,
    ParticipantState,
    Study,
    StudyImage,
    TargetUnit,
    Trial,
    TrialImage,
    TrialRole,
)
from studies.questions import n_images_together
from studies.sequences import (
    PairSchedule,
    max_repeats,
    order_trials,
    partition_into_sets,
    plan_trials,
    trials_per_stratum,
)
from studies.services.enrolment import require_running
from studies.services.leaving import locked, turn_away
from studies.services.saving import record_event
from studies.services.slots import give_back_of_silent, lock_balance, slot_limit


@dataclass(frozen=True)
class Shown:
    """What one trial shows: study images from left to right, and a pair's place if it is one."""

    images: tuple[int, ...]
    stratum: str = ""
    pair: int | None = None


@dataclass
class Choice:
    """What a participant will be shown, and the new `shuffle` of each image's coverage."""

    main: list[Shown]
    shuffles: dict[int, float] = field(default_factory=dict)

    def counts(self) -> Counter[int]:
        return Counter(image for shown in self.main for image in shown.images)


def choose_images(study: Study, kind: str, rng: np.random.Generator) -> Choice:
    """The least-assigned images of each stratum, equals by their `shuffle`.

    An image that is chosen gets another `shuffle`, so that no two images keep meeting the
    same participants.
    """
    rows = Coverage.objects.filter(study=study, kind=kind)
    limit = slot_limit(study)
    room = Q() if limit is None else Q(n_assigned__lt=limit)
    free, mean_load = {}, {}
    for stratum, n_free, mean in (
        rows.order_by()
        .values_list("stratum")
        .annotate(n_free=Count("pk", filter=room), mean=Avg("n_assigned"))
        .order_by("stratum")
    ):
        free[stratum], mean_load[stratum] = n_free, float(mean)
    chosen = []
    for stratum, n in trials_per_stratum(
        free, mean_load, study.trials_per_participant, rng
    ).items():
        least = rows.filter(room, stratum=stratum).order_by("n_assigned", "shuffle", "pk")
        chosen += [
            Shown((image,), stratum) for image in least.values_list("study_image", flat=True)[:n]
        ]
    shuffles = {shown.images[0]: float(rng.random()) for shown in chosen}
    return Choice(chosen, shuffles)


def choose_sets(study: Study, kind: str, k: int, rng: np.random.Generator) -> Choice:
    """Sets of `k` different images, from those shown least so far, as far as there is room."""
    rows = Coverage.objects.filter(study=study, kind=kind).order_by("n_assigned", "shuffle", "pk")
    limit = slot_limit(study)
    loads = dict(rows.values_list("study_image", "n_assigned"))
    # Nobody sees an image in more trials than there are sets that can hold it apart.
    room = {
        image: study.trials_per_participant if limit is None else max(0, limit - load)
        for image, load in loads.items()
    }
    n_sets = max_sets(list(room.values()), k, study.trials_per_participant)
    drawn: list[int] = []
    while len(drawn) < n_sets * k:
        for image in sorted(loads, key=lambda image: loads[image]):
            if len(drawn) < n_sets * k and drawn.count(image) < min(room[image], n_sets):
                drawn.append(image)
    shuffles = {image: float(rng.random()) for image in dict.fromkeys(drawn)}
    sets = partition_into_sets(drawn, k, rng) if n_sets else []
    return Choice([Shown(images) for images in sets], shuffles)


def max_sets(room: Sequence[int], k: int, n_wanted: int) -> int:
    """How many sets of `k` different images can be made, each image at most `room` times."""
    n = n_wanted
    while n and sum(min(each, n) for each in room) < n * k:
        n -= 1
    return n


def choose_pairs(study: Study, balance: Balance) -> Choice:
    """Pairs that others gave back or passed over, then the next of the study's schedule.

    Nobody gets a pair twice: one that would repeat is passed over and stays open for others.
    """
    images = rated_images(study)
    schedule = PairSchedule(len(images), study.seed)
    end = pair_limit(study, len(images))
    given_back = [trial.pair for trial in queries.returned_pairs(study, balance.kind)]
    waiting = [*(pair for pair in given_back if pair is not None), *balance.open_pairs]
    n = min(study.trials_per_participant, schedule.n_pairs)
    # Within any n_pairs places of a double cycle every pair comes once, so these are enough.
    last = balance.next_pair + 2 * schedule.n_pairs + n
    fresh = range(
        balance.next_pair, last if end is None else max(balance.next_pair, min(last, end))
    )
    taken: list[int] = []
    met: set[frozenset[int]] = set()
    for slot in chain(waiting, fresh):
        if len(taken) == n:
            break
        shown = frozenset(schedule.pair(slot))
        if shown not in met:
            met.add(shown)
            taken.append(slot)
    used = [slot for slot in taken if slot >= balance.next_pair]
    passed_over = set(range(balance.next_pair, max(used) + 1)) - set(used) if used else set()
    balance.open_pairs = sorted((set(balance.open_pairs) - set(taken)) | passed_over)
    balance.next_pair = max([balance.next_pair, *(slot + 1 for slot in used)])
    return Choice(
        [
            Shown((images[left], images[right]), pair=slot)
            for slot in taken
            for left, right in [schedule.pair(slot)]
        ]
    )


def rated_images(study: Study) -> list[int]:
    """The study images to be rated, in the order in which the schedule of pairs numbers them."""
    rows = StudyImage.objects.filter(study=study, role=ImageRole.RATING)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def pair_limit(study: Study, n_images: int) -> int | None:
    """How many places of the schedule may be given out; None without a target."""
    limit = slot_limit(study)
    if limit is None:
        return None
    if study.target_unit == TargetUnit.PAIR:
        return limit * n_images * (n_images - 1) // 2
    return limit * n_images // 2


def in_order(study: Study, choice: Choice, number: int, rng: np.random.Generator) -> list[Shown]:
    strata = [shown.stratum for shown in choice.main]
    order = order_trials(strata, study.trial_order, rng, number)
    return [choice.main[i] for i in order]


def practice_trials(study: Study, participant: Participant, k: int) -> list[tuple[Trial, Shown]]:
    """Trials on the practice images, in their order, `k` images at a time."""
    if not study.blocks.filter(kind=BlockKind.PRACTICE).exists():
        return []
    images = list(
        StudyImage.objects.filter(study=study, role=ImageRole.PRACTICE)
        .order_by("position", "pk")
        .values_list("pk", flat=True)
    )
    return [
        (Trial(participant=participant, role=TrialRole.PRACTICE, position=position), Shown(shown))
        for position, shown in enumerate(zip(*[iter(images)] * k, strict=False), start=1)
    ]


def rating_trials(
    study: Study, participant: Participant, main: list[Shown], first: int, rng: np.random.Generator
) -> list[tuple[Trial, Shown]]:
    """Main trials with hidden repeats and checks between them, numbered from `first`."""
    checks = {check.pk: check for check in study.checks.order_by("pk")}
    n_repeats = min(study.n_repeats, max_repeats(len(main), study.repeat_lag))
    planned = plan_trials(
        range(len(main)),
        n_repeats=n_repeats,
        repeat_lag=study.repeat_lag,
        checks=list(checks),
        rng=rng,
    )
    trials = []
    for position, each in enumerate(planned, start=first):
        if each.role == "check":
            check = checks[each.item]
            shown = Shown((check.study_image_id,))
            trial = Trial(role=TrialRole.CHECK, check_asked=check)
        else:
            shown = main[each.item]
            trial = Trial(role=TrialRole(each.role), pair=shown.pair)
        trial.participant, trial.position = participant, position
        trials.append((trial, shown))
    return trials


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
    rng = np.random.default_rng(participant.seed)
    protocol = queries.protocol(study)
    k = n_images_together((question.kind, question.options) for question in protocol.questions)
    if k == 1:
        choice = choose_images(study, participant.kind, rng)
    elif k == 2:
        choice = choose_pairs(study, balance)
    else:
        choice = choose_sets(study, participant.kind, k, rng)
    if not choice.main:
        turn_away(participant, Outcome.OVER_QUOTA)
        return participant
    number = balance.n_started
    balance.n_started += 1
    balance.save(update_fields=["n_started", "next_pair", "open_pairs"])
    main = in_order(study, choice, number, rng)
    practice = practice_trials(study, participant, k)
    ratings = rating_trials(study, participant, main, len(practice) + 1, rng)
    create_trials([*practice, *ratings])
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
        data={
            "seed": participant.seed,
            "number": number,
            "trials": [
                [trial.role, trial.check_asked_id or list(shown.images)] for trial, shown in ratings
            ],
        },
    )
    return participant


def create_trials(planned: Sequence[tuple[Trial, Shown]]) -> None:
    for trial, shown in planned:
        trial.study_image_id = shown.images[0] if len(shown.images) == 1 else None
    Trial.objects.bulk_create(trial for trial, _ in planned)
    TrialImage.objects.bulk_create(
        TrialImage(trial=trial, study_image_id=image, place=place)
        for trial, shown in planned
        if len(shown.images) > 1
        for place, image in enumerate(shown.images, start=1)
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
