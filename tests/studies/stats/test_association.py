import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from studies.stats import partial_rank_association, rank_association

CLOSED_FORM = 1e-8
METHODS = ("spearman", "kendall")
small_integers = st.lists(
    st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=0, max_size=30
)


@pytest.mark.parametrize("predictor", ["size", "score"])
@pytest.mark.parametrize("outcome", ["image_mean", "rater_z_mean"])
def test_coefficients_equal_r(reference, likert_images, outcome, predictor):
    expected = reference["likert_crossed"][outcome][predictor]
    # R sees the standardised means rounded where they tie in exact arithmetic.
    y = likert_images[outcome].round(12)
    rho = rank_association(likert_images[predictor], y, "spearman", 0, 0)
    tau = rank_association(likert_images[predictor], y, "kendall", 0, 0)
    assert rho.estimate == pytest.approx(expected["spearman"], abs=CLOSED_FORM)
    assert rho.p == pytest.approx(expected["spearman_p"], abs=CLOSED_FORM)
    assert tau.estimate == pytest.approx(expected["kendall_tau_b"], abs=CLOSED_FORM)
    assert tau.p == pytest.approx(expected["kendall_p"], abs=CLOSED_FORM)


def test_heavily_tied_medians_equal_r(reference, likert_images):
    expected = reference["likert_crossed"]["image_median"]["size"]
    pair = likert_images["size"], likert_images["image_median"]
    assert rank_association(*pair, "spearman", 0, 0).estimate == pytest.approx(
        expected["spearman"], abs=CLOSED_FORM
    )
    assert rank_association(*pair, "kendall", 0, 0).estimate == pytest.approx(
        expected["kendall_tau_b"], abs=CLOSED_FORM
    )


def test_partial_spearman_equals_r(reference, likert_images):
    expected = reference["likert_crossed"]["partial_spearman"]
    size, score, y = (likert_images[name] for name in ("size", "score", "image_mean"))
    of_size = partial_rank_association(size, y, score, 0, 0)
    of_score = partial_rank_association(score, y, size, 0, 0)
    assert of_size.estimate == pytest.approx(expected["size_given_score"], abs=CLOSED_FORM)
    assert of_score.estimate == pytest.approx(expected["score_given_size"], abs=CLOSED_FORM)


def test_permutation_p_approaches_the_enumerated_p(reference):
    example = reference["likert_crossed"]["exact_spearman_first8"]
    result = rank_association(example["x"], example["y"], "spearman", 99_999, 0)
    exact = example["p_exact_two_sided"]
    assert result.p_permutation == pytest.approx(exact, abs=5 * math.sqrt(exact / 1e5))


@pytest.mark.parametrize(
    ("method", "peer"), [("spearman", stats.spearmanr), ("kendall", stats.kendalltau)]
)
def test_interval_agrees_with_scipys_bca(method, peer):
    rng = np.random.default_rng(3)
    x = rng.normal(size=40)
    y = np.round(x + rng.normal(size=40), 1)
    ours = rank_association(x, y, method, 0, 19_999)
    theirs = stats.bootstrap(
        (x, y),
        lambda a, b: peer(a, b).statistic,
        paired=True,
        vectorized=False,
        n_resamples=1_500,
        method="BCa",
        rng=1,
    ).confidence_interval
    assert ours.interval == pytest.approx(tuple(theirs), abs=0.04)


@pytest.mark.parametrize("method", METHODS)
def test_permutation_p_is_uniform_under_the_null(method):
    rng = np.random.default_rng(8)
    p_values = [
        rank_association(
            rng.normal(size=25), rng.integers(1, 8, 25), method, 199, 0, seed
        ).p_permutation
        for seed in range(300)
    ]
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    assert min(p_values) >= 1 / 200


@pytest.mark.parametrize("method", METHODS)
def test_same_seed_same_result(method):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 30))
    first, again, other = (rank_association(x, y, method, 499, 499, seed) for seed in (7, 7, 8))
    assert first == again
    assert first.interval != other.interval


@settings(max_examples=60, deadline=None)
@given(small_integers, st.sampled_from(METHODS))
def test_symmetric_bounded_and_equal_to_scipy(pairs, method):
    x, y = np.array(pairs, dtype=float).reshape(-1, 2).T
    forward = rank_association(x, y, method, 0, 0).estimate
    backward = rank_association(y, x, method, 0, 0).estimate
    if len(pairs) < 3 or np.unique(x).size < 2 or np.unique(y).size < 2:
        assert forward is None
        assert backward is None
        return
    peer = stats.spearmanr if method == "spearman" else stats.kendalltau
    assert forward == pytest.approx(peer(x, y).statistic, abs=1e-10)
    assert forward == pytest.approx(backward, abs=1e-12)
    assert -1 <= forward <= 1


@settings(max_examples=40, deadline=None)
@given(small_integers, st.sampled_from(METHODS))
def test_unchanged_by_monotone_transforms(pairs, method):
    x, y = np.array(pairs, dtype=float).reshape(-1, 2).T
    plain = rank_association(x, y, method, 99, 99)
    bent = rank_association(np.exp(x), y**3, method, 99, 99)
    mirrored = rank_association(-x, y, method, 0, 0)
    assert plain == bent
    if plain.estimate is not None:
        assert mirrored.estimate == pytest.approx(-plain.estimate, abs=1e-12)


def test_missing_pairs_are_dropped_and_counted():
    nan = float("nan")
    x, y = [1, 2, 3, 4, nan, 6, 7], [2, 1, nan, 4, 5, 7, 6]
    result = rank_association(x, y, n_permutations=99, n_bootstrap=99)
    assert (result.n, result.n_missing) == (5, 2)
    assert (
        result.estimate == rank_association([1, 2, 4, 6, 7], [2, 1, 4, 7, 6], "spearman").estimate
    )


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ([1, 1, 1, 1], [1, 2, 3, 4], "x takes a single value"),
        ([1, 2, 3, 4], [5, 5, 5, 5], "y takes a single value"),
        ([1, 2], [1, 2], "2 images"),
        ([], [], "0 images"),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_undefined_coefficient_is_explained(x, y, reason, method):
    result = rank_association(x, y, method)
    assert result.estimate is None
    assert result.interval is None
    assert result.p is None
    assert reason in result.warnings[0]
    assert result.to_dict()["estimate"] is None


def test_partial_given_a_copy_is_undefined():
    result = partial_rank_association([1, 2, 3, 4], [2, 1, 4, 3], [10, 20, 30, 40])
    assert result.estimate is None
    assert "copy" in result.warnings[0]


def test_perfect_association_says_its_interval_has_no_width():
    result = rank_association(range(30), range(30), "kendall", 99, 99)
    assert result.estimate == 1.0
    assert result.interval == (1.0, 1.0)
    assert any("no width" in warning for warning in result.warnings)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2, 3], [1, 2]), "x and y must have the same length; got 3 for x, 2 for y"),
        (([1, 2, np.inf], [1, 2, 3]), "x must hold finite numbers"),
        ((["a", "b", "c"], [1, 2, 3]), "x must hold numbers"),
        (([[1, 2]], [1, 2]), "x must be one-dimensional"),
        (([1, 2, 3], [1, 2, 3], "pearson"), "method must be one of 'spearman', 'kendall'"),
        (([1, 2, 3], [1, 2, 3], "kendall", -1), "n_permutations must be a whole number"),
        (([1, 2, 3], [1, 2, 3], "kendall", 9, 9, 0, 95), "confidence_level must be between"),
    ],
)
def test_malformed_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        rank_association(*arguments)
