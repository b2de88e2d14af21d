"""A participant's whole sequence."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.sequences import Planned, max_repeats, plan_trials


@st.composite
def plans(draw):
    main = draw(st.lists(st.integers(), min_size=1, max_size=20, unique=True))
    lag = draw(st.integers(1, len(main)))
    n_repeats = draw(st.integers(0, max_repeats(len(main), lag)))
    checks = draw(st.lists(st.integers(), max_size=50))
    seed = draw(st.integers(0, 2**32))
    return main, n_repeats, lag, checks, seed


def planned(main, n_repeats, lag, checks, seed):
    return plan_trials(
        main,
        n_repeats=n_repeats,
        repeat_lag=lag,
        checks=checks,
        rng=np.random.default_rng(seed),
    )


def items(trials, role):
    return [trial.item for trial in trials if trial.role == role]


@given(plans())
@settings(deadline=None)
def test_all_that_was_asked_for_is_there_and_main_trials_keep_their_order(plan):
    main, n_repeats, _, checks, _ = plan
    trials = planned(*plan)
    assert trials == planned(*plan)
    assert items(trials, "main") == main
    assert sorted(items(trials, "check")) == sorted(checks)
    repeats = items(trials, "repeat")
    assert len(repeats) == len(set(repeats)) == n_repeats
    assert len(trials) == len(main) + n_repeats + len(checks)


@given(plans())
@settings(deadline=None)
def test_the_lag_is_kept(plan):
    trials = planned(*plan)
    for item in items(trials, "repeat"):
        first, second = (trials.index(Planned(role, item)) for role in ("main", "repeat"))
        assert second - first - 1 >= plan[2]


@given(plans())
@settings(deadline=None)
def test_checks_are_never_first_and_in_a_row_only_where_it_must_be(plan):
    trials = planned(*plan)
    is_check = [trial.role == "check" for trial in trials]
    assert not is_check[0]
    n_others = is_check.count(False)
    if sum(is_check) <= n_others:
        assert not any(one and other for one, other in pairwise(is_check))
    longest = max(len(run) for run in "".join("x" if c else " " for c in is_check).split(" "))
    assert longest <= -(-sum(is_check) // n_others)


@given(plans())
@settings(deadline=None)
def test_each_equal_segment_of_the_other_trials_has_one_check(plan):
    trials = planned(*plan)
    n_others = sum(trial.role != "check" for trial in trials)
    n_checks = len(trials) - n_others
    n_before = 0
    after = []
    for trial in trials:
        if trial.role == "check":
            after.append(n_before - 1)
        else:
            n_before += 1
    for segment, place in enumerate(after):
        assert segment * n_others // n_checks <= place
        assert place <= max(segment * n_others, (segment + 1) * n_others - 1) // n_checks


def test_checks_come_in_any_order_and_at_every_place():
    seen = {
        tuple((t.role, t.item) for t in planned([1, 2, 3, 4], 0, 1, [8, 9], seed))
        for seed in range(200)
    }
    # Two orders, two places in each half.
    assert len(seen) == 8


def test_without_repeats_the_lag_is_not_looked_at():
    assert planned([3, 1], 0, 0, [], 0) == [Planned("main", 3), Planned("main", 1)]
    assert planned([], 0, 0, [], 0) == []


@pytest.mark.parametrize(
    ("main", "n_repeats", "checks", "told"),
    [
        ([1, 2, 1], 0, [], "main must hold distinct items; got 1 again"),
        ([], 0, [7], "main must not be empty if there are checks; got 1 checks"),
        ([1, 2, 3], 1, [7], "n_repeats must be at most 0 for 3 main trials and a lag of 3; got 1"),
    ],
)
def test_impossible_plans_are_refused(main, n_repeats, checks, told):
    with pytest.raises(ValueError, match=told):
        planned(main, n_repeats, 3, checks, 0)
