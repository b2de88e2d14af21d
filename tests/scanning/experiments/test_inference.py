"""What several models say together, and verdicts by rule."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, ttest_1samp

from scanning.experiments.inference import benjamini_hochberg, decide, holm, over_seeds, verdict


@given(values=st.lists(st.floats(-1, 1).map(lambda x: round(x, 3)), min_size=2, max_size=8))
def test_test_over_models_is_students(values):
    found = over_seeds(values, null=0.1)
    assert found["mean"] == pytest.approx(np.mean(values))
    if np.std(values) > 1e-9:
        assert found["p"] == pytest.approx(ttest_1samp(values, 0.1).pvalue, rel=1e-6)
    assert found["low"] <= found["mean"] + 1e-9
    assert found["high"] >= found["mean"] - 1e-9


def test_one_model_alone_has_no_test():
    found = over_seeds([0.8], [[0.7, 0.8, 0.9]], null=0.5)
    assert found["p"] is None
    assert found["d"] is None
    assert 0.7 <= found["low"] <= found["high"] <= 0.9


def test_draws_within_models_widen_the_interval():
    values = [0.6, 0.61, 0.62]
    rng = np.random.default_rng(0)
    wide = over_seeds(values, [list(rng.normal(v, 0.2, 200)) for v in values])
    narrow = over_seeds(values)
    assert wide["high"] - wide["low"] > 2 * (narrow["high"] - narrow["low"])


@given(pvalues=st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_monotone_and_never_below(pvalues):
    adjusted = holm(pvalues)
    assert all(a >= p - 1e-9 for a, p in zip(adjusted, pvalues, strict=True))
    order = np.argsort(pvalues, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= -1e-9).all()


@given(pvalues=st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_false_discovery_rate_is_scipys(pvalues):
    expected = false_discovery_control(pvalues)
    np.testing.assert_allclose(benjamini_hochberg(pvalues), expected, atol=1e-9)


def row(mean, p, **rest):
    return {"mean": mean, "low": mean - 0.1, "high": mean + 0.1, "p": p, **rest}


def test_rows_hold_are_reversed_or_undecided():
    rows = [row(0.9, 1e-6), row(0.1, 1e-6), row(0.9, 0.06), row(0.55, 1e-6), row(0.9, None)]
    rows.append(row(0.99, 1e-9, is_control=True))
    decide(rows, null=0.5)
    said = [one["says"] for one in rows]
    assert said == ["held", "reversed", "undecided", "undecided", "undecided", "control"]


def test_main_settings_are_held_to_a_stricter_rule_among_themselves():
    rows = [row(0.9, p, is_main=main) for p in (0.001, 0.02, 0.04) for main in (True, False)]
    decide(rows, null=0.5)
    assert [one["p_adjusted"] for one in rows if one["is_main"]] == [0.003, 0.04, 0.04]
    assert [one["adjusted_by"] for one in rows[:2]] == ["Holm", "Benjamini-Hochberg"]
    assert rows[1]["p_adjusted"] == 0.003
    assert rows[5]["p_adjusted"] == 0.04


@pytest.mark.parametrize(
    ("n_held", "n_reversed", "n_undecided", "expected"),
    [
        (8, 0, 2, "held"),
        (8, 1, 1, "mixed"),
        (1, 2, 7, "did not hold"),
        (1, 1, 8, "not decided"),
        (4, 3, 3, "mixed"),
        (0, 0, 0, "not tested"),
    ],
)
def test_verdicts_follow_the_rules(n_held, n_reversed, n_undecided, expected):
    said = ["held"] * n_held + ["reversed"] * n_reversed + ["undecided"] * n_undecided
    found = verdict([{"says": word} for word in [*said, "control"]])
    assert found["verdict"] == expected
    assert found["n"] == n_held + n_reversed + n_undecided
