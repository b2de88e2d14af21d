"""Calibration: uniform p-values where nothing is anomalous, small ones where something is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core import config
from scipy import stats

from scanning import Background, scan_group, scan_images
from scanning.calibration import calibrate_group, calibrate_images


def normal_images(n_images, n_nodes, seed, n_background=60):
    """p-values of images whose nodes depend strongly on one another."""
    rng = np.random.default_rng(seed)
    activations = rng.normal(size=(n_background + n_images, n_nodes))
    activations += rng.normal(size=(n_background + n_images, 1))
    return Background.fit(activations[:n_background]).pvalues(activations[n_background:])


NORMAL = normal_images(60, 12, seed=0)
GROUP = normal_images(5, 12, seed=1)


def planted(n_images=5):
    group = NORMAL[:n_images].copy()
    group[:3, :4] = 1 / 61
    return group


N_RUNS = 500


def assert_not_too_small(pvalues):
    """p <= a in no more runs than chance allows, for the levels that people use."""
    for level in (0.05, 0.1, 0.2, 0.5):
        n_small = int((np.array(pvalues) <= level).sum())
        assert stats.binomtest(n_small, len(pvalues), level, "greater").pvalue > 0.01


def assert_uniform(pvalues, n_null, seed):
    """p is uniform on k/(R + 1); a draw within its step makes it continuous.

    Runs are independent, so the Kolmogorov–Smirnov test holds.
    """
    spread = np.array(pvalues) - np.random.default_rng(seed).random(len(pvalues)) / (n_null + 1)
    assert stats.kstest(spread, "uniform").pvalue > 0.01
    assert_not_too_small(pvalues)


def p_of_normal_groups(null, n_held_out, **search):
    pvalues = []
    for run in range(N_RUNS):
        images = normal_images(n_held_out + 4, 10, seed=run)
        arguments = {"null": null, "n_replicates": 19, "n_restarts": 0, "seed": run, **search}
        pvalues.append(calibrate_group(images[4:], images[:4], **arguments).pvalue)
    return pvalues


@pytest.mark.parametrize("null", ["held-out", "pooled"])
@pytest.mark.parametrize("statistic", ["berk_jones", "higher_criticism"])
def test_group_p_is_uniform_where_nothing_is_anomalous(monkeypatch, null, statistic):
    monkeypatch.setattr(config, "NUMBA_NUM_THREADS", 1)  # threads cost more than such small scans
    assert_uniform(p_of_normal_groups(null, 120, statistic=statistic), 19, seed=0)


def test_pooled_group_p_is_not_too_small_even_with_few_held_out_images(monkeypatch):
    """It is too large: groups that share the most anomalous images have equal scores."""
    monkeypatch.setattr(config, "NUMBA_NUM_THREADS", 1)
    pvalues = p_of_normal_groups("pooled", 12)
    assert_not_too_small(pvalues)
    assert np.mean(pvalues) > 0.525


def test_a_uniform_p_is_told_from_one_that_is_too_small():
    """What is asserted above does fail where the false-positive rate is not the stated one."""
    pvalues = (1 + np.random.default_rng(0).integers(0, 20, N_RUNS)) / 20
    assert_uniform(pvalues, 19, seed=0)
    pvalues[:25] = 0.05
    with pytest.raises(AssertionError):
        assert_uniform(pvalues, 19, seed=0)


def test_image_p_is_uniform_where_nothing_is_anomalous():
    pvalues = []
    for run in range(N_RUNS):
        images = normal_images(40, 10, seed=run)
        pvalues.append(calibrate_images(images[1:], images[:1]).pvalues[0])
    assert_uniform(pvalues, 39, seed=0)


@pytest.mark.parametrize("null", ["held-out", "pooled"])
def test_a_planted_group_has_a_small_p(null):
    found = calibrate_group(NORMAL, planted(), null=null, n_replicates=199, n_restarts=2)
    assert found.pvalue <= 0.03
    assert found.score == scan_group(planted(), n_restarts=2).score


def test_p_and_interval_are_those_of_the_null_scores():
    found = calibrate_group(NORMAL, GROUP, n_replicates=50, n_restarts=1)
    n_exceeding = sum(score >= found.score for score in found.null_scores)
    assert found.n_exceeding == n_exceeding
    assert found.pvalue == (1 + n_exceeding) / 51
    expected = stats.binomtest(n_exceeding, 50).proportion_ci(0.95, "exact")
    assert found.interval == pytest.approx((expected.low, expected.high))


@given(
    null=st.lists(st.floats(0, 9), min_size=19, max_size=40),
    scores=st.lists(st.floats(0, 9), min_size=1, max_size=5),
    confidence=st.sampled_from([0.5, 0.9, 0.99]),
)
@settings(max_examples=60, deadline=None)
def test_images_agree_with_counting(null, scores, confidence):
    found = calibrate_images(null, scores, confidence=confidence)
    for image, score in enumerate(scores):
        n_exceeding = sum(value >= score * (1 - 1e-9) for value in null)
        assert found.n_exceeding[image] == n_exceeding
        assert found.pvalues[image] == (1 + n_exceeding) / (len(null) + 1)
        expected = stats.binomtest(n_exceeding, len(null)).proportion_ci(confidence, "exact")
        assert found.intervals[image] == pytest.approx((expected.low, expected.high))
        low, high = found.intervals[image]
        assert low <= found.pvalues[image] <= high or confidence == 0.5


def test_every_form_of_the_observed_group_gives_the_same():
    scan = scan_group(GROUP, n_restarts=2, seed=4)
    search = {"n_restarts": 2, "n_replicates": 25, "seed": 4, "null": "held-out"}
    of_matrix = calibrate_group(NORMAL, GROUP, **search).to_dict()
    assert of_matrix == calibrate_group(NORMAL, scan, group_size=5, **search).to_dict()
    assert of_matrix == calibrate_group(NORMAL, scan.score, group_size=5, **search).to_dict()
    other_draws = calibrate_group(NORMAL, scan, group_size=5, **{**search, "seed": 9})
    assert other_draws.scan_seed == 4
    assert other_draws.null_scores.tolist() != of_matrix["null_scores"]


def test_the_null_is_the_exact_one_where_it_can_be_had():
    few = {"n_restarts": 2, "n_replicates": 19}
    assert calibrate_group(NORMAL, GROUP, **few).null == "pooled"
    assert calibrate_group(NORMAL, 1.0, group_size=5, **few).null == "held-out"


def test_every_form_of_the_images_gives_the_same():
    null, observed = scan_images(NORMAL), scan_images(GROUP)
    found = calibrate_images(NORMAL, GROUP)
    for variant in (
        calibrate_images(null, observed),
        calibrate_images(null.scores, observed.scores),
        calibrate_images(NORMAL, GROUP, n_workers=2),
    ):
        np.testing.assert_array_equal(variant.pvalues, found.pvalues)
    assert found.statistic == "berk_jones"
    assert calibrate_images(null.scores, observed.scores).statistic is None


@pytest.mark.parametrize("null", ["held-out", "pooled"])
def test_ranked_pvalues_give_the_same(null):
    rng = np.random.default_rng(0)
    background = Background.fit(rng.normal(size=(60, 12)))
    held_out, test = rng.normal(size=(60, 12)), rng.normal(size=(5, 12))
    kinds = [
        (background.pvalues(held_out), background.pvalues(test)),
        (background.ranks(held_out), background.ranks(test)),
        (background.ranks(held_out), background.pvalues(test)),
    ]
    first, *others = (
        calibrate_group(*kind, null=null, n_replicates=19, max_images=3, max_nodes=4).to_dict()
        for kind in kinds
    )
    assert others == [first, first]
    assert first["max_nodes"] == 4
    assert first["score"] == scan_group(kinds[0][1], max_images=3, max_nodes=4).score
    pvalues = [calibrate_images(*kind).pvalues.tolist() for kind in kinds]
    assert pvalues[0] == pvalues[1] == pvalues[2]


def test_engines_give_the_same():
    pytest.importorskip("torch")
    of_numba, of_torch = (
        calibrate_group(NORMAL, GROUP, n_replicates=19, n_restarts=1, engine=engine)
        for engine in ("numba", "torch")
    )
    assert of_torch.pvalue == of_numba.pvalue
    np.testing.assert_allclose(of_torch.null_scores, of_numba.null_scores, rtol=1e-6)


def test_same_seed_same_result_whatever_the_workers():
    first = calibrate_group(NORMAL, GROUP, n_replicates=30, n_restarts=1, seed=3)
    again = calibrate_group(NORMAL, GROUP, n_replicates=30, n_restarts=1, seed=3, n_workers=2)
    assert first.to_dict() == again.to_dict()


def test_nothing_anomalous_has_p_1():
    group = np.ones((5, 12))
    found = calibrate_group(NORMAL, group, n_replicates=19)
    assert (found.score, found.pvalue, found.interval[1]) == (0, 1, 1)
    assert calibrate_images(NORMAL, group).pvalues.tolist() == [1] * 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"observed": planted(7), "null": "held-out"}, "normal_pvalues must hold at least 70 im"),
        ({"observed": NORMAL, "null": "pooled", "normal_pvalues": GROUP}, "normal_pvalues must ho"),
        ({"observed": GROUP[:, :3]}, "observed must have the 12 nodes of normal_pvalues; got 3"),
        ({"observed": GROUP * 0}, r"observed must be in \(0, 1\]; got 0.0 at image 0, node 0"),
        ({"observed": 1.0}, "group_size must be given where observed is a scan or a score"),
        ({"observed": 1.0, "group_size": 0}, "group_size must be a whole number of at least 1"),
        ({"observed": -1.0, "group_size": 5}, "observed must hold finite scores of at least 0"),
        ({"observed": np.nan, "group_size": 5}, "observed must hold finite scores"),
        ({"observed": None, "group_size": 5}, "observed must hold at least one score; got dtype"),
        ({"observed": 1.0, "group_size": 5, "null": "pooled"}, "observed must be a matrix"),
        ({"group_size": 4}, "group_size must be the 5 images of observed; got 4"),
        ({"normal_pvalues": NORMAL * 2}, r"normal_pvalues must be in \(0, 1\]; got "),
        ({"normal_pvalues": [[np.nan]]}, r"normal_pvalues must be in \(0, 1\]; got nan"),
        ({"normal_pvalues": []}, "normal_pvalues must have two dimensions"),
        ({"n_replicates": 18}, "n_replicates must be a whole number of at least 19; got 18"),
        ({"null": "images"}, "null must be one of auto, pooled, held-out; got 'images'"),
        ({"statistic": "bj"}, "statistic must be one of berk_jones"),
        ({"engine": "jax"}, "engine must be one of numba, torch, auto; got 'jax'"),
        ({"max_nodes": 0}, "max_nodes must be a whole number of at least 1; got 0"),
        ({"alpha_max": 0}, r"alpha_max must be in \(0, 1\]; got 0"),
        ({"confidence": 1}, r"confidence must be a number in \(0, 1\); got 1"),
        ({"seed": -1}, "seed must be a whole number of at least 0; got -1"),
        ({"n_restarts": -1}, "n_restarts must be a whole number of at least 0; got -1"),
        ({"n_workers": 0}, "n_workers must be a whole number of at least 1; got 0"),
        (
            {"observed": scan_group(GROUP, n_restarts=1), "group_size": 5},
            "n_restarts must be that of observed, 1; got 10",
        ),
    ],
)
def test_bad_group_input(change, message):
    arguments = {"normal_pvalues": NORMAL, "observed": GROUP, **change}
    with pytest.raises(ValueError, match=f"^{message}"):
        calibrate_group(**arguments)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"null": np.ones(18)}, "null must hold at least 19 images; got 18"),
        ({"null": []}, "null must hold at least one score; got dtype float64, shape"),
        ({"null": [[1.5]]}, r"null must be in \(0, 1\]; got 1.5"),
        ({"observed": [np.inf]}, "observed must hold finite scores of at least 0; got inf"),
        ({"observed": ["a"]}, "observed must hold at least one score; got dtype <U1"),
        ({"observed": 3.0}, "observed must have two dimensions"),
        ({"observed": scan_images(GROUP, alpha_max=0.1)}, "alpha_max must be that of observed, 0."),
        ({"confidence": 0}, r"confidence must be a number in \(0, 1\); got 0"),
    ],
)
def test_bad_image_input(change, message):
    arguments = {"null": NORMAL, "observed": GROUP, **change}
    with pytest.raises(ValueError, match=f"^{message}"):
        calibrate_images(**arguments)
