import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from scipy.special import expit, logit

from studies.stats import fit_rao_kupper

# ordinal::clm 2022.11-16 on the comparisons of `simulated`, signed image indicators, the first
# image as reference: symmetric thresholds, then free ones.
R_SYMMETRIC = {
    "logLik": -563.093812248,
    "tie": (0.6753554309, 0.0496688010),
    "ability_3": (-0.1517777896, 0.2470512178),
}
R_FREE = {
    "logLik": -552.221140229,
    "right|tie": -1.0811707878,
    "tie|left": 0.3091027553,
    "ability_3": (-0.1419104240, 0.2491083652),
}


def simulated(seed=0, n_images=12, n=600, threshold=0.7, position=0.4):
    """Random comparisons with ties and an advantage of the left image."""
    rng = np.random.default_rng(seed)
    ability = rng.normal(size=n_images)
    left = rng.integers(n_images, size=n)
    right = (left + 1 + rng.integers(n_images - 1, size=n)) % n_images
    latent = ability[left] - ability[right] + position + rng.logistic(size=n)
    choice = np.select([latent > threshold, latent < -threshold], ["left", "right"], "tie")
    return pd.DataFrame({"left": left, "right": right, "choice": choice})


def mirrored(frame):
    other = {"left": "right", "right": "left", "tie": "tie"}
    return pd.DataFrame(
        {"left": frame["right"], "right": frame["left"], "choice": frame["choice"].map(other)}
    )


def counted(**counts):
    """Comparisons of a with b: so many of each choice."""
    choices = [choice for choice, count in counts.items() for _ in range(count)]
    return pd.DataFrame({"left": "a", "right": "b", "choice": choices})


def test_equals_clm_on_signed_indicators():
    model = fit_rao_kupper(simulated(), reference=0)
    assert model.converged
    assert model.log_likelihood == pytest.approx(R_SYMMETRIC["logLik"], abs=1e-6)
    assert (model.tie, model.tie_standard_error) == pytest.approx(R_SYMMETRIC["tie"], rel=1e-6)
    assert (model.abilities[3], model.standard_errors[3]) == pytest.approx(
        R_SYMMETRIC["ability_3"], rel=1e-6
    )
    assert (model.abilities[0], model.standard_errors[0]) == (0.0, 0.0)


def test_position_effect_equals_free_thresholds_of_clm():
    model = fit_rao_kupper(simulated(), reference=0, position_effect=True)
    assert model.log_likelihood == pytest.approx(R_FREE["logLik"], abs=1e-6)
    assert -model.tie - model.position_effect == pytest.approx(R_FREE["right|tie"], rel=1e-6)
    assert model.tie - model.position_effect == pytest.approx(R_FREE["tie|left"], rel=1e-6)
    assert (model.abilities[3], model.standard_errors[3]) == pytest.approx(
        R_FREE["ability_3"], rel=1e-6
    )
    low, high = model.position_interval()
    assert low < model.position_effect < high
    assert model.position_p < 1e-4


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 30))
@settings(max_examples=30, deadline=None)
def test_two_images_have_a_closed_form(won, lost, tied):
    model = fit_rao_kupper(counted(left=won, right=lost, tie=tied))
    n = won + lost + tied
    difference = (logit(won / n) - logit(lost / n)) / 2
    assert model.abilities["a"] == pytest.approx(difference / 2, abs=1e-8)
    assert model.abilities["b"] == pytest.approx(-difference / 2, abs=1e-8)
    assert model.tie == pytest.approx(-(logit(won / n) + logit(lost / n)) / 2, abs=1e-8)
    shares = np.array([won, lost, tied]) / n
    assert model.log_likelihood == pytest.approx(n * shares @ np.log(shares), abs=1e-8)


def test_standard_error_of_two_images_without_ties_is_that_of_a_log_odds():
    model = fit_rao_kupper(counted(left=6, right=2), reference="b")
    assert model.abilities["a"] == pytest.approx(np.log(3), abs=1e-8)
    assert model.standard_errors["a"] == pytest.approx(np.sqrt(1 / 6 + 1 / 2), abs=1e-8)
    assert model.standard_errors["b"] == 0.0


