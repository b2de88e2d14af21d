from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from studies.stats import fit_lmm

MODELS = {
    "lmer_crossed": ["size_z", "score_z"],
    "lmer_size_only": ["size_z"],
    "lmer_null": [],
}


def simulated(seed, n_raters=30, n_images=40, per_rater=20, rater_sd=1.0, slope_sd=0.0):
    """Incomplete crossed ratings with a slope of 0.5 and an image sd of 0.6."""
    rng = np.random.default_rng(seed)
    images = np.concatenate(
        [rng.choice(n_images, per_rater, replace=False) for _ in range(n_raters)]
    )
    raters = np.repeat(np.arange(n_raters), per_rater)
    size = rng.normal(size=n_images)
    rating = (
        (0.5 + slope_sd * rng.normal(size=n_raters)[raters]) * size[images]
        + rater_sd * rng.normal(size=n_raters)[raters]
        + 0.6 * rng.normal(size=n_images)[images]
        + rng.normal(size=images.size)
    )
    return pd.DataFrame(
        {"rater": raters, "image": images, "size_z": size[images], "rating": rating}
    )


def dense_reml(frame, model):
    """The restricted log likelihood from the full covariance matrix."""
    x = np.column_stack([np.ones(len(frame)), frame["size_z"]])
    raters = pd.get_dummies(frame["rater"]).to_numpy(float)
    images = pd.get_dummies(frame["image"]).to_numpy(float)
    sd = model.random_sd
    within = np.diag([sd["rater"] ** 2, sd.get("rater:size_z", 0.0) ** 2])
    correlation = model.random_correlations.get("rater:(Intercept),size_z", 0.0)
    within[0, 1] = within[1, 0] = correlation * np.sqrt(within[0, 0] * within[1, 1])
    v = (raters @ raters.T) * (x @ within @ x.T)
    v += sd["image"] ** 2 * images @ images.T + model.residual_sd**2 * np.eye(len(frame))
    inverse = np.linalg.inv(v)
    information = x.T @ inverse @ x
    beta = np.linalg.solve(information, x.T @ inverse @ frame["rating"])
    rest = frame["rating"].to_numpy() - x @ beta
    deviance = (
        np.linalg.slogdet(v)[1]
        + np.linalg.slogdet(information)[1]
        + rest @ inverse @ rest
        + (len(frame) - 2) * np.log(2 * np.pi)
    )
    return -deviance / 2, beta, np.sqrt(np.diag(np.linalg.inv(information)))


@pytest.mark.parametrize("name", MODELS)
def test_equals_lmer(reference, likert, name):
    expected = reference["likert_crossed"][name]
    model = fit_lmm(likert, fixed=MODELS[name])
    assert model.converged
    assert model.warnings == ()
    assert model.estimates == pytest.approx(expected["estimate"], abs=1e-5)
    assert model.standard_errors == pytest.approx(expected["se"], rel=1e-4)
    assert model.log_likelihood == pytest.approx(expected["REML_logLik"], abs=1e-5)
    assert model.degrees_of_freedom == pytest.approx(expected["satterthwaite_df"], rel=1e-4)
    assert model.p_values == pytest.approx(expected["p_satterthwaite"], rel=1e-3)
    components = {row["grp"]: row["sdcor"] for row in expected["varcomp"]}
    assert model.random_sd == pytest.approx(
        {name: components[name] for name in ("rater", "image")}, abs=1e-5
    )
    assert model.residual_sd == pytest.approx(components["Residual"], abs=1e-5)


@pytest.mark.parametrize("slopes", [(), ("size_z",)])
@pytest.mark.parametrize(("n_raters", "n_images"), [(30, 40), (40, 25)])
def test_criterion_equals_the_dense_likelihood(slopes, n_raters, n_images):
    frame = simulated(1, n_raters, n_images, slope_sd=0.5)
    model = fit_lmm(frame, fixed=["size_z"], rater_slopes=slopes)
    likelihood, beta, errors = dense_reml(frame, model)
    assert model.log_likelihood == pytest.approx(likelihood, abs=1e-7)
    assert list(model.estimates.values()) == pytest.approx(beta, abs=1e-8)
    assert list(model.standard_errors.values()) == pytest.approx(errors, rel=1e-8)


