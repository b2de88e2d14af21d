import numpy as np
import pandas as pd
import pytest

from studies.stats import disattenuated, icc, split_half


def simulated(seed=0, n_raters=8, n_images=40, image_sd=1.0, missing=0.0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        [(rater, image) for rater in range(n_raters) for image in range(n_images)],
        columns=["rater", "image"],
    )
    frame["rating"] = image_sd * rng.normal(size=n_images)[frame["image"]]
    frame["rating"] += rng.normal(size=n_raters)[frame["rater"]] + rng.normal(size=len(frame))
    return frame[rng.random(len(frame)) >= missing]


def test_all_splits_equal_the_oracle(reference, likert):
    expected = reference["likert_crossed"]["split_half"]
    result = split_half(likert)
    assert (result.n_splits, result.all_splits) == (expected["all_splits"], True)
    assert result.correlation == pytest.approx(expected["mean_r"], abs=1e-8)
    assert result.estimate == pytest.approx(expected["mean_spearman_brown"], abs=1e-8)
    assert result.split_range == pytest.approx((expected["sb_q025"], expected["sb_q975"]), abs=1e-8)
    low, high = result.interval
    assert low < result.estimate < high
    assert result.warnings == ()


def test_random_splits_come_close_to_all_of_them(likert):
    every = split_half(likert, n_bootstrap=0)
    some = split_half(likert, n_splits=200, n_bootstrap=0)
    assert (some.n_splits, some.all_splits) == (200, False)
    assert some.estimate == pytest.approx(every.estimate, abs=0.01)
    assert split_half(likert, n_splits=200, n_bootstrap=0) == some


def test_odd_number_of_raters_leaves_no_split_out():
    result = split_half(simulated(n_raters=5), n_bootstrap=0)
    assert (result.n_splits, result.all_splits) == (10, True)


def test_incomplete_design_comes_close_to_the_variance_components():
    frame = simulated(1, n_raters=30, n_images=200, missing=0.5)
    frame["rating"] -= frame.groupby("rater")["rating"].transform("mean")
    result = split_half(frame, n_splits=100, n_bootstrap=200)
    assert result.estimate == pytest.approx(icc(frame).estimate, abs=0.03)
    assert result.interval[0] < result.estimate < result.interval[1]


def test_images_with_a_single_rating_are_left_out_and_said():
    frame = pd.concat([simulated(2), pd.DataFrame({"rater": [0], "image": [99], "rating": [1.0]})])
    result = split_half(frame, n_splits=50, n_bootstrap=0)
    assert result.n_images == 40
    assert result.warnings == ("1 images with a single rating are left out.",)


def test_scale_and_origin_are_indifferent():
    frame = simulated(3)
    plain = split_half(frame, n_bootstrap=99)
    moved = split_half(frame.assign(rating=1e4 + 7 * frame["rating"]), n_bootstrap=99)
    assert moved.estimate == pytest.approx(plain.estimate, abs=1e-9)
    assert moved.interval == pytest.approx(plain.interval, abs=1e-6)


def test_noise_may_be_negative_and_is_said():
    results = [split_half(simulated(s, image_sd=0.0, n_images=12), n_bootstrap=0) for s in range(9)]
    negative = [result for result in results if result.estimate < 0]
    assert negative
    assert all("negative" in result.warnings[-1] for result in negative)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (simulated(n_raters=1), "three images with two ratings"),
        (simulated(n_images=2), "three images with two ratings"),
        (simulated().assign(rating=4), "all ratings are equal"),
    ],
)
def test_undefined_split_half_is_explained(frame, reason):
    result = split_half(frame)
    assert result.estimate is None
    assert reason in result.warnings[-1]


def test_malformed_split_half_is_refused():
    frame = simulated()
    with pytest.raises(ValueError, match="got 320 repeated pairs"):
        split_half(pd.concat([frame, frame]))
    with pytest.raises(ValueError, match="n_splits must be a positive whole number"):
        split_half(frame, n_splits=0)


@pytest.mark.parametrize(
    ("name", "method", "kind"),
    [
        ("pearson_size_icc2k", "pearson", "ICC(2,k)"),
        ("spearman_size_icc2k", "spearman", "ICC(2,k)"),
        ("spearman_size_icc3k", "spearman", "ICC(3,k)"),
    ],
)
def test_disattenuated_equals_the_oracle(reference, likert, likert_images, name, method, kind):
    reliability = icc(likert, kind=kind)
    result = disattenuated(
        likert_images["size"],
        likert_images["image_mean"],
        reliability.estimate,
        reliability.interval,
        method,
    )
    expected = reference["likert_crossed"]["disattenuated"][name]
    assert result.estimate == pytest.approx(expected, abs=1e-8)
    raw = reference["likert_crossed"]["image_mean"]["size"][method]
    assert result.correlation == pytest.approx(raw, abs=1e-8)
    assert result.interval[0] < result.estimate < result.interval[1]
    assert result.interval_above_one == (result.interval[1] > 1)


def test_uncertain_reliability_widens_the_interval(likert_images):
    x, y = likert_images["size"], likert_images["image_mean"]
    known, uncertain = disattenuated(x, y, 0.8), disattenuated(x, y, 0.8, (0.6, 0.9))
    assert known.estimate == uncertain.estimate
    assert np.ptp(uncertain.interval) > np.ptp(known.interval)
    assert "The interval takes the reliability as known." in known.warnings


def test_value_above_one_is_kept_and_flagged(likert_images):
    result = disattenuated(likert_images["size"], likert_images["image_mean"], 0.4)
    assert result.estimate > 1
    assert result.above_one
    assert result.interval_above_one
    assert any("above 1" in warning for warning in result.warnings)
    mirrored = disattenuated(-likert_images["size"], likert_images["image_mean"], 0.4)
    assert mirrored.estimate == pytest.approx(-result.estimate)
    assert mirrored.above_one


def test_perfect_reliability_changes_nothing(likert_images):
    result = disattenuated(likert_images["size"], likert_images["image_mean"], 1.0, n_bootstrap=0)
    assert result.estimate == result.correlation
    assert result.interval is None


def test_undefined_correlation_is_explained():
    result = disattenuated([1, 1, 1, 1], [1, 2, 3, np.nan], 0.8)
    assert (result.estimate, result.n, result.n_missing) == (None, 3, 1)
    assert result.warnings


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reliability": 0.0}, "reliability must be in"),
        ({"reliability_interval": (0.85, 0.9)}, "reliability_interval must lie"),
        ({"method": "kendall"}, "method must be one of 'spearman', 'pearson'"),
    ],
)
def test_malformed_disattenuation_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        disattenuated(**({"x": [1, 2, 3], "y": [1, 3, 2], "reliability": 0.8} | changes))
