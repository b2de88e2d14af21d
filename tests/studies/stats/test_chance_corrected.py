import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.stats import fleiss_kappa, gwet_ac

CLOSED_FORM = 1e-8


@pytest.fixture(scope="module")
def matrices(likert, categorical):
    return {
        "likert": likert.pivot(index="rater", columns="image", values="rating"),
        "complete": categorical.pivot(index="rater", columns="image", values="label"),
        "missing": categorical.pivot(index="rater", columns="image", values="label_missing"),
    }


def assert_equals_r(result, expected):
    assert result.estimate == pytest.approx(expected["coef"], abs=CLOSED_FORM)
    assert result.observed_agreement == pytest.approx(expected["pa"], abs=CLOSED_FORM)
    assert result.chance_agreement == pytest.approx(expected["pe"], abs=CLOSED_FORM)
    assert result.standard_error == pytest.approx(expected["se"], abs=1e-5)
    assert result.interval == pytest.approx((expected["lower"], expected["upper"]), abs=1e-3)


@pytest.mark.parametrize(
    ("weights", "key"),
    [
        ("identity", "gwet_ac1"),
        ("quadratic", "gwet_ac2_quadratic"),
        ("ordinal", "gwet_ac2_ordinal"),
    ],
)
def test_gwet_equals_r_on_ratings(reference, matrices, weights, key):
    expected = reference["likert_crossed"][key]["gwet_ac"]
    assert_equals_r(gwet_ac(matrices["likert"], weights), expected)


def test_complete_and_missing_labels_equal_r(reference, matrices):
    complete = reference["categorical"]["cac_complete"]
    missing = reference["categorical"]["missing"]["cac"]
    assert_equals_r(gwet_ac(matrices["complete"]), complete["gwet_ac"])
    assert_equals_r(fleiss_kappa(matrices["complete"]), complete["fleiss_kappa"])
    assert_equals_r(gwet_ac(matrices["missing"]), missing["gwet_ac"])
    assert_equals_r(fleiss_kappa(matrices["missing"]), missing["fleiss_kappa"])


def test_kappa_of_each_label_equals_r(reference, matrices):
    expected = reference["categorical"]["fleiss_kappa"]
    result = fleiss_kappa(matrices["complete"])
    assert result.estimate == pytest.approx(expected["kappa"], abs=CLOSED_FORM)
    assert result.per_category == pytest.approx(expected["per_category"], abs=CLOSED_FORM)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from([1, 2, 3, np.nan]), min_size=5, max_size=5),
        min_size=2,
        max_size=4,
    )
)
def test_order_of_raters_and_units_is_indifferent_and_one_is_the_maximum(rows):
    for coefficient in (fleiss_kappa, gwet_ac):
        result = coefficient(rows)
        turned = coefficient(np.array(rows)[::-1, ::-1])
        assert (result.estimate is None) == (turned.estimate is None)
        if result.estimate is not None:
            assert result.estimate <= 1 + 1e-12
            assert turned.estimate == pytest.approx(result.estimate, abs=1e-12)


def test_unused_categories_lower_the_chance_agreement():
    rows = [[1, 2, 2, 1], [1, 2, 1, 1]]
    narrow, wide = gwet_ac(rows), gwet_ac(rows, categories=[1, 2, 3])
    assert wide.chance_agreement < narrow.chance_agreement
    assert gwet_ac(rows, "linear", categories=[1, 2, 3]).estimate is not None


@pytest.mark.parametrize("coefficient", [fleiss_kappa, gwet_ac])
@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([["a", "a"], ["a", "a"]], "all ratings are equal"),
        ([["a", None], [None, "b"]], "no unit has ratings by two raters"),
    ],
)
def test_undefined_coefficient_is_explained(coefficient, rows, reason):
    result = coefficient(rows)
    assert result.estimate is None
    assert reason in result.warnings[0]
    assert result.to_dict()["interval"] is None


def test_malformed_input_is_refused():
    with pytest.raises(ValueError, match="weights must be one of"):
        gwet_ac([[1, 2], [1, 2]], "cubic")
    with pytest.raises(ValueError, match="ratings must be numbers"):
        gwet_ac([["a", "b"], ["a", "b"]], "quadratic")
    with pytest.raises(ValueError, match="categories must include every rating; missing: 3"):
        gwet_ac([[1, 3], [1, 3]], categories=[1, 2])
