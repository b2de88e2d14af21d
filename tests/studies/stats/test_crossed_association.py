from dataclasses import fields
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from studies.stats import crossed_rank_association, rank_association
from studies.stats.crossed_association import Ratings, over_raters, rater_share
from studies.stats.resampling import bootstrap_counts

BRIEFLY = {"n_bootstrap": 199, "n_permutations": 199}


def ratings(seed=0, n_raters=15, n_images=30, per_rater=30, slope_sd=0.0, effect=0.6):
    rng = np.random.default_rng(seed)
    raters = np.repeat(np.arange(n_raters), per_rater)
    images = np.concatenate(
        [rng.choice(n_images, per_rater, replace=False) for _ in range(n_raters)]
    )
    size = rng.normal(size=n_images).round(1)
    latent = (effect + slope_sd * rng.normal(size=n_raters))[raters] * size[images]
    latent += rng.normal(size=n_raters)[raters] + 0.5 * rng.normal(size=n_images)[images]
    latent += rng.logistic(size=raters.size)
    return pd.DataFrame(
        {
            "rater": raters,
            "image": images,
            "predictor": size[images],
            "rating": np.digitize(latent, [-2, -1, 0, 1, 2]) + 1,
        }
    )


def coded(frame):
    images, levels = pd.factorize(frame["image"])
    predictor = frame.groupby("image")["predictor"].first()[levels].to_numpy()
    return Ratings(
        frame["rating"].to_numpy(float),
        frame["rater"].to_numpy(),
        images,
        predictor,
        frame["rater"].nunique(),
    )


@pytest.mark.parametrize("standardise", [False, True])
@pytest.mark.parametrize("method", ["spearman", "kendall"])
def test_estimate_and_permutations_are_those_of_the_image_means(method, standardise):
    frame = ratings(per_rater=12)
    result = crossed_rank_association(frame, method=method, standardise=standardise, **BRIEFLY)
    by_rater = frame.groupby("rater")["rating"]
    z = (frame["rating"] - by_rater.transform("mean")) / by_rater.transform("std")
    frame = frame.assign(z=z if standardise else frame["rating"])
    images = frame.groupby("image", sort=False).agg(x=("predictor", "first"), y=("z", "mean"))
    plain = rank_association(images["x"], images["y"], method, n_permutations=199, n_bootstrap=0)
    assert result.estimate == pytest.approx(plain.estimate, abs=1e-12)
    assert (result.p, result.p_permutation) == pytest.approx((plain.p, plain.p_permutation))
    assert (result.n, result.n_raters, result.n_ratings) == (30, 15, 180)
    assert result.interval[0] < result.estimate < result.interval[1]


@pytest.mark.parametrize("method", ["spearman", "kendall"])
@pytest.mark.parametrize("per_rater", [30, 4])
def test_draws_of_raters_equal_resampled_frames(method, per_rater):
    frame = ratings(1, per_rater=per_rater)
    drawn = over_raters(coded(frame), method, 20, np.random.default_rng(5))
    coefficient = {"spearman": stats.spearmanr, "kendall": stats.kendalltau}[method]
    for value, counts in zip(
        drawn, bootstrap_counts(np.random.default_rng(5), 20, 15), strict=True
    ):
        sample = frame.loc[frame.index.repeat(counts.astype(int)[frame["rater"]])]
        images = sample.groupby("image").agg(x=("predictor", "first"), y=("rating", "mean"))
        assert value == pytest.approx(coefficient(images["x"], images["y"]).statistic, abs=1e-12)


def test_sparse_and_dense_tables_draw_alike(monkeypatch):
    table = coded(ratings(2, per_rater=4))
    dense = over_raters(table, "spearman", 50, np.random.default_rng(0))
    monkeypatch.setattr("studies.stats.crossed_association.DENSE_CELLS", 0)
    sparse = over_raters(table, "spearman", 50, np.random.default_rng(0))
    assert sparse == pytest.approx(dense, abs=1e-12)


def test_share_of_raters_equals_its_definition():
    frame = ratings(3, n_raters=6, n_images=7, per_rater=5, slope_sd=1.0)
    table = coded(frame)
    means = table.means()

    def correlation(values):
        return np.corrcoef(stats.rankdata(table.predictor), values)[0, 1]

    step = 1e-6
    influence = [
        (correlation(means + step * e) - correlation(means - step * e)) / (2 * step)
        for e in np.eye(means.size)
    ]
    whole = own = 0.0
    for rater in range(6):
        rows = table.rater == rater
        images = table.image[rows]
        pull = (np.array(influence) / np.bincount(table.image))[images]
        deviation = table.rating[rows] - means[images]
        whole += (pull @ deviation) ** 2
        pull, deviation = pull - pull.mean(), deviation - deviation.mean()
        shuffled = [(pull @ np.array(order)) ** 2 for order in permutations(deviation)]
        own += (pull @ deviation) ** 2 - np.mean(shuffled)
    assert rater_share(table, means) == pytest.approx(min(1, max(0, own / whole)), abs=1e-6)


