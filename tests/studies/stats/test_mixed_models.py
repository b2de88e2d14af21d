"""Awkward data: each fit is right and says what is wrong, or is refused in one clear sentence."""

import numpy as np
import pandas as pd
import pytest

from studies.stats import fit_clmm, fit_lmm
from studies.stats._crossed import crossed_design
from studies.stats._separation import separating_predictors
from studies.stats.lmm import RemlCriterion, boundary_warnings

FITS = {"clmm": fit_clmm, "lmm": fit_lmm}
# lme4 1.1-31 (bobyqa, rhoend 1e-10), and ordinal 2022.11-16 polished by Newton steps on its own
# criterion; both with (1 + size_z | rater) + (1 | image) on `ratings()`.
LMER = {
    "estimates": {"(Intercept)": 0.0139431640646, "size_z": 0.5829253762241},
    "standard_errors": {"(Intercept)": 0.252956692482, "size_z": 0.176210812928},
    "random_sd": {
        "rater": 0.911601510154,
        "rater:size_z": 0.428011144444,
        "image": 0.548196976151,
    },
    "correlation": -0.145581624962 / (0.911601510154 * 0.428011144444),
    "residual_sd": 1.680601747171,
    "log_likelihood": -614.33305927754,
}
CLMM = {
    "logit": {
        "thresholds": [-1.6746500770446, -0.0229155905442, 1.4117784648747],
        "size_z": 0.5690748637205,
        "standard_errors": [0.3000347244, 0.2786945817, 0.2932350951, 0.1973327489],
        "log_likelihood": -388.420762864,
    },
    "probit": {
        "thresholds": [-0.9883385151335, -0.0114224735863, 0.8425458865024],
        "size_z": 0.3325408515967,
        "standard_errors": [0.1742000723, 0.1657483348, 0.1721104890, 0.1193947375],
        "log_likelihood": -387.657300777,
    },
}


def ratings(seed=0, n_raters=20, n_images=25, per_rater=15, slope_sd=0.7):
    """Incomplete crossed ratings on four points; `latent` is their continuous origin."""
    rng = np.random.default_rng(seed)
    raters = np.repeat(np.arange(n_raters), per_rater)
    images = np.concatenate(
        [rng.choice(n_images, per_rater, replace=False) for _ in range(n_raters)]
    )
    size = rng.normal(size=n_images)
    latent = (0.8 + slope_sd * rng.normal(size=n_raters)[raters]) * size[images]
    latent += rng.normal(size=n_raters)[raters] + 0.6 * rng.normal(size=n_images)[images]
    latent += rng.logistic(size=raters.size)
    return pd.DataFrame(
        {
            "rater": raters,
            "image": images,
            "size_z": size[images],
            "latent": latent,
            "rating": np.digitize(latent, [-1.5, 0, 1.5]) + 1,
        }
    )


def fitted(frame, **changes):
    return {name: fit(frame, **({"fixed": ["size_z"]} | changes)) for name, fit in FITS.items()}


def test_slopes_equal_lmer():
    model = fit_lmm(ratings(), "latent", ["size_z"], rater_slopes=["size_z"])
    assert model.converged
    assert model.estimates == pytest.approx(LMER["estimates"], abs=1e-5)
    assert model.standard_errors == pytest.approx(LMER["standard_errors"], rel=1e-4)
    assert model.random_sd == pytest.approx(LMER["random_sd"], abs=1e-5)
    correlation = model.random_correlations["rater:(Intercept),size_z"]
    assert correlation == pytest.approx(LMER["correlation"], abs=1e-5)
    assert model.residual_sd == pytest.approx(LMER["residual_sd"], abs=1e-5)
    assert model.log_likelihood == pytest.approx(LMER["log_likelihood"], abs=1e-7)


