import numpy as np
import pytest
from scipy import stats

from studies.stats import (
    RatingDesign,
    fit_clmm,
    pilot_estimates,
    quantile_categories,
    rating_model,
    simulate_ratings,
)


@pytest.fixture(scope="module")
def ratings():
    design = RatingDesign(n_images=40, n_raters=25, ratings_per_image=10)
    model = rating_model(0.8, proportions=[1, 2, 2, 1], slope_sd=0.5)
    return simulate_ratings(design, model, seed=3)


@pytest.fixture(scope="module")
def pilot(ratings):
    return pilot_estimates(ratings)


def test_estimates_are_those_of_the_mixed_model_with_a_slope(ratings, pilot):
    fit = fit_clmm(ratings, fixed=["predictor"], rater_slopes=["predictor"])
    assert pilot.effect == pytest.approx(fit.estimates["predictor"], rel=1e-4)
    assert pilot.interval == pytest.approx(fit.small_sample().intervals["predictor"], rel=1e-3)
    assert pilot.slope_sd == pytest.approx(fit.random_sd["rater:predictor"], rel=1e-3)
    model = pilot.model()
    assert (model.effect, model.image_sd) == (pilot.effect, pilot.image_sd)
    assert model.thresholds == tuple(pilot.thresholds.values())
    assert pilot.model(0.0).effect == 0
    assert pilot.model(0.0).rater_sd == pilot.rater_sd


def test_the_effect_is_per_standard_deviation_over_images(ratings, pilot):
    nodes = ratings.assign(predictor=300 + 40 * ratings["predictor"])
    assert pilot_estimates(nodes).effect == pytest.approx(pilot.effect, rel=1e-4)


@pytest.mark.parametrize("level", [0.6, 0.9])
def test_safeguard_is_the_near_limit_of_the_interval(ratings, pilot, level):
    reach = stats.t.ppf((1 + level) / 2, pilot.degrees_of_freedom) * pilot.standard_error
    assert pilot.safeguard_effect(level) == pytest.approx(pilot.effect - reach)
    mirrored = pilot_estimates(ratings.assign(rating=-ratings["rating"]))
    assert mirrored.safeguard_effect(level) == pytest.approx(reach - pilot.effect, rel=1e-3)


def test_a_pilot_that_shows_nothing_has_no_safeguard(ratings):
    rng = np.random.default_rng(1)
    noise = ratings.assign(rating=rng.integers(1, 4, len(ratings)))
    with pytest.raises(ValueError, match=r"safeguard must leave an effect to plan for.*holds zero"):
        pilot_estimates(noise).safeguard_effect(0.99)


def test_uncertainty_is_said_and_simulated_raters_are(ratings, pilot):
    assert any("uncertain" in warning for warning in pilot.warnings)
    assert not pilot.simulated
    assert "simulated" not in " ".join(pilot.warnings)
    marked = pilot_estimates(ratings, simulated=True)
    assert marked.simulated
    assert marked.to_dict()["simulated"] is True
    assert "no" in marked.warnings[0].lower()
    assert "simulated" in marked.warnings[0]


def test_few_raters_are_said(ratings):
    few = ratings[ratings["rater"] < 6]
    assert any("fewer than 20 raters" in warning for warning in pilot_estimates(few).warnings)


def test_slopes_at_the_edge_are_said():
    design = RatingDesign(n_images=40, n_raters=25, ratings_per_image=10)
    alike = simulate_ratings(design, rating_model(0.8, slope_sd=0, rater_sd=0), seed=3)
    found = pilot_estimates(alike)
    assert found.slope_fitted
    assert any("plan also with standard deviations" in warning for warning in found.warnings)


def test_missing_ratings_are_dropped_and_counted(ratings):
    gaps = ratings.assign(rating=ratings["rating"].where(ratings.index % 10 > 0))
    assert pilot_estimates(gaps).n_missing == 40


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"predictor": 1.0}, "predictor must vary over the pilot's images; got no spread"),
        ({"predictor": np.arange(400.0)}, "predictor must have one value per image"),
        ({"rating": 3}, "rating must take at least two values; got 1"),
        ({"rating": np.nan}, "frame must have complete ratings; got none in 400 rows"),
    ],
)
def test_unusable_pilots_are_refused(ratings, changes, message):
    with pytest.raises(ValueError, match=message):
        pilot_estimates(ratings.assign(**changes))


def test_ratings_that_the_predictor_fixes_are_refused(ratings):
    fixed = ratings.assign(rating=(ratings["predictor"] > 0).astype(int))
    with pytest.raises(ValueError, match=r"the pilot's ratings must allow a model.*separation"):
        pilot_estimates(fixed)


def test_places_on_a_line_fall_into_ordered_categories():
    places = np.random.default_rng(0).uniform(0, 100, 500)
    categories = quantile_categories(places, 5)
    assert categories.value_counts().to_dict() == dict.fromkeys(range(1, 6), 100)
    assert stats.spearmanr(places, categories).statistic > 0.97


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 0, 0, 0, 50], [1, 1, 1, 1, 2]),
        ([0, 0, 0, 0, 0, 0, 0, 0, 50, 80], [1] * 8 + [2, 3]),
        ([3, np.nan, 4], [1, np.nan, 2]),
    ],
)
def test_piled_up_places_make_fewer_categories(values, expected):
    found = quantile_categories(values, 7).to_numpy()
    assert np.array_equal(found, expected, equal_nan=True)


def test_one_place_alone_makes_no_categories():
    with pytest.raises(ValueError, match="at least two different numbers; got 1"):
        quantile_categories([5, 5, np.nan])
