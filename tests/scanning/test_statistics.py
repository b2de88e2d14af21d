"""Scan statistics, public and compiled, against their definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanning import STATISTICS
from scanning._statistics_numba import phi
from tests import reference


@pytest.mark.parametrize("name", STATISTICS)
@given(alpha=st.floats(1e-9, 1.0), n=st.integers(1, 10_000), share=st.floats(0, 1))
@settings(max_examples=200, deadline=None)
def test_equal_the_definition(name, alpha, n, share):
    n_alpha = round(share * n)
    expected = reference.statistic(name, alpha, n_alpha, n)
    tolerance = {"rel": 1e-9, "abs": 1e-9 * max(1, n**0.5)}
    assert float(STATISTICS[name](alpha, n_alpha, n)) == pytest.approx(expected, **tolerance)
    code = list(STATISTICS).index(name)
    assert phi(code, alpha, float(n_alpha), float(n)) == pytest.approx(expected, **tolerance)


@pytest.mark.parametrize("name", STATISTICS)
def test_are_zero_without_excess_at_alpha_one_and_for_nothing(name):
    statistic = STATISTICS[name]
    np.testing.assert_array_equal(statistic(0.5, [0, 1, 2], 4), 0)
    assert statistic(1.0, 4, 4) == 0
    assert statistic(0.5, 0, 0) == 0


def test_berk_jones_limit_where_every_pvalue_is_small():
    assert STATISTICS["berk_jones"](0.2, 7, 7) == pytest.approx(7 * np.log(5))
