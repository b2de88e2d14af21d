"""Measures of the experiments against slow versions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanning import Background, scan_images
from scanning.detection import auc
from scanning.detection._measures import score_of_all
from scanning.experiments.measures import (
    Contrast,
    all_nodes_score,
    all_nodes_scores,
    counts_at,
    derived_seed,
    floored,
    most_extreme,
)
from scanning.experiments.sizes import predicted_size
from scanning.pvalues import RankedPvalues


@pytest.fixture(scope="module")
def ranked():
    rng = np.random.default_rng(0)
    background = Background.fit(rng.normal(size=(99, 30)))
    return background.ranks(rng.normal(0.3, 1.2, size=(12, 30)))


@settings(max_examples=30)
@given(
    above=st.lists(st.integers(0, 5), min_size=2, max_size=12),
    below=st.lists(st.integers(0, 5), min_size=2, max_size=12),
)
def test_contrast_is_the_mann_whitney_statistic(above, below):
    found = Contrast(len(above), len(below), 3, seed=1)(above, below)
    assert found["auc"] == pytest.approx(auc(above, below, n_bootstrap=0).value, abs=1e-6)
    assert all(0 <= value <= 1 for value in found["draws"])
    turned = Contrast(len(above), len(below), 3, seed=1)([-a for a in above], [-b for b in below])
    np.testing.assert_allclose(np.add(turned["draws"], found["draws"]), 1, atol=2e-4)


def test_contrast_draws_spread_as_a_bootstrap_does():
    rng = np.random.default_rng(0)
    above, below = rng.normal(1, 1, 80), rng.normal(0, 1, 80)
    draws = Contrast(80, 80, 800, seed=2)(above, below)["draws"]
    usual = auc(above, below, n_bootstrap=800, seed=3)
    low, high = np.quantile(draws, [0.025, 0.975])
    assert low == pytest.approx(usual.low, abs=0.02)
    assert high == pytest.approx(usual.high, abs=0.02)


@pytest.mark.parametrize("statistic", ["berk_jones", "higher_criticism", "kolmogorov_smirnov"])
@pytest.mark.parametrize("alpha_max", [0.05, 0.5, 1.0])
def test_score_of_all_nodes_equals_the_slow_one(ranked, statistic, alpha_max):
    pvalues = ranked.pvalues()
    slow = [score_of_all(row, statistic, alpha_max) for row in pvalues]
    np.testing.assert_allclose(all_nodes_scores(ranked, statistic, alpha_max), slow, rtol=1e-9)
    assert all_nodes_score(ranked, statistic, alpha_max) == pytest.approx(
        score_of_all(pvalues, statistic, alpha_max)
    )


@settings(max_examples=40)
@given(level=st.floats(0.001, 1.0))
def test_counts_and_floors_do_what_they_say(level):
    rng = np.random.default_rng(1)
    background = Background.fit(rng.normal(size=(49, 8)))
    some = background.ranks(rng.normal(size=(5, 8)))
    pvalues = some.pvalues()
    assert counts_at(some, level).tolist() == (pvalues <= level + 1e-9).sum(axis=1).tolist()
    raised = floored(some, level).pvalues()
    assert raised.min() >= level - 1e-9
    kept = pvalues >= level + 0.02
    np.testing.assert_array_equal(raised[kept], pvalues[kept])


def test_a_floor_takes_away_what_a_few_extreme_nodes_gain():
    background = Background.fit(np.arange(999.0)[:, None].repeat(100, axis=1))
    image = np.full(100, 500.0)
    image[:20] = 2_000.0
    image[20:50] = 820.0
    ranked = background.ranks(image[None])
    assert scan_images(ranked).sizes[0] == 20
    assert scan_images(floored(ranked, 0.2)).sizes[0] == 50


@pytest.mark.parametrize("statistic", ["berk_jones", "higher_criticism", "kolmogorov_smirnov"])
@pytest.mark.parametrize("n_on", [0, 30, 200, 600])
def test_predicted_sizes_are_those_of_such_nodes(statistic, n_on):
    n_nodes, n_background = 1_000, 199
    rng = np.random.default_rng(0)
    numbers = rng.integers(0, n_background + 1, (200, n_nodes), dtype=np.uint8)
    numbers[:, :n_on] = 0
    found = scan_images(RankedPvalues(numbers, n_background), statistic).sizes
    predicted = predicted_size(n_nodes, n_on, n_background, statistic)
    assert np.median(found) == pytest.approx(predicted, rel=0.12, abs=15)


def test_prediction_says_when_creative_subsets_are_the_smaller_ones():
    normal = predicted_size(256, 0, 2_000)
    assert normal == pytest.approx(256 / np.e, abs=2)
    assert predicted_size(256, 40, 2_000) < normal / 2
    assert predicted_size(256, 5, 2_000) == pytest.approx(normal, abs=6)
    assert predicted_size(256, 120, 2_000) > normal


def test_most_extreme_nodes_are_so_many_and_the_smallest(ranked):
    found = most_extreme(ranked, 7, np.random.default_rng(0))
    for row, nodes in zip(ranked.numbers, found, strict=True):
        assert len(set(nodes.tolist())) == 7
        assert row[nodes].max() <= np.sort(row)[6]


def test_roles_have_seeds_of_their_own():
    seeds = {derived_seed(d, s, r) for d in "ab" for s in range(5) for r in ("x", "y")}
    assert len(seeds) == 20
    assert derived_seed("a", 1) == derived_seed("a", 1)
