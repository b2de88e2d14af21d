import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from studies.stats import auc, ordered_trend

CLOSED_FORM = 1e-8


def assert_equals_r(result, expected, name):
    assert result.statistic == expected[name]
    assert result.expected == expected["expected"]
    assert result.variance == pytest.approx(expected["variance"], abs=CLOSED_FORM)
    assert result.z == pytest.approx(expected["z"], abs=CLOSED_FORM)
    assert result.p_increasing == pytest.approx(expected["p_increasing"], abs=CLOSED_FORM)


def test_jonckheere_equals_r(reference, likert_images):
    expected = reference["likert_crossed"]["jonckheere_image_mean_by_group"]
    result = ordered_trend(likert_images["image_mean"], likert_images["group_rank"])
    assert_equals_r(result, expected, "J")
    assert result.p == pytest.approx(expected["p_two_sided"], abs=CLOSED_FORM)
    assert result.interval[0] < result.estimate < result.interval[1]


def test_published_jonckheere_example(reference, hollander_wolfe):
    group = pd.factorize(hollander_wolfe["group"])[0]
    result = ordered_trend(hollander_wolfe["y"], group)
    assert_equals_r(result, reference["published"]["hollander_wolfe_jt"], "J")


def test_page_equals_r(reference, likert):
    expected = reference["likert_crossed"]["page_rater_by_group"]
    result = ordered_trend(likert["rating"], likert["group_rank"], block=likert["rater"])
    assert_equals_r(result, expected, "L")
    assert (result.n_blocks, result.n_groups) == (12, 3)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3)), min_size=3, max_size=25))
def test_jonckheere_is_the_test_of_kendalls_s(pairs):
    y, group = np.array(pairs, dtype=float).T
    result = ordered_trend(y, group)
    if np.unique(y).size < 2 or np.unique(group).size < 2:
        assert result.estimate is None
        return
    tau = stats.kendalltau(y, group, method="asymptotic")
    assert result.p == pytest.approx(tau.pvalue, abs=1e-10)
    assert np.sign(result.z).item() == pytest.approx(np.sign(round(tau.statistic, 12)))
    falling = ordered_trend(-y, group)
    assert falling.estimate == pytest.approx(1 - result.estimate, abs=1e-12)


def test_two_groups_give_the_auc_and_delongs_interval():
    rng = np.random.default_rng(1)
    y, inside = rng.integers(1, 8, 40), rng.integers(0, 2, 40)
    trend, area = ordered_trend(y, inside), auc(y, inside)
    assert trend.estimate == pytest.approx(area.estimate)
    assert trend.interval == pytest.approx(area.interval)


def test_page_agrees_with_scipy():
    rng = np.random.default_rng(2)
    table = rng.normal(size=(15, 4)) + np.arange(4) * 0.3
    blocks, groups = np.indices(table.shape)
    result = ordered_trend(table.ravel(), groups.ravel(), blocks.ravel())
    peer = stats.page_trend_test(table, method="asymptotic")
    assert result.statistic == peer.statistic
    assert result.p_increasing == pytest.approx(peer.pvalue)


def test_missing_values_and_incomplete_blocks_are_left_out():
    result = ordered_trend([1, 2, np.nan, 4, 5, 6], [1, 2, 1, 2, 1, 2], list("aabbcc"))
    assert (result.n, result.n_missing, result.n_blocks) == (5, 1, 2)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (([1, 2], [1, 1]), "fewer than two groups"),
        (([2, 2], [1, 2]), "all values are equal"),
        (([1, 2], [1, 2], ["a", "a"]), "1 blocks have every group"),
    ],
)
def test_undefined_trend_is_explained(arguments, reason):
    result = ordered_trend(*arguments)
    assert result.estimate is None
    assert reason in result.warnings[0]


def test_malformed_input_is_refused():
    with pytest.raises(ValueError, match="y and group must have the same length"):
        ordered_trend([1, 2], [1])
    with pytest.raises(ValueError, match="group must hold numbers"):
        ordered_trend([1, 2], ["low", "high"])
