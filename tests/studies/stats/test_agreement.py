import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.stats import krippendorff_alpha
from studies.stats._coding import coded, value_counts
from studies.stats.agreement import LEVELS, alpha_of_weights

CLOSED_FORM = 1e-8


@pytest.mark.parametrize("level", LEVELS)
def test_complete_ratings_equal_r(reference, likert, level):
    matrix = likert.pivot(index="rater", columns="image", values="rating")
    result = krippendorff_alpha(matrix, level, n_bootstrap=999)
    expected = reference["likert_crossed"]["krippendorff"]
    assert result.estimate == pytest.approx(expected[level], abs=CLOSED_FORM)
    assert result.n_ratings == expected["pairable_values"]
    assert result.interval[0] < result.estimate < result.interval[1]


@pytest.mark.parametrize("level", LEVELS)
def test_canonical_example(reference, krippendorff_canonical, level):
    result = krippendorff_alpha(krippendorff_canonical, level, n_bootstrap=0)
    expected = reference["published"]["krippendorff_canonical"]
    assert result.estimate == pytest.approx(expected["computed"][level], abs=CLOSED_FORM)
    assert round(result.estimate, 3) == expected["published"][level]
    assert result.n_unpaired == 1


def test_missing_labels_equal_r(reference, categorical):
    matrix = categorical.pivot(index="rater", columns="image", values="label_missing")
    result = krippendorff_alpha(matrix, "nominal", n_bootstrap=0)
    expected = reference["categorical"]["missing"]["krippendorff_nominal"]["nominal"]
    assert result.estimate == pytest.approx(expected, abs=CLOSED_FORM)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from([1.0, 2.0, 3.0, 5.0, np.nan]), min_size=6, max_size=6),
        min_size=2,
        max_size=5,
    ),
    st.sampled_from(LEVELS),
)
def test_bootstrap_kernel_is_the_package_at_unit_weights(rows, level):
    result = krippendorff_alpha(rows, level, n_bootstrap=0)
    if result.estimate is None:
        return
    codes, values, _ = coded(rows, level)
    counts = value_counts(codes, len(values))
    counts = counts[counts.sum(axis=1) >= 2]
    kernel = alpha_of_weights(counts, values, level, np.ones((1, len(counts))))
    assert kernel[0] == pytest.approx(result.estimate, abs=1e-10)
    assert result.estimate <= 1
    shuffled = krippendorff_alpha(np.array(rows)[::-1, ::-1], level, n_bootstrap=0)
    assert shuffled.estimate == pytest.approx(result.estimate, abs=1e-10)


def test_ordinal_alpha_is_unchanged_by_monotone_transforms(krippendorff_canonical):
    plain = krippendorff_alpha(krippendorff_canonical, "ordinal", n_bootstrap=0)
    bent = krippendorff_alpha(np.exp(krippendorff_canonical), "ordinal", n_bootstrap=0)
    assert bent.estimate == pytest.approx(plain.estimate, abs=1e-12)


def test_same_seed_same_interval(krippendorff_canonical):
    first, again = (krippendorff_alpha(krippendorff_canonical, seed=3) for _ in range(2))
    assert first == again


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([[4, 4, 4], [4, 4, 4]], "all paired ratings are equal"),
        ([[1, np.nan], [np.nan, 2]], "no unit has ratings by two raters"),
        ([[1, 2, 3]], "no unit has ratings by two raters"),
    ],
)
def test_undefined_alpha_is_explained(rows, reason):
    result = krippendorff_alpha(rows)
    assert result.estimate is None
    assert reason in result.warnings[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2, 3],), "ratings must be a matrix"),
        (([[1, np.inf], [1, 2]],), "ratings must be finite or missing"),
        (([["a", "b"], ["a", "a"]], "ordinal"), "ratings must be numbers at the ordinal level"),
        (([[1, 2], [1, 2]], "ratio"), "level must be one of"),
    ],
)
def test_malformed_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        krippendorff_alpha(*arguments)
