"""Plans by simulation: what goes in comes out, and more raters or a larger effect help."""

import json

import numpy as np
import pytest
from scipy import stats

from studies.stats import (
    CostRates,
    RatingDesign,
    RatingModel,
    fit_clmm,
    fit_lmm,
    plan_study,
    rating_model,
    simulate_ratings,
)
from studies.stats._replicates import Replicate, Task, replicate
from studies.stats.planning import _cell

SMALL = RatingDesign(n_images=24, n_raters=12, ratings_per_image=6)


@pytest.fixture(scope="module")
def grid():
    """Two sizes and two effects, with the seeds of the replicates in pairs."""
    designs = [
        RatingDesign(n_images=24, n_raters=raters, ratings_per_image=k)
        for raters, k in ((6, 3), (20, 10))
    ]
    models = [rating_model(effect, thresholds=(-1, 1)) for effect in (0.3, 0.9)]
    return plan_study(models, designs, n_replicates=20, seed=5)


def test_power_rises_with_raters_and_with_the_effect(grid):
    power = np.array([cell.rejections.estimate for cell in grid.cells]).reshape(2, 2)
    assert np.all(np.diff(power, axis=0) > 0.15)
    assert np.all(np.diff(power, axis=1) > 0.05)


def test_intervals_narrow_with_raters_and_cover_the_effect(grid):
    few, many = grid.cells[:2]
    assert many.width_mean < 0.8 * few.width_mean
    for cell in grid.cells:
        low, high = cell.coverage.interval
        assert low <= 0.95 <= high
        assert abs(cell.bias) < 4 * cell.bias_error
        assert list(cell.width_quantiles.values()) == sorted(cell.width_quantiles.values())


def test_an_effect_of_zero_is_rejected_as_often_as_alpha_says():
    design = RatingDesign(n_images=30, n_raters=12, ratings_per_image=6)
    model = rating_model(0.0, thresholds=(-1, 1))
    cell = plan_study([model], [design], n_replicates=60, alpha=0.2, seed=3).cells[0]
    assert cell.rejections_are == "type I error"
    # An alpha of 0.2 is held to more sharply than one of 0.05 by as many studies.
    for share in (cell.rejections, cell.spearman_rejections):
        low, high = share.interval
        assert low <= 0.2 <= high


def test_workers_do_not_change_the_numbers():
    arguments = {"models": [rating_model(0.5, slope_sd=0.3)], "designs": [SMALL]}
    one, two = (
        plan_study(**arguments, n_replicates=4, seed=7, n_workers=workers) for workers in (1, 2)
    )
    assert one == two
    other = plan_study(**arguments, n_replicates=4, seed=8)
    assert other.cells[0].bias != one.cells[0].bias


def test_more_replicates_begin_with_the_same_studies():
    task = Task(SMALL, rating_model(0.5), False, 0.95, 7, 2)
    assert replicate(task) == replicate(task)
    assert replicate(task) != replicate(Task(SMALL, rating_model(0.5), False, 0.95, 7, 3))


def test_progress_counts_every_study_of_every_cell():
    seen = []
    plan_study(
        [rating_model(0.5)],
        [SMALL, SMALL],
        n_replicates=2,
        progress=lambda *counts: seen.append(counts),
    )
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_studies_without_a_fit_count_as_not_significant_and_are_said():
    fitted = Replicate(True, True, 0.4, 0.001, (0.2, 0.6), 0.3, 0.01)
    lost = Replicate(False, False, None, None, None, None, None)
    unclear = Replicate(False, False, 9.0, 0.0001, (0.0, 18.0), 0.2, 0.2)
    cell = _cell(
        rating_model(0.5),
        SMALL,
        False,
        [fitted, fitted, lost, unclear],
        alpha=0.05,
        cost=CostRates(),
    )
    assert (cell.n_converged, cell.n_boundary, cell.n_failed) == (2, 2, 1)
    assert (cell.rejections.count, cell.rejections.n) == (2, 4)
    assert cell.coverage.n == 2
    assert cell.bias == pytest.approx(-0.1)
    assert cell.width_mean == pytest.approx(0.4)
    assert "In 2 of 4 simulated studies the model did not converge" in cell.warnings[0]


def test_where_no_fit_is_usable_nothing_is_invented():
    lost = Replicate(False, False, None, None, None, None, None)
    cell = _cell(rating_model(0.5), SMALL, False, [lost], alpha=0.05, cost=CostRates())
    assert cell.rejections.estimate == 0
    assert cell.coverage is cell.bias is cell.width_mean is cell.spearman is None
    assert cell.row()["coverage_low"] is None
    json.dumps(cell.to_dict(), allow_nan=False)


def test_ratings_all_alike_are_a_study_that_shows_nothing():
    everybody_says_one = RatingModel(effect=0.1, thresholds=(60.0,), rater_sd=1, image_sd=1)
    found = replicate(Task(SMALL, everybody_says_one, False, 0.95, 0, 0))
    assert found == Replicate(False, False, None, None, None, None, None)


def test_cheapest_design_with_enough_power(grid):
    found = grid.cheapest(0.8)
    assert found[0.3] is None
    assert found[0.9].rejections.estimate >= 0.8
    assert plan_study([rating_model(0.0)], [SMALL], n_replicates=1).cheapest() == {}


