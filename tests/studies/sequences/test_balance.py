"""Trials per stratum."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.sequences import trials_per_stratum

capacities = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 12), min_size=1)
loads = st.fixed_dictionaries(dict.fromkeys("abcdef", st.sampled_from([0.0, 0.5, 1.0, 7.25])))


@given(capacities, loads, st.integers(0, 60), st.integers(0, 2**32))
def test_strata_get_equally_many_trials_as_far_as_they_reach(free, mean_load, n_trials, seed):
    taken = trials_per_stratum(free, mean_load, n_trials, np.random.default_rng(seed))
    assert taken == trials_per_stratum(free, mean_load, n_trials, np.random.default_rng(seed))
    assert list(taken) == sorted(free)
    assert sum(taken.values()) == min(n_trials, sum(free.values()))
    most = max(taken.values())
    for stratum, n in taken.items():
        assert n in {min(free[stratum], most), max(0, min(free[stratum], most - 1))}


@given(capacities, loads, st.integers(0, 60), st.integers(0, 2**32))
def test_a_stratum_with_images_left_gets_no_fewer_than_one_with_more_load(
    free, mean_load, n_trials, seed
):
    taken = trials_per_stratum(free, mean_load, n_trials, np.random.default_rng(seed))
    for stratum in free:
        for heavier in free:
            if mean_load[stratum] < mean_load[heavier] and taken[stratum] < free[stratum]:
                assert taken[stratum] >= taken[heavier]


def test_equal_loads_are_decided_at_random():
    rng = np.random.default_rng(0)
    even = dict.fromkeys("abc", 1.0)
    chosen = Counter(
        stratum
        for _ in range(3_000)
        for stratum, n in trials_per_stratum(dict.fromkeys("abc", 2), even, 1, rng).items()
        if n
    )
    assert all(abs(chosen[stratum] - 1_000) < 4 * np.sqrt(1_000) for stratum in "abc")


@pytest.mark.parametrize(
    ("free", "mean_load", "n_trials", "told"),
    [
        ({"a": 1}, {"a": 0.0}, -1, "n_trials must be at least 0; got -1"),
        ({"a": -1}, {"a": 0.0}, 1, "free must be at least 0; got -1 for 'a'"),
        ({"a": 1}, {}, 1, "mean_load must name every stratum; 'a' is missing"),
    ],
)
def test_impossible_arguments_are_refused(free, mean_load, n_trials, told):
    with pytest.raises(ValueError, match=told):
        trials_per_stratum(free, mean_load, n_trials, np.random.default_rng(0))