@pytest.mark.parametrize("link", CLMM)
def test_slopes_equal_polished_clmm(link):
    expected = CLMM[link]
    model = fit_clmm(ratings(), fixed=["size_z"], rater_slopes=["size_z"], link=link)
    assert model.converged
    assert list(model.thresholds.values()) == pytest.approx(expected["thresholds"], abs=1e-5)
    assert model.estimates["size_z"] == pytest.approx(expected["size_z"], abs=1e-5)
    errors = [*model.threshold_standard_errors.values(), *model.standard_errors.values()]
    assert errors == pytest.approx(expected["standard_errors"], rel=1e-4)
    assert model.log_likelihood == pytest.approx(expected["log_likelihood"], abs=1e-5)


@pytest.mark.parametrize("slopes", [(), ("size_z",)])
@pytest.mark.parametrize(("n_raters", "n_images", "per_rater"), [(20, 25, 15), (60, 200, 6)])
def test_gradient_of_reml_is_that_of_the_criterion(slopes, n_raters, n_images, per_rater):
    frame = ratings(1, n_raters, n_images, per_rater)
    criterion = RemlCriterion(crossed_design(frame, "latent", ["size_z"], "rater", "image", slopes))
    at = np.random.default_rng(2).uniform(0.2, 0.8, criterion.diagonal.size)
    gradient = criterion.value_and_gradient(at)[1]
    for place, shift in enumerate(1e-5 * np.eye(at.size)):
        expected = (criterion(at + shift) - criterion(at - shift)) / 2e-5
        assert gradient[place] == pytest.approx(expected, abs=1e-5)


def test_unused_categories_are_left_out_and_said():
    frame = ratings()
    plain = fit_clmm(frame, fixed=["size_z"])
    gap = fit_clmm(frame.assign(rating=frame["rating"].replace(4, 5)), fixed=["size_z"])
    declared = pd.Categorical(frame["rating"], categories=range(1, 8), ordered=True)
    longer = fit_clmm(frame.assign(rating=declared), fixed=["size_z"])
    assert gap.warnings == ("No rating is 4: left out of the scale.",)
    assert list(gap.thresholds) == ["1|2", "2|3", "3|5"]
    assert longer.warnings == ("No rating is 5, 6, 7: left out of the scale.",)
    assert gap.log_likelihood == longer.log_likelihood == plain.log_likelihood


@pytest.mark.parametrize(
    "recode",
    [
        lambda rating: rating.astype(str),
        lambda rating: rating.astype("Int64"),
        lambda rating: rating.astype(pd.CategoricalDtype(ordered=True)),
        lambda rating: rating.astype(str).astype(pd.CategoricalDtype(ordered=True)),
        lambda rating: rating / 2,
    ],
    ids=["numbers in text", "nullable", "categorical", "categorical text", "halves"],
)
def test_type_of_the_rating_is_indifferent(recode):
    frame = ratings()
    plain = fit_clmm(frame, fixed=["size_z"])
    other = fit_clmm(frame.assign(rating=recode(frame["rating"])), fixed=["size_z"])
    assert other.log_likelihood == plain.log_likelihood
    assert other.estimates == plain.estimates


@pytest.mark.parametrize(
    "rename",
    [
        lambda ids: ids.map(lambda i: f"person {i}"),
        lambda ids: ids.map(lambda i: (i, "a")),
        lambda ids: ids.astype(object).where(ids > 5, ids.map(str)),
        lambda ids: ids.astype(pd.CategoricalDtype([*range(30)])),
        lambda ids: pd.to_datetime(ids, unit="D"),
    ],
    ids=["text", "tuples", "mixed", "categorical with unused levels", "dates"],
)
def test_type_of_the_ids_is_indifferent(rename):
    frame = ratings()
    plain, other = fitted(frame), fitted(frame.assign(rater=rename(frame["rater"])))
    for name in FITS:
        assert other[name].log_likelihood == pytest.approx(plain[name].log_likelihood, abs=1e-9)
        assert other[name].n_raters == 20


