"""Placing hidden repeats: the lag is kept, all is possible that can be, and equally likely."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.sequences import max_repeats
from studies.sequences.repeats import place_repeats


def placements(n_main, n_repeats, lag):
    """Every placement that keeps the lag, by trying them all."""
    found = []

    def extend(sequence, n_shown, repeated):
        if len(sequence) == n_main + n_repeats:
            found.append(tuple(sequence))
            return
        if n_shown < n_main:
            extend([*sequence, (n_shown, False)], n_shown + 1, repeated)
        if len(repeated) < n_repeats:
            for item in set(range(n_shown)) - repeated:
                if len(sequence) - sequence.index((item, False)) - 1 >= lag:
                    extend([*sequence, (item, True)], n_shown, repeated | {item})

    extend([], 0, frozenset())
    return found


@pytest.mark.parametrize("n_main", range(5))
@pytest.mark.parametrize("lag", range(1, 6))
def test_the_most_repeats_are_those_that_trying_finds(n_main, lag):
    possible = [n for n in range(n_main + 1) if placements(n_main, n, lag)]
    assert max_repeats(n_main, lag) == max(possible)
    assert possible == list(range(max(possible) + 1))


@given(st.integers(0, 25), st.data(), st.integers(0, 2**32))
@settings(deadline=None, max_examples=60)
def test_repeats_are_of_distinct_items_at_least_the_lag_later(n_main, data, seed):
    lag = data.draw(st.integers(1, 26))
    n_repeats = data.draw(st.integers(0, max_repeats(n_main, lag)))
    sequence, again = (
        place_repeats(n_main, n_repeats, lag, np.random.default_rng(seed)) for _ in range(2)
    )
    assert sequence == again
    assert [item for item, repeat in sequence if not repeat] == list(range(n_main))
    repeated = [item for item, repeat in sequence if repeat]
    assert len(repeated) == len(set(repeated)) == n_repeats
    for item in repeated:
        assert sequence.index((item, True)) - sequence.index((item, False)) - 1 >= lag


@pytest.mark.parametrize(
    ("n_main", "n_repeats", "lag"), [(4, 2, 1), (4, 4, 2), (5, 3, 3), (5, 4, 3), (6, 2, 3)]
)
def test_all_placements_are_equally_likely(n_main, n_repeats, lag):
    """A chi-square statistic, at most four standard deviations above its mean."""
    every = placements(n_main, n_repeats, lag)
    rng = np.random.default_rng(0)
    n_draws = 100 * len(every)
    counts = Counter(tuple(place_repeats(n_main, n_repeats, lag, rng)) for _ in range(n_draws))
    assert set(counts) == set(every)
    statistic = sum((n - 100) ** 2 / 100 for n in counts.values())
    freedom = len(every) - 1
    assert statistic < freedom + 4 * np.sqrt(2 * freedom)


def test_every_item_can_come_again_in_the_tightest_case():
    sequence = place_repeats(30, 30, 29, np.random.default_rng(0))
    assert sequence == [(i, False) for i in range(30)] + [(i, True) for i in range(30)]


@pytest.mark.parametrize(
    ("n_main", "n_repeats", "lag", "told"),
    [
        (5, 6, 2, "n_repeats must be at most 5 for 5 main trials and a lag of 2; got 6"),
        (5, 1, 5, "n_repeats must be at most 0 for 5 main trials and a lag of 5; got 1"),
        (5, -1, 2, "n_repeats must be at least 0; got -1"),
        (5, 1, 0, "lag must be at least 1; got 0"),
        (-1, 1, 1, "n_main must be at least 0; got -1"),
    ],
)
def test_what_cannot_be_met_is_refused_with_what_can(n_main, n_repeats, lag, told):
    with pytest.raises(ValueError, match=told):
        place_repeats(n_main, n_repeats, lag, np.random.default_rng(0))
