"""Plans of comparisons: what is simulated is given back, and pilots of choices feed it."""

import numpy as np
import pandas as pd
import pytest

from studies.stats import (
    ChoiceDesign,
    ChoiceModel,
    RatingDesign,
    choice_pilot_estimates,
    fit_rao_kupper,
    plan_study,
    rating_model,
    simulate_choices,
)
from studies.stats._abilities import rank_interval, slope_of_abilities

MODEL = ChoiceModel(effect=0.8, thresholds=(-0.4, 0.4), rater_sd=0.0, image_sd=0.6)
LARGE = ChoiceDesign(n_images=60, n_raters=30, ratings_per_image=40)


@pytest.fixture(scope="module")
def study():
    return simulate_choices(LARGE, MODEL, seed=3)


def test_every_image_is_compared_as_often_and_every_rater_compares_as_much(study):
    choices, predictor = study
    sides = np.bincount(np.append(choices["left"], choices["right"]))
    assert set(sides) == {40}
    assert set(choices["rater"].value_counts()) == {40}
    assert not (choices["left"] == choices["right"]).any()
    assert abs(choices["left"].value_counts().mean() - 20) < 1
    assert (predictor.mean(), predictor.std()) == (pytest.approx(0), pytest.approx(1))


@pytest.mark.parametrize("n_images", [5, 7, 9])
def test_with_an_odd_number_of_images_none_is_compared_with_itself(n_images):
    design = ChoiceDesign(n_images=n_images, n_raters=2, ratings_per_image=20)
    for seed in range(20):
        choices, _ = simulate_choices(design, MODEL, seed)
        assert not (choices["left"] == choices["right"]).any()
        assert set(np.bincount(np.append(choices["left"], choices["right"]))) == {20}


def test_shares_of_choices_are_those_that_the_model_says():
    design = ChoiceDesign(n_images=400, n_raters=40, ratings_per_image=40)
    choices, _ = simulate_choices(design, MODEL, seed=1)
    seen = choices["choice"].value_counts(normalize=True)[["right", "tie", "left"]]
    assert seen.tolist() == pytest.approx(MODEL.proportions().tolist(), abs=0.02)


def test_a_pilot_gives_back_the_model_that_it_was_drawn_from(study):
    choices, predictor = study
    found = choice_pilot_estimates(choices, dict(enumerate(predictor)))
    assert abs(found.effect - 0.8) < 3 * found.standard_error
    assert found.standard_error == pytest.approx(0.6 / np.sqrt(60), rel=0.35)
    assert found.image_sd == pytest.approx(0.6, abs=0.2)
    assert list(found.thresholds) == ["right|tie", "tie|left"]
    assert list(found.thresholds.values()) == pytest.approx([-0.4, 0.4], abs=0.12)
    assert (found.n_ratings, found.n_raters, found.n_images) == (1200, 30, 60)
    low, high = found.interval
    assert low < found.safeguard_effect() < found.effect < high
    assert not any("too far apart" in said for said in found.warnings)


def test_few_comparisons_are_said():
    design = ChoiceDesign(n_images=30, n_raters=6, ratings_per_image=12)
    choices, predictor = simulate_choices(design, MODEL, seed=3)
    found = choice_pilot_estimates(choices, dict(enumerate(predictor)))
    assert any("12 comparisons each lie too far apart" in said for said in found.warnings)


def test_without_ties_there_is_one_threshold(study):
    choices, predictor = study
    found = choice_pilot_estimates(
        choices[choices["choice"] != "tie"], dict(enumerate(predictor)), simulated=True
    )
    assert found.thresholds == {"right|left": 0.0}
    assert found.simulated
    assert "simulated" in found.warnings[0]


def test_the_regression_is_ordinary_where_errors_are_nothing():
    rng = np.random.default_rng(0)
    x = rng.normal(size=40)
    y = 0.5 * x + rng.normal(size=40)
    found = slope_of_abilities(y, np.zeros((40, 40)), x)
    expected = np.polyfit(x, y, 1)
    assert found.estimate == pytest.approx(expected[0], rel=1e-6)
    left_over = y - np.polyval(expected, x)
    assert found.image_sd == pytest.approx(np.sqrt(left_over @ left_over / 38), rel=1e-3)


def test_intervals_of_rho_hold_it_as_often_as_they_say():
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(400):
        x = rng.normal(size=60)
        y = 0.5 * x + np.sqrt(0.75) * rng.normal(size=60)
        rho = pd.Series(x).corr(pd.Series(y), method="spearman")
        low, high = rank_interval(rho, 60, 0.95)
        # The rank correlation of a bivariate normal with r = 0.5.
        inside += low <= 6 / np.pi * np.arcsin(0.25) <= high
    assert 0.92 <= inside / 400 <= 0.98
    assert rank_interval(1.0, 60, 0.95) is None
    assert rank_interval(0.5, 3, 0.95) is None


def test_power_rises_with_comparisons_and_none_is_invented():
    designs = [ChoiceDesign(n_images=20, n_raters=10, ratings_per_image=k) for k in (4, 16)]
    model = ChoiceModel(effect=0.6, thresholds=(0.0,), rater_sd=0.0, image_sd=0.6)
    plan = plan_study([model], designs, n_replicates=30, seed=2, analysis="ranks")
    few, many = plan.cells
    assert many.rejections.estimate > few.rejections.estimate + 0.1
    assert many.width_mean < few.width_mean
    assert many.reliability > few.reliability
    assert few.coverage is few.bias is None
    assert not few.rater_slopes
    assert "Rao and Kupper" in plan.method
    assert plan == plan_study([model], designs, n_replicates=30, seed=2, analysis="ranks")


def test_the_reliability_that_is_said_is_about_that_of_the_abilities():
    reliabilities = [
        fit_rao_kupper(simulate_choices(LARGE, MODEL, seed)[0]).separation_reliability
        for seed in range(4)
    ]
    assert MODEL.reliability(40) == pytest.approx(np.mean(reliabilities), abs=0.04)


def test_comparisons_and_ratings_are_not_mixed():
    ratings = RatingDesign(n_images=20, n_raters=10, ratings_per_image=4)
    comparisons = ChoiceDesign(n_images=20, n_raters=10, ratings_per_image=4)
    for model, design, analysis in (
        (MODEL, comparisons, "clmm"),
        (MODEL, ratings, "ranks"),
        (rating_model(0.5), comparisons, "ranks"),
        (rating_model(0.5), ratings, "ranks"),
    ):
        with pytest.raises(ValueError, match="analysis must be 'ranks' where all designs"):
            plan_study([model], [design], n_replicates=1, analysis=analysis)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_images": 3}, "n_images must be a whole number, 4 or more"),
        ({"n_images": 5, "ratings_per_image": 3}, "ratings_per_image must be even"),
        ({"n_raters": 9}, "n_raters must be at most half of all comparisons"),
    ],
)
def test_impossible_designs_are_refused(changes, message):
    values = {"n_images": 8, "n_raters": 4, "ratings_per_image": 4} | changes
    with pytest.raises(ValueError, match=message):
        ChoiceDesign(**values)


@pytest.mark.parametrize(
    ("choice", "predictor", "message"),
    [
        ("tie", range(60), "must give 5 images or more a finite ability"),
        (None, [1] * 60, "predictor must be known and vary"),
        (None, range(10), "predictor must be known and vary"),
    ],
)
def test_unusable_pilots_are_refused(study, choice, predictor, message):
    choices = study[0] if choice is None else study[0].assign(choice=choice)
    with pytest.raises(ValueError, match=message):
        choice_pilot_estimates(choices, dict(enumerate(predictor)))