def test_missing_values_in_any_column_drop_the_row():
    frame = ratings().astype({"rating": "Int64", "rater": object})
    holed = frame.copy()
    holed.loc[:4, "rating"] = pd.NA
    holed.loc[10:12, "size_z"] = np.nan
    holed.loc[20, "rater"] = None
    kept = frame.drop(index=[*range(5), 10, 11, 12, 20])
    for name, model in fitted(holed).items():
        expected = fitted(kept)[name]
        assert model.n_missing == 9
        assert model.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-9)


def test_very_unbalanced_ratings_reach_an_optimum():
    frame = ratings(3, n_raters=40, slope_sd=0.4)
    keep = np.random.default_rng(4).random(len(frame)) < np.where(frame["rater"] < 3, 1, 0.1)
    for model in fitted(frame[keep]).values():
        assert model.converged
        assert np.isfinite(list(model.standard_errors.values())).all()


@pytest.mark.parametrize("seed", range(4))
def test_perfect_correlation_of_a_raters_effects_is_said(seed):
    frame = ratings(seed, slope_sd=0.0)
    offset = np.random.default_rng(seed).normal(size=20)[frame["rater"]] * (1 + frame["size_z"])
    frame["latent"] += 2 * offset
    frame["rating"] = np.digitize(frame["latent"], [-2, 0, 2]) + 1
    plain, sloped = fitted(frame), fitted(frame, rater_slopes=["size_z"])
    for name, model in sloped.items():
        assert model.converged
        assert model.log_likelihood > plain[name].log_likelihood
        correlation = model.random_correlations["rater:(Intercept),size_z"]
        said = any("at its limit" in warning for warning in model.warnings)
        assert said == (abs(correlation) > 1 - 1e-6)


def test_perfectly_separating_predictor_is_named():
    frame = ratings().assign(other=np.random.default_rng(5).normal(size=300))
    frame["size_z"] = (frame["rating"] > 2).astype(float)
    model = fit_clmm(frame, fixed=["size_z", "other"])
    assert not model.converged
    assert any("perfectly by size_z (separation)" in warning for warning in model.warnings)
    frame["size_z"] = frame["rating"] + 0.1 * frame["other"]
    model = fit_clmm(frame, fixed=["size_z"])
    assert not model.converged
    assert not np.isnan([*model.standard_errors.values(), *model.p_values.values()]).any()


def test_separation_is_found_where_it_is():
    rng = np.random.default_rng(6)
    predictors = rng.normal(size=(60, 2))
    codes = np.digitize(predictors[:, 1], [-0.5, 0.5])
    assert separating_predictors(predictors, codes, 3) == [1]
    together = np.digitize(predictors.sum(axis=1), [-0.5, 0.5])
    assert separating_predictors(predictors, together, 3) == [0, 1]
    codes[np.argmax(predictors[:, 1])] = 0
    assert separating_predictors(predictors, codes, 3) == []


def test_raters_who_never_vary_are_said_or_refused():
    frame = ratings()
    frame["rating"] = np.where(frame["rater"] < 9, 1, 5)
    model = fit_clmm(frame, fixed=["size_z"])
    assert not model.converged
    assert any("perfectly by rater" in warning for warning in model.warnings)
    with pytest.raises(ValueError, match="beyond what fixed, rater and image predict"):
        fit_lmm(frame, fixed=["size_z"])


def test_nearly_collinear_predictors_are_said():
    frame = ratings()
    frame["twin"] = frame["size_z"] + 1e-5 * np.random.default_rng(7).normal(size=len(frame))
    model = fit_clmm(frame, fixed=["size_z", "twin"])
    assert not model.converged
    assert any("size_z, twin are nearly collinear" in warning for warning in model.warnings)


