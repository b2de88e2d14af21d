"""What one participant is shown: decided by a seed and by how often each image was assigned.

Nothing here writes. `assign_trials` asks it with the counts of the database under a lock,
`replay_assignment` with counts that it rebuilds from the log, and both get the same.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol

import numpy as np
from django.db.models import Avg, Count, Q

from studies import queries
from studies.models import (
    Balance,
    Check,
    Coverage,
    ImageRole,
    Study,
    StudyImage,
    TargetUnit,
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
from studies.services.slots import slot_limit


@dataclass(frozen=True)
class Shown:
    """What one trial shows: study images from left to right, and a pair's place if it is one."""

    images: tuple[int, ...]
    stratum: str = ""
    pair: int | None = None


@dataclass(frozen=True)
class PlannedTrial:
    role: TrialRole
    shown: Shown
    check: int | None = None


@dataclass
class Choice:
    """The images of the main trials, and the new `shuffle` of each image that was chosen.

    An image that is chosen gets another `shuffle`, so that no two images keep meeting the
    same participants.
    """

    main: list[Shown]
    shuffles: dict[int, float] = field(default_factory=dict)

    def counts(self) -> Counter[int]:
        return Counter(image for shown in self.main for image in shown.images)


class Loads(Protocol):
    """How often each image of a study has been assigned to one kind of participants."""

    def per_stratum(self, limit: int | None) -> Mapping[str, tuple[int, float]]:
        """Stratum → how many images may be assigned once more, and the mean of all."""
        ...

    def least(self, stratum: str, n: int, limit: int | None) -> list[int]:
        """The `n` images of `stratum` that were assigned least, equals by their shuffle."""
        ...

    def every(self) -> dict[int, int]:
        """Image → how often it was assigned, least first, equals by their shuffle."""
        ...


class StoredLoads:
    """Loads as the database has them."""

    def __init__(self, study: Study, kind: str) -> None:
        self.rows = Coverage.objects.filter(study=study, kind=kind)

    def per_stratum(self, limit: int | None) -> Mapping[str, tuple[int, float]]:
        room = Q() if limit is None else Q(n_assigned__lt=limit)
        rows = (
            self.rows.order_by()
            .values_list("stratum")
            .annotate(n_free=Count("pk", filter=room), mean=Avg("n_assigned"))
        )
        return {stratum: (n_free, float(mean)) for stratum, n_free, mean in rows}

    def least(self, stratum: str, n: int, limit: int | None) -> list[int]:
        rows = self.rows.filter(stratum=stratum)
        if limit is not None:
            rows = rows.filter(n_assigned__lt=limit)
        ordered = rows.order_by("n_assigned", "shuffle", "pk")
        return list(ordered.values_list("study_image", flat=True)[:n])

    def every(self) -> dict[int, int]:
        ordered = self.rows.order_by("n_assigned", "shuffle", "pk")
        return dict(ordered.values_list("study_image", "n_assigned"))


def choose_images(study: Study, loads: Loads, rng: np.random.Generator) -> Choice:
    """The least-assigned images of each stratum."""
    limit = slot_limit(study)
    strata = loads.per_stratum(limit)
    dealt = trials_per_stratum(
        {stratum: n_free for stratum, (n_free, _) in strata.items()},
        {stratum: mean for stratum, (_, mean) in strata.items()},
        study.trials_per_participant,
        rng,
    )
    chosen = [
        Shown((image,), stratum)
        for stratum, n in sorted(dealt.items())
        for image in loads.least(stratum, n, limit)
    ]
    return Choice(chosen, {shown.images[0]: float(rng.random()) for shown in chosen})


