"""Williams designs: balanced for places and for neighbours."""

from collections import Counter
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.sequences import williams_row, williams_rows

sizes = st.integers(1, 25)


@given(sizes)
def test_each_treatment_comes_once_in_each_row(n):
    rows = williams_rows(n)
    assert len(rows) == (n if n % 2 == 0 else 2 * n)
    assert all(sorted(row) == list(range(n)) for row in rows)


@given(sizes)
def test_each_treatment_is_equally_often_at_each_place(n):
    rows = williams_rows(n)
    for start in range(0, len(rows), n):
        for place in zip(*rows[start : start + n], strict=True):
            assert sorted(place) == list(range(n))


@given(sizes)
def test_each_treatment_comes_equally_often_directly_before_each_other(n):
    rows = williams_rows(n)
    neighbours = Counter(pair for row in rows for pair in pairwise(row))
    assert neighbours == dict.fromkeys(permutations(range(n), 2), len(rows) // n)


@given(sizes, st.integers(0, 10**6))
def test_rows_are_taken_in_turn(n, index):
    rows = williams_rows(n)
    assert williams_row(n, index) == rows[index % len(rows)]


def test_four_treatments_equal_the_published_square():
    """Williams (1949), up to the order of rows: 0 1 3 2 and its cyclic shifts."""
    assert williams_rows(4) == [[0, 1, 3, 2], [1, 2, 0, 3], [2, 3, 1, 0], [3, 0, 2, 1]]


@pytest.mark.parametrize(
    ("n", "index", "told"),
    [(0, 0, "n must be at least 1; got 0"), (3, -1, "index must be at least 0; got -1")],
)
def test_impossible_arguments_are_refused(n, index, told):
    with pytest.raises(ValueError, match=told):
        williams_row(n, index)