def test_optimum_is_an_optimum():
    frame = simulated(2, slope_sd=0.5)
    model = fit_lmm(frame, fixed=["size_z"], rater_slopes=["size_z"])
    assert set(model.random_sd) == {"rater", "rater:size_z", "image"}
    for name in model.random_sd:
        for factor in (0.98, 1.02):
            deviations = model.random_sd | {name: factor * model.random_sd[name]}
            moved = replace(model, random_sd=deviations)
            assert dense_reml(frame, moved)[0] < model.log_likelihood


def test_estimates_do_not_depend_on_scale_origin_or_order():
    frame = simulated(3)
    plain = fit_lmm(frame, fixed=["size_z"])
    moved = fit_lmm(
        frame.assign(size_z=4000 + 80 * frame["size_z"]).sample(frac=1, random_state=0),
        fixed=["size_z"],
    )
    assert moved.estimates["size_z"] * 80 == pytest.approx(plain.estimates["size_z"], rel=1e-6)
    assert moved.p_values["size_z"] == pytest.approx(plain.p_values["size_z"], rel=1e-4)
    assert moved.random_sd == pytest.approx(plain.random_sd, rel=1e-5)


def test_missing_links_between_raters_and_images_use_the_sparse_table():
    frame = simulated(4, n_raters=60, n_images=200, per_rater=10)
    model = fit_lmm(frame, fixed=["size_z"])
    assert model.log_likelihood == pytest.approx(dense_reml(frame, model)[0], abs=1e-7)


@pytest.mark.parametrize("slopes", [(), ("size_z",)])
def test_sparse_table_with_more_raters_than_images(slopes):
    frame = simulated(14, n_raters=120, n_images=60, per_rater=5, slope_sd=0.6)
    model = fit_lmm(frame, fixed=["size_z"], rater_slopes=slopes)
    assert model.log_likelihood == pytest.approx(dense_reml(frame, model)[0], abs=1e-7)


def test_variance_of_zero_is_said():
    frame = simulated(5, rater_sd=0.0)
    frame["rating"] -= frame.groupby("rater")["rating"].transform("mean")
    model = fit_lmm(frame, fixed=["size_z"])
    assert model.random_sd["rater"] == 0.0
    assert model.converged
    assert "The variance of rater is estimated as zero." in model.warnings
    assert np.isfinite(list(model.standard_errors.values())).all()


def test_slope_of_no_variance_is_said(likert):
    model = fit_lmm(likert, fixed=["size_z"], rater_slopes=["size_z"])
    assert any("at its limit" in warning for warning in model.warnings)


def test_null_p_values_are_uniform():
    rng = np.random.default_rng(6)
    p_values = []
    for seed in range(40):
        frame = simulated(seed, n_raters=12, n_images=15, per_rater=8)
        shuffled = rng.normal(size=15)[frame["image"]]
        frame["rating"] -= 0.5 * frame["size_z"]
        p_values.append(fit_lmm(frame.assign(size_z=shuffled), fixed=["size_z"]).p_values["size_z"])
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_interval_widens_with_confidence(likert):
    model = fit_lmm(likert, fixed=["size_z"])
    narrow, wide = model.interval(0.5)["size_z"], model.interval(0.95)["size_z"]
    assert wide[0] < narrow[0] < model.estimates["size_z"] < narrow[1] < wide[1]
    told = model.to_dict()
    assert told["intervals"]["size_z"] == list(wide)
    assert "covariance" not in told


def test_rows_with_missing_values_are_dropped_and_counted(likert):
    holed = likert.astype({"rating": float})
    holed.loc[:9, "rating"] = np.nan
    model = fit_lmm(holed, fixed=["size_z"])
    assert (model.n_ratings, model.n_missing) == (470, 10)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fixed": ["weight"]}, "missing: weight"),
        ({"fixed": "size_z"}, "fixed must be a list"),
        ({"fixed": ["group"]}, "group must hold numbers"),
        ({"fixed": ["size_z", "twice"]}, "not collinear"),
        ({"fixed": [], "rater_slopes": ["size_z"]}, "rater_slopes must be among fixed"),
        ({"response": "twice", "fixed": ["size_z"]}, "twice must vary beyond what fixed predicts"),
        ({"response": "constant"}, "constant must vary beyond what fixed predicts"),
        ({"rater": "constant"}, "rater must have at least two levels"),
    ],
)
def test_malformed_input_is_refused(likert, changes, message):
    with pytest.raises(ValueError, match=message):
        fit_lmm(likert.assign(constant=1, twice=2 * likert["size_z"]), **changes)
