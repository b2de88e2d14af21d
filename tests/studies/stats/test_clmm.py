import numpy as np
import pandas as pd
import pytest
from scipy import stats

from studies.stats import fit_clmm, likelihood_ratio
from studies.stats._crossed import crossed_design
from studies.stats._laplace import LaplaceCriterion
from studies.stats._links import LINKS

MODELS = {
    "clmm_logit": (["size_z", "score_z"], "logit"),
    "clmm_probit": (["size_z", "score_z"], "probit"),
    "clmm_null": ([], "logit"),
}


@pytest.fixture(scope="module")
def simulated():
    """Incomplete crossed ratings on four points with a slope of 0.8 that varies by rater."""
    rng = np.random.default_rng(0)
    raters = np.repeat(np.arange(20), 15)
    images = np.concatenate([rng.choice(25, 15, replace=False) for _ in range(20)])
    size = rng.normal(size=25)
    latent = (0.8 + 0.7 * rng.normal(size=20)[raters]) * size[images]
    latent += rng.normal(size=20)[raters] + 0.6 * rng.normal(size=25)[images]
    rating = np.digitize(latent + rng.logistic(size=raters.size), [-1.5, 0, 1.5]) + 1
    return pd.DataFrame(
        {"rater": raters, "image": images, "size_z": size[images], "rating": rating}
    )


@pytest.mark.parametrize("name", MODELS)
def test_equals_clmm(reference, likert, name):
    fixed, link = MODELS[name]
    expected = reference["likert_crossed"][name]
    model = fit_clmm(likert, fixed=fixed, link=link)
    assert model.converged
    assert model.warnings == ()
    assert model.log_likelihood == pytest.approx(expected["logLik"], abs=1e-5)
    assert model.thresholds == pytest.approx(expected["threshold"], abs=1e-5)
    assert model.threshold_standard_errors == pytest.approx(expected["threshold_se"], rel=1e-4)
    assert model.random_sd == pytest.approx(
        {name: term["sd"]["(Intercept)"] for name, term in expected["random"].items()}, abs=1e-5
    )
    if fixed:
        assert model.estimates == pytest.approx(expected["estimate"], abs=1e-5)
        assert model.standard_errors == pytest.approx(expected["se"], rel=1e-4)
        assert model.p_values == pytest.approx(expected["p"], rel=1e-3)


def test_two_categories_equal_glmer(reference, categorical):
    expected = reference["categorical"]["glmer_creative_vs_rest"]
    frame = categorical.assign(creative=(categorical["label"] == "creative").astype(int))
    model = fit_clmm(frame, "creative", ["size_z", "score_z"])
    assert model.log_likelihood == pytest.approx(expected["logLik"], abs=1e-5)
    intercept = expected["estimate"].pop("(Intercept)")
    intercept_error = expected["se"].pop("(Intercept)")
    assert -model.thresholds["0|1"] == pytest.approx(intercept, abs=1e-5)
    assert model.threshold_standard_errors["0|1"] == pytest.approx(intercept_error, rel=1e-4)
    assert model.estimates == pytest.approx(expected["estimate"], abs=1e-5)
    assert model.standard_errors == pytest.approx(expected["se"], rel=1e-4)
    assert model.random_sd == pytest.approx(expected["sd"], abs=1e-5)


def test_likelihood_ratio_equals_r(reference, likert):
    expected = reference["likert_crossed"]["clmm_lr_test"]
    larger = fit_clmm(likert, fixed=["size_z", "score_z"])
    smaller = fit_clmm(likert)
    result = likelihood_ratio(larger, smaller)
    assert result.statistic == pytest.approx(expected["chisq"], abs=1e-5)
    assert result.degrees_of_freedom == expected["df"]
    assert result.p == pytest.approx(expected["p"], rel=1e-4)
    with pytest.raises(ValueError, match="larger must have more parameters"):
        likelihood_ratio(smaller, larger)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("slopes", [(), ("size_z",)])
def test_gradient_is_that_of_the_criterion(simulated, link, slopes):
    design = crossed_design(simulated, "rating", ["size_z"], "rater", "image", slopes)
    criterion = LaplaceCriterion(
        design, design.fixed[:, 1:], (design.response - 1).astype(int), 4, link
    )
    theta = [0.7, 0.2, 0.4, 0.5] if slopes else [0.7, 0.5]
    at = np.array([-1.2, 0.1, 1.4, 0.5, *theta])
    gradient = criterion.gradient(at)
    for place, shift in enumerate(1e-5 * np.eye(at.size)):
        up, down = (criterion.value_and_gradient(at + sign * shift)[0] for sign in (1, -1))
        assert gradient[place] == pytest.approx((up - down) / 2e-5, abs=1e-4)


@pytest.mark.parametrize("slopes", [(), ("size_z",)])
def test_criterion_equals_dense_laplace(simulated, slopes):
    design = crossed_design(simulated, "rating", ["size_z"], "rater", "image", slopes)
    criterion = LaplaceCriterion(
        design, design.fixed[:, 1:], (design.response - 1).astype(int), 4, "logit"
    )
    theta = [0.7, 0.2, 0.4, 0.5] if slopes else [0.7, 0.5]
    alpha, beta = np.array([-1.2, 0.1, 1.4]), 0.5
    at = np.array([*alpha, beta, *theta])
    raters = pd.get_dummies(simulated["rater"]).to_numpy(float)
    images = pd.get_dummies(simulated["image"]).to_numpy(float)
    size = simulated["size_z"].to_numpy()
    if slopes:
        slope = ((size - size.mean()) / size.std())[:, None]
        intercepts = raters * 0.7 + raters * slope * 0.2
        z = np.hstack([intercepts, raters * slope * 0.4, images * 0.5])
    else:
        z = np.hstack([raters * 0.7, images * 0.5])
    cuts = np.concatenate([[-np.inf], alpha, [np.inf]])
    codes = simulated["rating"].to_numpy() - 1
    u = np.zeros(z.shape[1])
    for _ in range(50):
        eta = beta * size + z @ u
        cells = LINKS["logit"](cuts[codes + 1] - eta, cuts[codes] - eta)
        hessian = np.eye(u.size) + z.T @ (cells.weight[:, None] * z)
        u = u + np.linalg.solve(hessian, z.T @ cells.score - u)
    value = cells.log_probability.sum() - u @ u / 2 - np.linalg.slogdet(hessian)[1] / 2
    assert -criterion.value_and_gradient(at)[0] == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("link", LINKS)
