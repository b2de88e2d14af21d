"""The schedule of pairs: every pair once per cycle, images and sides balanced all along."""

from collections import Counter
from itertools import combinations, count, islice

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from studies.sequences import PairSchedule

schedules = st.builds(PairSchedule, st.integers(2, 21), st.integers(0, 2**70))


def unordered(schedule, slots):
    return [frozenset(schedule.pair(slot)) for slot in slots]


def cycle(schedule, number):
    return range(number * schedule.n_pairs, (number + 1) * schedule.n_pairs)


@given(schedules, st.integers(0, 5))
def test_a_cycle_holds_every_pair_once(schedule, number):
    every = [frozenset(pair) for pair in combinations(range(schedule.n_images), 2)]
    assert Counter(unordered(schedule, cycle(schedule, number))) == Counter(every)


@given(schedules)
@settings(deadline=None)
def test_appearances_differ_by_at_most_one_after_every_slot(schedule):
    shown = np.zeros(schedule.n_images, int)
    for slot in range(3 * schedule.n_pairs):
        shown[list(schedule.pair(slot))] += 1
        assert np.ptp(shown) <= 1


@given(schedules)
@settings(deadline=None)
def test_left_and_right_differ_by_at_most_the_stated_bound_after_every_slot(schedule):
    left_less_right = np.zeros(schedule.n_images, int)
    for slot in range(4 * schedule.n_pairs):
        left, right = schedule.pair(slot)
        left_less_right[left] += 1
        left_less_right[right] -= 1
        second = (slot // schedule.n_pairs) % 2 == 1
        bound = 2 if schedule.n_images % 2 == 0 and second else 1
        assert np.abs(left_less_right).max() <= bound
    assert not left_less_right.any()


@given(schedules, st.integers(0, 3))
def test_two_cycles_show_each_pair_once_either_way_round(schedule, epoch):
    first, second = cycle(schedule, 2 * epoch), cycle(schedule, 2 * epoch + 1)
    for slot, later in zip(first, second, strict=True):
        assert schedule.pair(slot) == schedule.pair(later)[::-1]


@given(schedules, st.data())
def test_a_cycles_length_of_slots_holds_every_pair_wherever_it_starts_in_two_cycles(schedule, data):
    start = data.draw(st.integers(0, schedule.n_pairs))
    window = range(start, start + schedule.n_pairs)
    assert len(set(unordered(schedule, window))) == schedule.n_pairs


@given(schedules, st.integers(0, 3))
def test_a_run_of_just_under_half_as_many_slots_as_images_shows_no_image_twice(schedule, number):
    last_slot = {}
    for slot in cycle(schedule, number):
        for image in schedule.pair(slot):
            if image in last_slot:
                assert slot - last_slot[image] >= (schedule.n_images - 1) // 2
            last_slot[image] = slot


def test_each_two_cycles_and_each_seed_number_the_images_afresh():
    starts = {
        tuple(PairSchedule(20, seed).pair(190 * 2 * epoch + slot) for slot in range(10))
        for seed in range(5)
        for epoch in range(5)
    }
    assert len(starts) == 25


def test_over_seeds_every_ordered_pair_is_first_equally_often():
    """A chi-square statistic on 19 degrees of freedom; 50 is beyond its 0.9999 quantile."""
    firsts = Counter(PairSchedule(5, seed).pair(0) for seed in range(4_000))
    assert len(firsts) == 20
    assert sum((n - 200) ** 2 / 200 for n in firsts.values()) < 50


@pytest.mark.parametrize(
    ("n_images", "slots", "pairs"),
    [
        (5, (0, 1, 2, 10, 20, 21), [(0, 1), (4, 2), (3, 0), (1, 0), (2, 3), (4, 1)]),
        (6, (0, 1, 2, 15, 30, 31), [(0, 1), (2, 3), (5, 4), (1, 0), (2, 1), (4, 5)]),
    ],
)
def test_a_seeds_schedule_stays_what_it_was(n_images, slots, pairs):
    """A running study goes on with its schedule after an update, of numpy too."""
    schedule = PairSchedule(n_images, 7)
    assert [schedule.pair(slot) for slot in slots] == pairs


def test_a_hundred_thousand_images_need_no_table_of_pairs():
    schedule = PairSchedule(100_000, 3)
    slots = [slot * 49_999 for slot in range(2_000)]
    assert len(set(unordered(schedule, slots))) == len(slots)


@given(schedules, st.integers(0, 2000), st.integers(0, 60))
def test_one_participant_sees_no_pair_twice_before_all_have_been_seen(schedule, start, n_trials):
    taken = schedule.without_repeats(count(start), n_trials)
    assert taken == sorted(set(taken))
    shown = Counter(unordered(schedule, taken))
    whole, rest = divmod(n_trials, schedule.n_pairs)
    every = [shown[frozenset(pair)] for pair in combinations(range(schedule.n_images), 2)]
    assert sorted(every, reverse=True) == [whole + 1] * rest + [whole] * (schedule.n_pairs - rest)


@given(schedules, st.integers(0, 500), st.integers(1, 20), st.integers(1, 20))
def test_what_a_participant_has_seen_before_is_passed_over(schedule, start, n_before, n_trials):
    assume(n_before + n_trials <= schedule.n_pairs)
    before = schedule.without_repeats(count(start), n_before)
    seen = [schedule.pair(slot) for slot in before]
    later = schedule.without_repeats(count(start), n_trials, seen)
    # The same as going on: the first slots, in order, of pairs that are new.
    assert before + later == schedule.without_repeats(count(start), n_before + n_trials)


@given(schedules, st.integers(0, 500))
def test_slots_are_passed_over_only_for_a_repeat(schedule, start):
    n_trials = min(schedule.n_pairs, 15)
    taken = schedule.without_repeats(count(start), n_trials)
    for slot in set(range(start, taken[-1])) - set(taken):
        earlier = [other for other in taken if other < slot]
        assert frozenset(schedule.pair(slot)) in unordered(schedule, earlier)


def test_participants_one_after_the_other_leave_no_slot_unused():
    """Given-back and passed-over slots first, then new ones: whole cycles are used up."""
    schedule = PairSchedule(6, 2)
    open_slots, next_slot, used = [], 0, []
    for _ in range(60):
        candidates = [*open_slots, *range(next_slot, next_slot + 60)]
        taken = schedule.without_repeats(candidates, 7)
        next_slot = max(next_slot, max(taken) + 1)
        used += taken
        open_slots = sorted(set(range(next_slot)) - set(used))
        assert len(open_slots) <= 7
    assert len(set(used)) == len(used) == 420


def test_too_few_candidates_are_refused_with_their_number():
    schedule = PairSchedule(4, 0)
    with pytest.raises(ValueError, match="3 slots without a repeated pair; got 2"):
        schedule.without_repeats([0, 6, 1, 7], 3)


@pytest.mark.parametrize(
    ("n_images", "seed", "told"),
    [(1, 0, "n_images must be at least 2; got 1"), (2, -1, "seed must be at least 0; got -1")],
)
def test_impossible_schedules_are_refused(n_images, seed, told):
    with pytest.raises(ValueError, match=told):
        PairSchedule(n_images, seed)


def test_a_negative_slot_is_refused():
    with pytest.raises(ValueError, match="slot must be at least 0; got -1"):
        PairSchedule(3, 0).pair(-1)


def test_endless_candidates_are_read_no_further_than_needed():
    candidates = count()
    PairSchedule(5, 0).without_repeats(candidates, 3)
    assert list(islice(candidates, 1)) == [3]
