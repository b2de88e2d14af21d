import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from studies.stats import auc, two_groups

CLOSED_FORM = 1e-8
ratings = st.lists(st.tuples(st.integers(1, 7), st.booleans()), min_size=1, max_size=40)


def test_subset_membership_equals_r(reference, likert_images):
    expected = reference["likert_crossed"]["in_subset_vs_not"]
    result = two_groups(likert_images["image_mean"], likert_images["in_subset"])
    assert (result.n_in_group, result.n_outside) == (expected["n1"], expected["n0"])
    assert result.u == expected["W"]
    assert result.p == pytest.approx(expected["p_continuity"], abs=CLOSED_FORM)
    assert result.estimate == pytest.approx(expected["cliffs_delta"], abs=CLOSED_FORM)
    assert result.interval == pytest.approx(expected["cliffs_delta_ci"], abs=CLOSED_FORM)
    assert result.auc == pytest.approx(expected["auc"], abs=CLOSED_FORM)
    assert not result.exact
    assert "normal approximation" in result.method


def test_delong_equals_r(reference, likert_images):
    expected = reference["likert_crossed"]["in_subset_vs_not"]
    result = auc(likert_images["image_mean"], likert_images["in_subset"])
    assert result.estimate == pytest.approx(expected["auc"], abs=CLOSED_FORM)
    assert result.standard_error == pytest.approx(expected["auc_delong_se"], abs=CLOSED_FORM)
    assert result.interval == pytest.approx(expected["auc_delong_ci"], abs=CLOSED_FORM)


@pytest.mark.parametrize("predictor", ["size", "score"])
def test_auc_for_the_majority_label_equals_r(reference, majority_images, predictor):
    expected = reference["categorical"]["auc_majority_creative"][predictor]
    scores = majority_images[f"subset_{predictor}"]
    creative = majority_images["majority"] == "creative"
    area, groups = auc(scores, creative), two_groups(scores, creative)
    assert area.estimate == pytest.approx(expected["auc"], abs=CLOSED_FORM)
    assert area.interval == pytest.approx(expected["auc_delong_ci"], abs=CLOSED_FORM)
    assert groups.interval == pytest.approx(expected["cliffs_delta_ci"], abs=CLOSED_FORM)
    # R's approximate p, where no two scores tie and ours is exact.
    if not groups.exact:
        assert groups.p == pytest.approx(expected["p_continuity"], abs=CLOSED_FORM)


def test_small_samples_without_ties_are_tested_exactly():
    y, inside = [1, 2, 3, 4, 5, 6, 7], [0, 0, 0, 0, 1, 1, 1]
    result = two_groups(y, inside)
    assert result.exact
    assert "exact" in result.method
    # Two of the 35 ways to choose three of seven are as extreme.
    assert result.p == pytest.approx(2 / 35)


@settings(max_examples=60, deadline=None)
@given(ratings)
def test_area_agrees_with_scikit_learn_and_flips_with_the_groups(pairs):
    y, inside = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    result, flipped = two_groups(y, inside), two_groups(y, ~inside)
    if inside.all() or not inside.any():
        assert result.estimate is None
        assert auc(y, inside).estimate is None
        return
    assert result.auc == pytest.approx(roc_auc_score(inside, y), abs=1e-12)
    assert auc(y, inside).estimate == pytest.approx(result.auc, abs=1e-12)
    assert result.estimate == pytest.approx(2 * result.auc - 1, abs=1e-12)
    assert flipped.estimate == pytest.approx(-result.estimate, abs=1e-12)
    if result.interval is not None:
        low, high = result.interval
        assert -1 <= low <= result.estimate <= high <= 1


def test_null_p_values_are_uniform():
    rng = np.random.default_rng(4)
    p_values = [two_groups(rng.normal(size=120), np.arange(120) < 60).p for _ in range(300)]
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_missing_ratings_are_dropped_and_counted():
    result = two_groups([1.0, np.nan, 3.0, 4.0], [0, 0, 1, 1])
    assert (result.n_in_group, result.n_outside, result.n_missing) == (2, 1, 1)


def test_empty_group_is_explained():
    result = two_groups([1, 2, 3], [1, 1, 1])
    assert result.estimate is None
    assert "outside the group" in result.warnings[0]
    assert result.to_dict()["p"] is None


def test_equal_values_differ_in_nothing():
    result = two_groups([2, 2, 2, 2], [0, 1, 0, 1])
    assert (result.estimate, result.p) == (0.0, 1.0)


def test_separated_groups_say_that_the_interval_is_missing_or_too_narrow():
    y, inside = [1, 2, 3, 7, 8, 9], [0, 0, 0, 1, 1, 1]
    assert two_groups(y, inside).interval is None
    assert "overlap" in two_groups(y, inside).warnings[0]
    area = auc(y, inside)
    assert area.interval == (1.0, 1.0)
    assert "understates" in area.warnings[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [0, 1, 1]), "same length"),
        (([1, np.inf], [0, 1]), "y must hold finite numbers"),
        (([1, 2], [True, None]), "in_group must not have missing values"),
        (([1, 2], [0, 2]), "in_group must hold only true and false"),
    ],
)
def test_malformed_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        two_groups(*arguments)
