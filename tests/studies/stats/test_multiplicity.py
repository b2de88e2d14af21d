import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.stats import adjust_p_values

# R 4.2.2, p.adjust.
P = [0.01, 0.02, 0.03, 0.04, 0.05]
FAMILIES = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def test_equal_p_adjust_of_r():
    assert adjust_p_values(P).adjusted == pytest.approx((0.05, 0.08, 0.09, 0.09, 0.09))
    assert adjust_p_values(P, "benjamini-hochberg").adjusted == pytest.approx((0.05,) * 5)


@given(FAMILIES)
def test_adjusted_are_ordered_and_between_raw_and_bonferroni(p_values):
    raw = np.array(p_values)
    holm = np.array(adjust_p_values(p_values).adjusted)
    hochberg = np.array(adjust_p_values(p_values, "benjamini-hochberg").adjusted)
    assert np.all(raw <= hochberg + 1e-15)
    assert np.all(hochberg <= holm + 1e-12)
    assert np.all(holm <= np.minimum(1, raw.size * raw) + 1e-15)
    order = np.argsort(raw, kind="stable")
    assert np.all(np.diff(holm[order]) >= -1e-15)


@given(FAMILIES)
def test_holm_rejects_what_stepping_down_rejects(p_values):
    ordered = sorted(p_values)
    steps = [p <= 0.05 / (len(ordered) - place) for place, p in enumerate(ordered)]
    n_rejected = steps.index(False) if False in steps else len(steps)
    result = adjust_p_values(p_values)
    assert result.rejected == tuple(p <= 0.05 for p in result.adjusted)
    # At a threshold itself the two differ by rounding.
    if all(abs(p * (len(ordered) - k) - 0.05) > 1e-12 for k, p in enumerate(ordered)):
        assert sum(result.rejected) == n_rejected


def test_missing_p_is_not_counted_and_said():
    result = adjust_p_values([0.01, None, float("nan"), 0.03])
    assert result.adjusted == (0.02, None, None, 0.03)
    assert result.rejected == (True, False, False, True)
    assert result.n_tests == 2
    assert result.warnings == ("2 tests without a p-value are not counted in the family.",)
    assert adjust_p_values([]).adjusted == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.2],), "p_values must be in .0, 1.; got 1.2"),
        ((["much"],), "p_values must hold numbers"),
        (([0.1], "bonferroni"), "method must be one of 'holm'"),
        (([0.1], "holm", 1.0), "alpha must be between 0 and 1"),
    ],
)
def test_malformed_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        adjust_p_values(*arguments)
