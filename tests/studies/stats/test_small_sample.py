import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from studies.stats import fit_clmm, fit_lmm
from studies.stats.small_sample import between_within

SIZES = {"rater": 12, "image": 30, "rating": 360}


def ratings(seed=0, slope_sd=0.0):
    """12 raters of 30 images, with a property of images, one of raters and one of ratings."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        [(rater, image) for rater in range(12) for image in range(30)], columns=["rater", "image"]
    )
    frame["size"] = rng.normal(size=30)[frame["image"]]
    frame["age"] = rng.normal(size=12)[frame["rater"]]
    frame["trial"] = rng.permuted(np.tile(np.arange(30.0), (12, 1)), axis=1).ravel() / 10
    slopes = 0.6 + slope_sd * rng.normal(size=12)
    latent = slopes[frame["rater"]] * frame["size"] + rng.normal(size=12)[frame["rater"]]
    latent += 0.7 * rng.normal(size=30)[frame["image"]] + rng.logistic(size=360)
    frame["rating"] = np.digitize(latent, [-2, -1, 0, 1, 2]) + 1
    return frame


def one(level, slope=0.0, se=0.2, sizes=SIZES, **others):
    return between_within(
        {"x": 0.5} | dict.fromkeys(others, 0.1),
        {"x": se} | dict.fromkeys(others, 0.1),
        {"rater": 1.0, "rater:x": slope, "image": 0.5},
        {"x": level} | others,
        sizes,
    )


def test_balanced_images_give_the_t_test_of_a_regression():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 30))
    expected = stats.linregress(x, y)
    residual = y - expected.intercept - expected.slope * x
    # As maximum likelihood has it: the residual sum of squares over the number of images.
    se = np.sqrt(np.mean(residual**2) / np.sum((x - x.mean()) ** 2))
    found = between_within({"x": expected.slope}, {"x": se}, {}, {"x": "image"}, SIZES)
    assert found.degrees_of_freedom["x"] == 28
    assert found.standard_errors["x"] == pytest.approx(expected.stderr, rel=1e-12)
    assert found.p_values["x"] == pytest.approx(expected.pvalue, rel=1e-10)


def test_slopes_alone_give_the_t_test_of_raters_slopes():
    slopes = 0.5 + np.random.default_rng(2).normal(size=12)
    expected = stats.ttest_1samp(slopes, 0)
    spread = slopes.std()
    found = between_within(
        {"x": slopes.mean()},
        {"x": spread / np.sqrt(12)},
        {"rater:x": spread},
        {"x": "image"},
        SIZES,
    )
    assert found.degrees_of_freedom["x"] == pytest.approx(11)
    assert found.p_values["x"] == pytest.approx(expected.pvalue, rel=1e-10)


@pytest.mark.parametrize(("level", "freedom"), [("image", 28), ("rater", 10), ("rating", 318)])
def test_degrees_of_freedom_are_those_of_the_level(level, freedom):
    assert one(level).degrees_of_freedom["x"] == pytest.approx(freedom)


def test_each_predictor_of_a_level_costs_a_degree():
    found = one("image", y="image", z="rater")
    assert found.degrees_of_freedom == pytest.approx({"x": 27, "y": 27, "z": 10})


@settings(max_examples=50, deadline=None)
@given(slope=st.floats(0, 2), se=st.floats(0.05, 2))
def test_it_is_never_bolder_than_wald(slope, se):
    found = one("image", slope, se)
    margin = stats.norm.ppf(0.975) * se
    assert found.standard_errors["x"] > se
    assert 11 * (1 - 1e-9) <= found.degrees_of_freedom["x"] <= 39
    assert found.intervals["x"][0] < 0.5 - margin
    assert found.intervals["x"][1] > 0.5 + margin


def test_with_many_images_and_raters_it_is_walds():
    found = one("image", 0.3, sizes={"rater": 10**6, "image": 10**6, "rating": 10**7})
    assert found.p_values["x"] == pytest.approx(2 * stats.norm.sf(2.5), rel=1e-4)


def test_too_few_images_are_said():
    found = one("image", sizes={"rater": 5, "image": 2, "rating": 10})
    assert found.p_values["x"] is found.intervals["x"] is found.standard_errors["x"] is None
    assert found.warnings == ("Too few levels of image to test x.",)


def test_an_effect_without_limit_is_not_called_significant():
    found = one("image", se=np.inf)
    assert found.p_values["x"] == 1.0
    assert found.to_dict()["intervals"]["x"] == [None, None]


@pytest.mark.parametrize("slopes", [(), ("size",)])
def test_clmm_knows_what_its_predictors_belong_to(slopes):
    model = fit_clmm(ratings(slope_sd=0.8), fixed=["size", "age", "trial"], rater_slopes=slopes)
    assert model.predictor_levels == {"size": "image", "age": "rater", "trial": "rating"}
    found = model.small_sample()
    freedom = found.degrees_of_freedom
    assert (freedom["age"], freedom["trial"]) == pytest.approx((10, 318))
    assert freedom["size"] == pytest.approx(28) if not slopes else 11 < freedom["size"] < 39
    for name, (low, high) in model.interval().items():
        assert found.intervals[name][0] < low < high < found.intervals[name][1]
        assert found.p_values[name] > model.p_values[name]
    assert json.loads(json.dumps(model.to_dict()))["small_sample"]["p_values"] == found.p_values


def test_linear_model_says_what_it_said():
    model = fit_lmm(ratings(), fixed=["size"], rater_slopes=["size"])
    found = model.small_sample(0.9)
    assert (found.p_values, found.standard_errors) == (model.p_values, model.standard_errors)
    assert found.intervals == model.interval(0.9)