def test_category_probabilities_hold_far_out_on_the_scale(link):
    cuts = np.array([-np.inf, -1.0, 0.5, np.inf])
    distribution = stats.logistic if link == "logit" else stats.norm
    for eta in (-30.0, -3.0, 0.0, 3.0, 30.0):
        cells = LINKS[link](cuts[1:] - eta, cuts[:-1] - eta)
        assert np.isfinite(cells.log_probability).all()
        assert np.exp(cells.log_probability).sum() == pytest.approx(1, abs=1e-12)
        assert (cells.weight >= 0).all()
        if abs(eta) <= 3:
            expected = np.diff(distribution.cdf(cuts - eta))
            assert np.exp(cells.log_probability) == pytest.approx(expected, abs=1e-12)


def test_rater_slope_is_found_and_improves_the_fit(simulated):
    plain = fit_clmm(simulated, fixed=["size_z"])
    sloped = fit_clmm(simulated, fixed=["size_z"], rater_slopes=["size_z"])
    assert sloped.converged
    assert set(sloped.random_sd) == {"rater", "rater:size_z", "image"}
    assert likelihood_ratio(sloped, plain).degrees_of_freedom == 2
    assert sloped.log_likelihood > plain.log_likelihood
    assert sloped.standard_errors["size_z"] > plain.standard_errors["size_z"]


def test_scale_and_origin_of_a_predictor_and_order_of_rows_are_indifferent(simulated):
    plain = fit_clmm(simulated, fixed=["size_z"])
    moved = fit_clmm(
        simulated.assign(size_z=300 + 50 * simulated["size_z"]).sample(frac=1, random_state=1),
        fixed=["size_z"],
    )
    assert moved.estimates["size_z"] * 50 == pytest.approx(plain.estimates["size_z"], rel=1e-6)
    assert moved.p_values["size_z"] == pytest.approx(plain.p_values["size_z"], rel=1e-5)
    assert moved.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-7)


def test_reversed_scale_reverses_the_effect(simulated):
    plain = fit_clmm(simulated, fixed=["size_z"])
    mirrored = fit_clmm(simulated.assign(rating=5 - simulated["rating"]), fixed=["size_z"])
    assert mirrored.estimates["size_z"] == pytest.approx(-plain.estimates["size_z"], abs=1e-6)
    assert mirrored.thresholds["1|2"] == pytest.approx(-plain.thresholds["3|4"], abs=1e-6)


def test_named_categories_are_taken_in_their_order(simulated):
    words = ["low", "mid", "high", "top"]
    named = pd.Categorical.from_codes(simulated["rating"] - 1, words, ordered=True)
    model = fit_clmm(simulated.assign(rating=named), fixed=["size_z"])
    plain = fit_clmm(simulated, fixed=["size_z"])
    assert list(model.thresholds) == ["low|mid", "mid|high", "high|top"]
    assert list(model.thresholds.values()) == pytest.approx(list(plain.thresholds.values()))


def test_variance_of_zero_is_said(simulated):
    rng = np.random.default_rng(5)
    noise = simulated.assign(rating=rng.integers(1, 4, len(simulated)))
    model = fit_clmm(noise, fixed=["size_z"])
    assert model.converged
    zero = [name for name, value in model.random_sd.items() if value == 0]
    assert zero
    assert f"The variance of {zero[0]} is estimated as zero." in model.warnings
    assert np.isfinite(model.standard_errors["size_z"])


def test_separation_is_said(simulated):
    separated = simulated.assign(rating=(simulated["size_z"] > 0).astype(int))
    model = fit_clmm(separated, fixed=["size_z"])
    assert not model.converged
    assert any("separation" in warning for warning in model.warnings)


def test_ratings_that_images_fix_entirely_are_said(simulated):
    model = fit_clmm(simulated.assign(rating=simulated["image"] % 4), fixed=["size_z"])
    assert not model.converged
    assert model.warnings


def test_interval_and_json(simulated):
    model = fit_clmm(simulated, fixed=["size_z"])
    low, high = model.interval(0.95)["size_z"]
    assert (low + high) / 2 == pytest.approx(model.estimates["size_z"])
    assert model.to_dict()["intervals"]["size_z"] == [low, high]
    assert "covariance" not in model.to_dict()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"link": "cloglog"}, "link must be one of 'logit', 'probit'"),
        ({"response": "stars"}, "missing: stars"),
        ({"response": "same"}, "same must take at least two values"),
        ({"response": "kind"}, "kind must be an ordered categorical"),
        ({"fixed": ["size_z", "size_z"]}, "not collinear"),
        ({"rater_slopes": ["size_z"]}, "rater_slopes must be among fixed"),
    ],
)
def test_malformed_input_is_refused(simulated, changes, message):
    frame = simulated.assign(same=1, kind=pd.Categorical(["a"] * len(simulated)))
    with pytest.raises(ValueError, match=message):
        fit_clmm(frame, **changes)
