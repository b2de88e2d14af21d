"""Orders of presentation."""

from collections import Counter
from itertools import groupby, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.sequences import POLICIES, order_trials, williams_rows

strata_lists = st.lists(st.sampled_from(["a", "b", "c", "d", "é"]), max_size=30)


@given(strata_lists, st.sampled_from(POLICIES), st.integers(0, 2**32), st.integers(0, 1000))
def test_every_trial_comes_once_and_the_seed_decides_the_order(strata, policy, seed, number):
    once, again = (
        order_trials(strata, policy, np.random.default_rng(seed), number) for _ in range(2)
    )
    assert once == again
    assert sorted(once) == list(range(len(strata)))


@given(strata_lists, st.sampled_from(["blocked", "williams"]), st.integers(0, 2**32))
def test_each_stratum_is_one_block(strata, policy, seed):
    order = order_trials(strata, policy, np.random.default_rng(seed), seed)
    blocks = [stratum for stratum, _ in groupby(strata[index] for index in order)]
    assert sorted(blocks) == sorted(set(strata))


@given(st.integers(1, 9), st.integers(0, 2**32))
def test_one_trial_per_stratum_under_williams_is_the_design_over_the_trials(n, seed):
    rng = np.random.default_rng(seed)
    names = [f"stratum {i}" for i in range(n)]
    rows = williams_rows(n)
    assert [order_trials(names, "williams", rng, i) for i in range(len(rows))] == rows


def frequencies(strata, policy, n, number=0):
    rng = np.random.default_rng(3)
    return Counter(tuple(order_trials(strata, policy, rng, number)) for _ in range(n))


def chi_square(counts, n_cells):
    expected = counts.total() / n_cells
    assert len(counts) == n_cells
    return sum((n - expected) ** 2 / expected for n in counts.values())


def test_random_orders_are_equally_likely():
    """56 is beyond the 0.9999 quantile on 23 degrees of freedom."""
    counts = frequencies(["a", "a", "b", "c"], "random", 4_800)
    assert set(counts) == set(permutations(range(4)))
    assert chi_square(counts, 24) < 56


def test_orders_of_blocks_and_inside_them_are_equally_likely():
    """30 is beyond the 0.9999 quantile on 7 degrees of freedom, 16 on 1."""
    assert chi_square(frequencies(["a", "b", "a", "b"], "blocked", 4_800), 8) < 30
    assert chi_square(frequencies(["a", "b", "a"], "williams", 4_800, number=1), 2) < 16


def test_an_unknown_policy_is_refused():
    with pytest.raises(ValueError, match="random, blocked, williams; got 'sorted'"):
        order_trials(["a"], "sorted", np.random.default_rng(0), 0)


def test_a_negative_participant_number_is_refused():
    with pytest.raises(ValueError, match="at least 0; got -1"):
        order_trials(["a"], "williams", np.random.default_rng(0), -1)
