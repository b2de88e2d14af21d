import numpy as np
import pytest

from studies.stats import RatingDesign, RatingModel, rating_model, simulate_ratings
from studies.stats.rating_model import image_sd_for

WIDE = RatingDesign(n_images=4000, n_raters=2000, ratings_per_image=10)


@pytest.mark.parametrize("link", ["logit", "probit"])
@pytest.mark.parametrize("slope_sd", [0.0, 0.5])
def test_marginal_proportions_are_those_asked_for(link, slope_sd):
    wanted = np.array([0.05, 0.2, 0.5, 0.25])
    model = rating_model(0.7, proportions=wanted, slope_sd=slope_sd, link=link)
    assert model.proportions() == pytest.approx(wanted, abs=1e-8)
    ratings = simulate_ratings(WIDE, model, seed=4)["rating"]
    shares = np.bincount(ratings, minlength=5)[1:] / len(ratings)
    assert shares == pytest.approx(wanted, abs=0.015)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_reliability_is_the_correlation_of_means_by_other_raters(link):
    model = rating_model(0.5, reliability=(0.6, 5), rater_sd=0.8, slope_sd=0.4, link=link)
    assert model.reliability(5) == pytest.approx(0.6)
    latent = simulate_ratings(WIDE, model, seed=9)["latent"].to_numpy().reshape(4000, 10)
    halves = latent[:, :5].mean(axis=1), latent[:, 5:].mean(axis=1)
    assert np.corrcoef(*halves)[0, 1] == pytest.approx(0.6, abs=0.03)


def test_link_decides_the_residual_variance():
    logit, probit = (image_sd_for(0.5, 10, rater_sd=0, link=link) for link in ("logit", "probit"))
    assert logit == pytest.approx(np.sqrt(np.pi**2 / 30))
    assert probit == pytest.approx(np.sqrt(0.1))


def test_a_reliability_below_what_the_predictor_explains_is_refused():
    with pytest.raises(ValueError, match=r"reliability must be at least 0\.700 with 10 ratings"):
        image_sd_for(0.5, 10, effect=1.0)
    assert image_sd_for(0.7, 10, effect=1.0) == pytest.approx(0.024, abs=0.01)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"proportions": [1, 0, 1]}, "proportions must be two or more positive numbers"),
        ({"proportions": [1, 1], "thresholds": [0.0]}, "not both"),
        ({"image_sd": 1.0, "reliability": (0.5, 3)}, "image_sd or reliability must be given"),
        ({"thresholds": [1.0, 0.0]}, r"rising numbers; got \[1.0, 0.0\]"),
        ({"thresholds": []}, "thresholds must be one or more"),
        ({"rater_sd": -1}, "rater_sd must be a finite number, 0 or more; got -1"),
        ({"image_sd": np.inf}, "image_sd must be a finite number, 0 or more; got inf"),
        ({"effect": np.nan}, "effect must be a finite number; got nan"),
        ({"link": "cloglog"}, "link must be one of 'logit', 'probit'"),
        ({"reliability": (1.0, 3)}, "reliability must be between 0 and 1, exclusive; got 1.0"),
        ({"reliability": (0.5, 0)}, "ratings_per_image must be 1 or more; got 0"),
    ],
)
def test_malformed_models_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        rating_model(**({"effect": 0.1} | changes))


def test_json_has_the_shares_of_the_categories():
    told = RatingModel(effect=0.0, thresholds=(0.0,), rater_sd=1, image_sd=1).to_dict()
    assert told["proportions"] == pytest.approx([0.5, 0.5])
    assert told["thresholds"] == [0.0]