@pytest.mark.parametrize("position_effect", [False, True])
def test_equals_brute_force_maximisation(position_effect):
    frame = simulated(1, n_images=5, n=150)
    signs = np.zeros((150, 5))
    signs[np.arange(150), frame["left"]] += 1
    signs[np.arange(150), frame["right"]] -= 1

    def loss(values):
        latent = signs[:, 1:] @ values[:4] + position_effect * values[5]
        won, lost = expit(latent - np.exp(values[4])), expit(-latent - np.exp(values[4]))
        probability = np.select(
            [frame["choice"] == "left", frame["choice"] == "right"], [won, lost], 1 - won - lost
        )
        return -np.log(np.maximum(probability, 1e-300)).sum()

    found = optimize.minimize(loss, np.zeros(6), method="BFGS", options={"gtol": 1e-7})
    found = optimize.minimize(
        loss, found.x, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11}
    )
    model = fit_rao_kupper(frame, reference=0, position_effect=position_effect)
    assert model.log_likelihood == pytest.approx(-found.fun, abs=1e-8)
    assert [model.abilities[image] for image in range(1, 5)] == pytest.approx(found.x[:4], abs=1e-5)
    assert model.tie == pytest.approx(np.exp(found.x[4]), abs=1e-5)


def test_without_ties_it_is_bradley_terry_and_said():
    frame = simulated(2, n_images=6, n=300, threshold=0.0)
    model = fit_rao_kupper(frame)
    assert model.tie == 0.0
    assert model.tie_standard_error is None
    assert any("Bradley-Terry" in warning for warning in model.warnings)
    # Zermelo's fixed point: won = sum of n_ij p_i / (p_i + p_j).
    winner = np.where(frame["choice"] == "left", frame["left"], frame["right"])
    won = np.bincount(winner, minlength=6)
    met = np.zeros((6, 6))
    np.add.at(met, (frame["left"], frame["right"]), 1)
    met += met.T
    strength = np.ones(6)
    for _ in range(3000):
        strength = won / (met / (strength[:, None] + strength)).sum(axis=1)
    expected = np.log(strength) - np.log(strength).mean()
    assert [model.abilities[image] for image in range(6)] == pytest.approx(expected, abs=1e-8)


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=15, deadline=None)
def test_sides_order_and_names_are_indifferent(seed, position_effect):
    frame = simulated(seed, n_images=5, n=120)
    plain = fit_rao_kupper(frame, position_effect=position_effect)
    swapped = fit_rao_kupper(
        mirrored(frame).sample(frac=1, random_state=0), position_effect=position_effect
    )
    named = fit_rao_kupper(
        frame.replace({"left": {i: f"z{9 - i}" for i in range(5)}}).replace(
            {"right": {i: f"z{9 - i}" for i in range(5)}}
        ),
        position_effect=position_effect,
    )
    assert plain.log_likelihood == pytest.approx(swapped.log_likelihood, abs=1e-8)
    for image in range(5):
        assert plain.abilities[image] == pytest.approx(swapped.abilities[image], abs=1e-6)
        assert plain.abilities[image] == pytest.approx(named.abilities[f"z{9 - image}"], abs=1e-6)
    # An image that always won or always lost has no finite ability, in any of the three.
    finite = [ability for ability in plain.abilities.values() if ability is not None]
    assert sum(finite) == pytest.approx(0, abs=1e-9)
    if position_effect and plain.position_effect is not None:
        assert plain.position_effect == pytest.approx(-swapped.position_effect, abs=1e-6)