def test_json_and_rows_say_that_all_is_simulated(grid):
    told = json.loads(json.dumps(grid.to_dict(), allow_nan=False))
    assert told["simulated"] is True
    assert len(told["cells"]) == 4
    cell = told["cells"][0]
    assert cell["design"]["n_ratings"] == 72
    assert sum(cell["model"]["proportions"]) == pytest.approx(1)
    assert cell["rejections"]["n"] == cell["n_replicates"] == 20
    rows = grid.frame()
    assert rows["simulated"].all()
    assert rows["rejections"].tolist() == [cell["rejections"]["estimate"] for cell in told["cells"]]


def test_the_reader_is_told_what_a_plan_leaves_out():
    sloped = rating_model(0.5, slope_sd=0.4)
    plan = plan_study([sloped], [SMALL], n_replicates=1, rater_slopes=False)
    assert any("leaves them out" in warning for warning in plan.warnings)
    assert any("Spearman's rho of image means knows no raters" in text for text in plan.warnings)
    uneven = RatingDesign(n_images=10, n_raters=4, ratings_per_image=3)
    cell = plan_study([rating_model(0.0)], [uneven], n_replicates=1).cells[0]
    assert "some have 7 trials and some 8" in cell.warnings[-1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": []}, "models must hold at least one; got none"),
        ({"designs": []}, "designs must hold at least one; got none"),
        ({"n_replicates": 0}, "n_replicates must be 1 or more; got 0"),
        ({"n_workers": 0}, "n_workers must be 1 or more; got 0"),
        ({"alpha": 1.5}, "alpha must be between 0 and 1, exclusive; got 1.5"),
        ({"confidence_level": 0}, "confidence_level must be between 0 and 1"),
        ({"seed": -1}, "seed must be a whole number, 0 or more; got -1"),
        ({"analysis": "anova"}, "analysis must be"),
        ({"analysis": "lmm", "values": (1, 2)}, "values must be one number for each category"),
    ],
)
def test_malformed_plans_are_refused(changes, message):
    arguments = {"models": [rating_model(0.5)], "designs": [SMALL]} | changes
    with pytest.raises(ValueError, match=message):
        plan_study(**arguments)


def test_simulated_ratings_give_back_their_model():
    model = rating_model(0.6, proportions=[1, 2, 3, 2], rater_sd=0.9, image_sd=0.7)
    design = RatingDesign(n_images=150, n_raters=60, ratings_per_image=20)
    fit = fit_clmm(simulate_ratings(design, model, seed=2), fixed=["predictor"])
    assert fit.estimates["predictor"] == pytest.approx(0.6, abs=0.2)
    assert fit.random_sd["image"] == pytest.approx(0.7, abs=0.12)
    assert fit.random_sd["rater"] == pytest.approx(0.9, abs=0.25)
    assert list(fit.thresholds.values()) == pytest.approx(model.thresholds, abs=0.4)


def test_spearman_is_that_of_image_means():
    ratings = simulate_ratings(SMALL, rating_model(0.8), np.random.SeedSequence(7, spawn_key=(0,)))
    means = ratings.groupby("image")[["predictor", "rating"]].mean()
    expected = stats.spearmanr(means["predictor"], means["rating"])
    found = replicate(Task(SMALL, rating_model(0.8), False, 0.95, 7, 0))
    assert found.spearman == pytest.approx(expected.statistic)
    assert found.spearman_p == pytest.approx(expected.pvalue)


def test_the_linear_model_is_that_of_the_answers_as_numbers():
    model = rating_model(0.8, proportions=[1, 1, 1], slope_sd=0.3)
    values = (0.0, 10.0, 40.0)
    ratings = simulate_ratings(SMALL, model, np.random.SeedSequence(7, spawn_key=(0,)))
    ratings["rating"] = np.array(values)[ratings["rating"] - 1]
    fit = fit_lmm(ratings, fixed=["predictor"], rater_slopes=["predictor"])
    found = replicate(Task(SMALL, model, True, 0.95, 7, 0, "lmm", values))
    assert found.p == fit.p_values["predictor"]
    assert found.interval == fit.interval(0.95)["predictor"]
    plan = plan_study(
        [model], [SMALL], n_replicates=1, seed=7, rater_slopes=True, analysis="lmm", values=values
    )
    assert plan.cells[0].coverage is plan.cells[0].bias is None
    assert plan.cells[0].width_mean == pytest.approx(np.diff(found.interval)[0])
    assert "linear mixed model" in plan.method
    json.dumps(plan.to_dict(), allow_nan=False)


def test_each_study_is_analysed_as_it_will_be_reported():
    model = rating_model(0.8, slope_sd=0.3)
    ratings = simulate_ratings(SMALL, model, np.random.SeedSequence(7, spawn_key=(0,)))
    fit = fit_clmm(ratings, fixed=["predictor"], rater_slopes=["predictor"])
    found = replicate(Task(SMALL, model, True, 0.9, 7, 0))
    assert found.p == fit.small_sample().p_values["predictor"]
    assert found.interval == fit.small_sample(0.9).intervals["predictor"]