def test_raters_of_one_mind_leave_the_interval_over_images():
    frame = ratings(4)
    frame["rating"] = frame["image"] % 7 + frame["rater"]
    result = crossed_rank_association(frame, **BRIEFLY)
    images = frame.groupby("image", sort=False)[["predictor", "rating"]].mean()
    plain = rank_association(images["predictor"], images["rating"], **BRIEFLY)
    assert result.rater_share == 0
    assert result.interval == pytest.approx(plain.interval, abs=1e-12)


def test_raters_who_disagree_widen_the_interval():
    widths = {}
    for slope_sd in (0.0, 1.5):
        result = crossed_rank_association(ratings(5, slope_sd=slope_sd, effect=0.0), **BRIEFLY)
        widths[slope_sd] = result.interval[1] - result.interval[0]
    assert widths[1.5] > 1.2 * widths[0.0]
    assert result.rater_share > 0.5


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), per_rater=st.sampled_from([5, 12, 30]))
def test_mirrored_predictor_mirrors_the_result(seed, per_rater):
    frame = ratings(seed, per_rater=per_rater, slope_sd=0.5)
    plain = crossed_rank_association(frame, **BRIEFLY)
    mirrored = crossed_rank_association(frame.assign(predictor=-frame["predictor"]), **BRIEFLY)
    assert mirrored.estimate == pytest.approx(-plain.estimate, abs=1e-12)
    assert mirrored.rater_share == pytest.approx(plain.rater_share, abs=1e-12)
    assert mirrored.interval == pytest.approx((-plain.interval[1], -plain.interval[0]), abs=1e-6)
    assert -1 <= plain.interval[0] <= plain.interval[1] <= 1


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000))
def test_standardised_ratings_do_not_know_a_raters_use_of_the_scale(seed):
    frame = ratings(seed, per_rater=12)
    rng = np.random.default_rng(seed)
    scale, origin = rng.uniform(0.5, 2, 15), rng.normal(size=15)
    moved = frame.assign(
        rating=scale[frame["rater"]] * frame["rating"] + origin[frame["rater"]],
        rater=frame["rater"].map(lambda code: f"person {code}"),
    )
    plain, other = (
        crossed_rank_association(each, standardise=True, **BRIEFLY) for each in (frame, moved)
    )
    assert other.estimate == pytest.approx(plain.estimate, abs=1e-9)
    assert other.rater_share == pytest.approx(plain.rater_share, abs=1e-9)


def test_same_seed_gives_the_same_result():
    first, again, other = (
        crossed_rank_association(ratings(6), seed=seed, **BRIEFLY) for seed in (1, 1, 2)
    )
    assert first == again
    assert first.interval != other.interval


def test_missing_values_are_dropped_and_counted():
    frame = ratings(7).astype({"rating": float})
    frame.loc[:9, "rating"] = np.nan
    result = crossed_rank_association(frame, **BRIEFLY)
    assert (result.n_ratings, result.n_missing) == (440, 10)


def test_what_is_not_defined_is_explained():
    frame = ratings(8)
    constant = crossed_rank_association(frame.assign(predictor=1.0), **BRIEFLY)
    assert (constant.estimate, constant.interval, constant.p_permutation) == (None, None, None)
    assert "predictor takes a single value in all 30 images" in constant.warnings[0]
    nothing = crossed_rank_association(frame.assign(rating=np.nan), standardise=True, **BRIEFLY)
    assert "0 images" in nothing.warnings[0]
    flat = frame.assign(rating=frame["rating"].where(frame["rater"] > 1, 3))
    result = crossed_rank_association(flat, standardise=True, **BRIEFLY)
    assert result.warnings == ("Raters left out because they never varied: 2.",)
    assert result.n_raters == 13
    alone = crossed_rank_association(frame[frame["rater"] == 0], **BRIEFLY)
    assert any("Raters: 1." in warning for warning in alone.warnings)
    assert alone.to_dict()["interval"] == list(alone.interval)
    assert {"estimate", "interval", "p", "p_permutation", "n", "n_raters"} <= {
        field.name for field in fields(alone)
    }


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"predictor": range(450)}, {}, "predictor must have one value per image"),
        ({"rating": "good"}, {}, "rating must hold numbers"),
        ({}, {"method": "pearson"}, "method must be one of"),
        ({}, {"rater": "judge"}, "missing: judge"),
        ({}, {"rater": "image"}, "must differ"),
        ({}, {"n_bootstrap": -1}, "n_bootstrap must be a whole number"),
    ],
)
def test_unusable_input_is_refused(changes, options, message):
    with pytest.raises(ValueError, match=message):
        crossed_rank_association(ratings(9).assign(**changes), **options)