def test_one_rating_per_image_is_said_or_refused():
    frame = ratings().assign(image=range(300))
    model = fit_clmm(frame, fixed=["size_z"])
    assert any("as many random effects of image" in warning for warning in model.warnings)
    with pytest.raises(ValueError, match="image must have fewer random effects"):
        fit_lmm(frame, fixed=["size_z"])


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rater": 1}, "rater must have at least two levels; got 1"),
        ({"image": 1}, "image must have at least two levels; got 1"),
        ({"size_z": 3.0}, "fixed must hold predictors that vary"),
        ({"size_z": np.inf}, "size_z must hold finite numbers; got 300 infinite"),
        ({"size_z": "big"}, "size_z must hold numbers; got .'big', 'big'"),
        ({"rating": np.nan}, "complete ratings; got none in 300 rows"),
        ({"rating": ["good", "bad"] * 150}, "rating must hold numbers"),
        ({"image": ratings()["rater"]}, "rater and image must be crossed"),
    ],
)
def test_unusable_columns_are_refused(fit, changes, message):
    with pytest.raises(ValueError, match=message):
        fit(ratings().assign(**changes), fixed=["size_z"])


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_repeated_roles_are_refused(fit):
    with pytest.raises(ValueError, match="must be three columns"):
        fit(ratings(), fixed=["size_z"], image="rater")
    with pytest.raises(ValueError, match="rater_slopes must not repeat"):
        fit(ratings(), fixed=["size_z"], rater_slopes=["size_z", "size_z"])


@pytest.mark.parametrize("name", FITS)
def test_slopes_do_not_depend_on_the_unit_of_their_predictor(name):
    frame = ratings()
    plain = FITS[name](frame, fixed=["size_z"], rater_slopes=["size_z"])
    for scale, origin in ((400.0, 1000.0), (0.002, 0.01)):
        moved = frame.assign(size_z=origin + scale * frame["size_z"])
        other = FITS[name](moved, fixed=["size_z"], rater_slopes=["size_z"])
        assert other.converged
        assert other.warnings == plain.warnings
        # Restricted likelihood counts the determinant of the predictors, likelihood does not.
        expected = plain.log_likelihood - (np.log(scale) if name == "lmm" else 0)
        assert other.log_likelihood == pytest.approx(expected, abs=1e-6)
        slope = scale * other.random_sd["rater:size_z"]
        assert slope == pytest.approx(plain.random_sd["rater:size_z"], rel=1e-4)
        variance = plain.random_sd["rater"] ** 2
        ratio = origin / scale
        correlation = plain.random_correlations["rater:(Intercept),size_z"]
        variance += (ratio * plain.random_sd["rater:size_z"]) ** 2
        variance -= 2 * ratio * correlation * plain.random_sd["rater"] * slope
        assert other.random_sd["rater"] == pytest.approx(np.sqrt(variance), rel=1e-4)


@pytest.mark.parametrize(("scale", "centre"), [(5.0, 300.0), (1e6, 1e8)])
def test_where_a_predictor_has_its_zero_makes_no_separation(scale, centre):
    """A rater's level far outside the data is no sign that anything is predicted perfectly."""
    frame = ratings().assign(far=lambda rows: rows["size_z"] * scale + centre)
    for name, model in fitted(frame, rater_slopes=["size_z"]).items():
        far = FITS[name](frame, fixed=["far"], rater_slopes=["far"])
        assert far.converged, name
        assert far.warnings == model.warnings
        assert far.estimates["far"] * scale == pytest.approx(model.estimates["size_z"], rel=1e-5)


def test_the_correlation_of_slopes_that_hardly_vary_is_not_talked_about():
    assert boundary_warnings({"rater": 1.0, "rater:x": 5e-4}, {"rater:(Intercept),x": 1.0}) == ()
    (said,) = boundary_warnings({"rater": 1.0, "rater:x": 0.3}, {"rater:(Intercept),x": -1.0})
    assert said == (
        "The correlation between the raters’ levels and their slopes of x is estimated at its "
        "limit (-1.00)."
    )