def test_reference_moves_abilities_and_leaves_fit_and_reliability():
    centred, against = fit_rao_kupper(simulated()), fit_rao_kupper(simulated(), reference=7)
    assert against.log_likelihood == centred.log_likelihood
    assert against.separation_reliability == centred.separation_reliability
    difference = centred.abilities[3] - centred.abilities[7]
    assert against.abilities[3] == pytest.approx(difference, abs=1e-9)
    contrast = np.zeros(12)
    contrast[3], contrast[7] = 1, -1
    expected = np.sqrt(contrast @ centred.covariance @ contrast)
    assert against.standard_errors[3] == pytest.approx(expected, rel=1e-9)
    low, high = against.interval(0.95)[3]
    assert low < against.abilities[3] < high


def test_separation_reliability_is_the_share_of_variance_that_is_not_error():
    model = fit_rao_kupper(simulated())
    variance = np.var(list(model.abilities.values()), ddof=1)
    error = np.mean(np.square(list(model.standard_errors.values())))
    assert model.separation_reliability == pytest.approx(1 - error / variance, abs=1e-12)


def test_image_that_always_wins_is_said_and_leaves_the_rest_as_without_it():
    frame = simulated(3, n_images=6, n=300, position=0.0)
    champion = pd.DataFrame({"left": ["best"] * 3, "right": [0, 1, 2], "choice": ["left"] * 3})
    alone = fit_rao_kupper(frame)
    model = fit_rao_kupper(pd.concat([frame, champion]))
    assert not model.converged
    assert model.abilities["best"] is None
    assert any("best (always won)" in warning for warning in model.warnings)
    assert model.interval()["best"] is None
    assert {image: model.abilities[image] for image in range(6)} == pytest.approx(alone.abilities)
    assert model.log_likelihood == pytest.approx(alone.log_likelihood)
    with pytest.raises(ValueError, match="reference must have a finite ability; got 'best'"):
        fit_rao_kupper(pd.concat([frame, champion]), reference="best")


def test_disconnected_comparisons_are_said():
    first, second = simulated(4, n_images=6, n=200), simulated(5, n_images=3, n=60)
    second[["left", "right"]] += 100
    model = fit_rao_kupper(pd.concat([first, second]))
    assert not model.converged
    assert any("2 disconnected pieces" in warning for warning in model.warnings)
    assert [image for image, ability in model.abilities.items() if ability is None] == [
        100,
        101,
        102,
    ]
    assert sum(model.abilities[image] for image in range(6)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("frame", "position_effect"),
    [
        (counted(left=5), False),
        (counted(tie=5), False),
        (pd.concat([counted(left=5), mirrored(counted(right=4))]), True),
    ],
    ids=["one side wins all", "ties only", "left wins all"],
)
def test_no_finite_estimate_is_said(frame, position_effect):
    model = fit_rao_kupper(frame, position_effect=position_effect)
    assert not model.converged
    assert set(model.abilities.values()) == {None}
    assert model.log_likelihood is None
    assert any("separated" in warning for warning in model.warnings)
    assert model.to_dict()["intervals"] == {"a": None, "b": None}


def test_missing_rows_are_counted_and_categories_are_taken_as_they_are():
    frame = simulated(6, n_images=4, n=80).astype("category")
    frame.loc[:4, "choice"] = np.nan
    model = fit_rao_kupper(frame)
    assert (model.n_comparisons, model.n_missing) == (75, 5)
    assert list(model.abilities) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"choice": "winner"}, "missing: winner"),
        ({"choice": "right"}, "must be three columns; got left, right and right"),
        ({"choice": "verdict"}, "verdict must be 'left', 'right' or 'tie'; got draw"),
        ({"right": "twin"}, "left and twin must be different images; got 'a' twice"),
        ({"reference": "c"}, "reference must be one of the compared images; got 'c'"),
    ],
)
def test_malformed_input_is_refused(changes, message):
    frame = counted(left=3, right=2, tie=1).assign(verdict="draw", twin="a")
    with pytest.raises(ValueError, match=message):
        fit_rao_kupper(frame, **changes)
    with pytest.raises(ValueError, match="at least one complete comparison"):
        fit_rao_kupper(counted())