def choose_sets(study: Study, loads: Loads, k: int, rng: np.random.Generator) -> Choice:
    """Sets of `k` different images, from those shown least so far, as far as there is room."""
    limit = slot_limit(study)
    assigned = loads.every()
    # Nobody sees an image in more trials than there are sets that can hold it apart.
    room = {
        image: study.trials_per_participant if limit is None else max(0, limit - n)
        for image, n in assigned.items()
    }
    n_sets = max_sets(list(room.values()), k, study.trials_per_participant)
    drawn: Counter[int] = Counter()
    while drawn.total() < n_sets * k:
        for image in assigned:
            if drawn.total() < n_sets * k and drawn[image] < min(room[image], n_sets):
                drawn[image] += 1
    shuffles = {image: float(rng.random()) for image in drawn}
    sets = partition_into_sets(sorted(drawn.elements()), k, rng) if n_sets else []
    return Choice([Shown(images) for images in sets], shuffles)


def max_sets(room: Sequence[int], k: int, n_wanted: int) -> int:
    """How many sets of `k` different images can be made, each image at most `room` times."""
    n = n_wanted
    while n and sum(min(each, n) for each in room) < n * k:
        n -= 1
    return n


def choose_pairs(study: Study, balance: Balance, given_back: Iterable[int]) -> Choice:
    """Pairs that others gave back or passed over, then the next of the study's schedule.

    Nobody gets a pair twice: one that would repeat is passed over and stays open for others.
    `balance` is moved on, not saved.
    """
    images = rated_images(study)
    schedule = PairSchedule(len(images), study.seed)
    end = pair_limit(study, len(images))
    n = min(study.trials_per_participant, schedule.n_pairs)
    # Within two cycles from anywhere every pair comes, so these are enough.
    last = balance.next_pair + 2 * schedule.n_pairs + n
    fresh = range(
        balance.next_pair, last if end is None else max(balance.next_pair, min(last, end))
    )
    taken: list[int] = []
    met: set[frozenset[int]] = set()
    for slot in chain(given_back, balance.open_pairs, fresh):
        if len(taken) == n:
            break
        shown = frozenset(schedule.pair(slot))
        if shown not in met:
            met.add(shown)
            taken.append(slot)
    used = {slot for slot in taken if slot >= balance.next_pair}
    passed_over = set(range(balance.next_pair, max(used) + 1)) - used if used else set()
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


def planned_trials(
    study: Study,
    choice: Choice,
    checks: Sequence[Check],
    number: int,
    rng: np.random.Generator,
) -> list[PlannedTrial]:
    """The main trials in their order, with hidden repeats and checks between them."""
    strata = [shown.stratum for shown in choice.main]
    order = order_trials(strata, study.trial_order, rng, number)
    main = [choice.main[i] for i in order]
    planned = plan_trials(
        range(len(main)),
        n_repeats=min(study.n_repeats, max_repeats(len(main), study.repeat_lag)),
        repeat_lag=study.repeat_lag,
        checks=range(len(checks)),
        rng=rng,
    )
    trials = []
    for each in planned:
        if each.role == "check":
            check = checks[each.item]
            shown = Shown((check.study_image_id,))
            trials.append(PlannedTrial(TrialRole.CHECK, shown, check.pk))
        else:
            trials.append(PlannedTrial(TrialRole(each.role), main[each.item]))
    return trials


def plan_participation(
    study: Study,
    *,
    seed: int,
    number: int,
    loads: Loads,
    balance: Balance,
    given_back: Iterable[int],
) -> tuple[Choice, list[PlannedTrial]]:
    """Everything that a participant will rate, in order; nothing where no slot is left.

    `given_back` are places of the schedule of pairs that nobody holds any more. `balance` is
    moved on where pairs are taken, not saved.
    """
    rng = np.random.default_rng(seed)
    protocol = queries.protocol(study)
    k = n_images_together((question.kind, question.options) for question in protocol.questions)
    if k == 1:
        choice = choose_images(study, loads, rng)
    elif k == 2:
        choice = choose_pairs(study, balance, given_back)
    else:
        choice = choose_sets(study, loads, k, rng)
    if not choice.main:
        return choice, []
    checks = list(study.checks.order_by("pk"))
    return choice, planned_trials(study, choice, checks, number, rng)
