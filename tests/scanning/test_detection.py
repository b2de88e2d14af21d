"""Detection: measures compared with their definitions, overlap with all permutations."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from scanning import Background, scan_group, scan_images
from scanning.detection import auc, detect_groups, detect_images, node_overlap
from tests import reference

RNG = np.random.default_rng(0)
NORMAL = RNG.integers(1, 101, (50, 20)) / 100
CREATIVE = RNG.integers(1, 101, (30, 20)) / 100
CREATIVE[:, :5] = RNG.integers(1, 6, (30, 5)) / 100

SCORES = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=12)


@given(creative=SCORES, normal=SCORES)
@settings(max_examples=80, deadline=None)
def test_auc_is_the_share_of_pairs_in_order(creative, normal):
    pairs = [(a > b) + (a == b) / 2 for a in creative for b in normal]
    assert auc(creative, normal, n_bootstrap=0).value == pytest.approx(np.mean(pairs))


def test_auc_agrees_with_scikit_learn():
    rng = np.random.default_rng(1)
    creative, normal = rng.normal(1, 1, 40), rng.normal(size=60)
    labels = [1] * 40 + [0] * 60
    expected = roc_auc_score(labels, np.concatenate([creative, normal]))
    found = auc(creative, normal)
    assert found.value == pytest.approx(expected)
    assert found.n == 100


def test_auc_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(2)
    truth = 0.7602  # Φ(1/√2), for two normal distributions one deviation apart
    inside = 0
    for run in range(300):
        found = auc(rng.normal(1, 1, 60), rng.normal(size=60), n_bootstrap=199, seed=run)
        inside += found.low <= truth <= found.high
    assert 0.90 < inside / 300 < 0.985


def test_groups_are_measured_as_defined():
    true_nodes = range(5)
    found = detect_groups(
        NORMAL, CREATIVE, group_size=10, share=0.3, true_nodes=true_nodes, n_replicates=6, seed=2
    )
    assert found.n_creative == 3
    for replicate in range(6):
        rng = np.random.default_rng([2, replicate])
        chosen = rng.choice(30, 3, replace=False)
        others = rng.choice(50, 7, replace=False)
        mixed = np.concatenate([CREATIVE[chosen], NORMAL[others]])
        assert found.scores[replicate] == scan_group(mixed, seed=2).score
        plain = NORMAL[rng.choice(50, 10, replace=False)]
        assert found.scores_normal[replicate] == scan_group(plain, seed=2).score
    assert found.auc.value == auc(found.scores, found.scores_normal).value
    assert found.auc.low <= found.auc.value <= found.auc.high
    assert found.recall.n == found.node_recall.n == 6


def test_planted_groups_are_found():
    creative = CREATIVE.copy()
    creative[:, :8] = 0.01
    found = detect_groups(
        NORMAL, creative, group_size=10, share=0.4, true_nodes=range(8), n_replicates=10
    )
    for estimate in (found.auc, found.recall, found.node_recall, found.node_precision):
        assert estimate.value == 1
    assert found.precision.value > 0.9
    assert found.n_nodes.value == 8


def test_images_are_measured_as_defined():
    mask = np.zeros(CREATIVE.shape, bool)
    mask[:, :5] = True
    mask[0, 7] = True
    found = detect_images(NORMAL, CREATIVE, true_nodes=mask)
    h1, h0 = scan_images(CREATIVE), scan_images(NORMAL)
    assert found.auc.value == auc(h1.scores, h0.scores).value
    assert found.auc_size.value == auc(h1.sizes, h0.sizes).value
    assert found.size.value == h1.sizes.mean()
    subsets = [set(h1.nodes(i).tolist()) for i in range(30)]
    truths = [set(np.flatnonzero(row).tolist()) for row in mask]
    recalls = [len(a & b) / len(b) for a, b in zip(subsets, truths, strict=True)]
    precisions = [len(a & b) / len(a) for a, b in zip(subsets, truths, strict=True)]
    assert found.node_recall.value == pytest.approx(np.mean(recalls))
    assert found.node_precision.value == pytest.approx(np.mean(precisions))


@pytest.mark.parametrize("statistic", ["berk_jones", "higher_criticism", "kolmogorov_smirnov"])
def test_baselines_are_those_of_the_definition(statistic):
    found = detect_images(NORMAL, CREATIVE, statistic=statistic, alpha_max=0.3)
    all_nodes = [
        [reference.score(row, statistic, 0.3)[0] for row in matrix] for matrix in (CREATIVE, NORMAL)
    ]
    assert found.auc_all_nodes.value == pytest.approx(auc(*all_nodes).value)
    means = auc(-CREATIVE.mean(axis=1).round(9), -NORMAL.mean(axis=1).round(9))
    assert found.auc_mean_pvalue.value == means.value


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_the_same_pvalues_in_another_order_tie_in_every_measure(seed):
    rng = np.random.default_rng(seed)
    row = rng.integers(1, 101, 40) / 100
    shuffled = rng.permuted(np.tile(row, (7, 1)), axis=1)
    found = detect_images(shuffled[:3], shuffled[3:], n_bootstrap=0)
    for measure in (found.auc, found.auc_size, found.auc_all_nodes, found.auc_mean_pvalue):
        assert measure.value == 0.5


def test_ranked_pvalues_give_the_same():
    rng = np.random.default_rng(0)
    background = Background.fit(rng.normal(size=(60, 12)))
    normal, creative = rng.normal(size=(40, 12)), rng.normal(0.5, 1, size=(20, 12))
    floats = (background.pvalues(normal), background.pvalues(creative))
    ranks = (background.ranks(normal), background.ranks(creative))
    arguments = {"group_size": 8, "n_replicates": 4, "max_nodes": 5}
    first, *others = (
        detect_groups(*kind, **arguments).to_dict()
        for kind in (floats, ranks, (floats[0], ranks[1]))
    )
    assert others == [first, first]
    assert detect_images(*floats).to_dict() == detect_images(*ranks).to_dict()


def test_nothing_found_has_no_precision_and_no_recall():
    ones = np.ones((12, 4))
    found = detect_groups(ones, ones, group_size=5, true_nodes=[0], n_replicates=3)
    assert np.isnan(found.precision.value)
    assert found.precision.n == 0
    assert (found.recall.value, found.node_recall.value, found.n_images.value) == (0, 0, 0)
    assert found.auc.value == found.auc_all_nodes.value == 0.5


def test_same_seed_same_result_whatever_the_workers():
    arguments = {"group_size": 8, "n_replicates": 6, "seed": 5, "true_nodes": [0, 1]}
    first = detect_groups(NORMAL, CREATIVE, **arguments).to_dict()
    assert first == detect_groups(NORMAL, CREATIVE, n_workers=2, **arguments).to_dict()
    assert first["auc"]["low"] <= first["auc"]["value"]
    assert first != detect_groups(NORMAL, CREATIVE, **{**arguments, "seed": 6}).to_dict()
    images = detect_images(NORMAL, CREATIVE, seed=5).to_dict()
    assert images == detect_images(NORMAL, CREATIVE, seed=5).to_dict()


def jaccard(a, b):
    return len(a & b) / len(a | b) if a | b else 1.0


SUBSETS = st.lists(st.sets(st.integers(0, 5)), min_size=2, max_size=4)


@given(subsets_a=SUBSETS, subsets_b=SUBSETS)
@settings(max_examples=60, deadline=None)
def test_overlap_is_that_of_the_definition(subsets_a, subsets_b):
    found = node_overlap(
        [sorted(s) for s in subsets_a], [sorted(s) for s in subsets_b], 6, (2, 3), n_permutations=9
    )
    between = [jaccard(a, b) for a in subsets_a for b in subsets_b]
    within = [
        np.mean([jaccard(a, b) for a, b in itertools.combinations(side, 2)])
        for side in (subsets_a, subsets_b)
    ]
    assert found.jaccard_between == pytest.approx(np.mean(between))
    assert (found.jaccard_a, found.jaccard_b) == pytest.approx(tuple(within))
    assert found.difference == pytest.approx(np.mean(within) - np.mean(between), abs=1e-12)
    frequency = [np.mean([node in s for s in subsets_a]) for node in range(6)]
    np.testing.assert_allclose(found.frequency_a, frequency)
    np.testing.assert_allclose(found.channels_a, [np.mean(frequency[:3]), np.mean(frequency[3:])])
    np.testing.assert_array_equal(found.maps()[0], found.frequency_a.reshape(2, 3))


def test_overlap_p_approaches_that_of_all_permutations():
    subsets = [[0, 1], [0, 2], [0, 1, 2], [2, 3], [3, 4], [1, 3]]

    def difference(chosen):
        sides = [[set(subsets[i]) for i in range(6) if (i in chosen) == side] for side in (1, 0)]
        within = [
            np.mean([jaccard(a, b) for a, b in itertools.combinations(side, 2)]) for side in sides
        ]
        return np.mean(within) - np.mean([jaccard(a, b) for a in sides[0] for b in sides[1]])

    deals = list(itertools.combinations(range(6), 3))
    exact = np.mean([difference(deal) >= difference((0, 1, 2)) - 1e-9 for deal in deals])
    found = node_overlap(subsets[:3], subsets[3:], 5, n_permutations=9_999, seed=1)
    assert found.pvalue == pytest.approx(exact, abs=0.015)


@pytest.mark.parametrize("n_a", [6, 3])
def test_overlap_p_is_uniform_where_the_processes_are_alike(n_a):
    """Runs are independent; p is discrete, and made continuous within its steps."""
    pvalues = []
    for run in range(300):
        rng = np.random.default_rng(run)
        # Sizes differ as widely as those of real subsets, down to empty ones.
        shares = rng.random(12) ** 2
        subsets = [np.flatnonzero(rng.random(15) < share) for share in shares]
        found = node_overlap(subsets[:n_a], subsets[n_a:], 15, n_permutations=39, seed=run)
        pvalues.append(found.pvalue - rng.random() / 40)
    assert stats.kstest(pvalues, "uniform").pvalue > 0.01


def test_overlap_of_different_processes_has_a_small_p():
    rng = np.random.default_rng(0)
    first = [rng.choice(10, 4, replace=False) for _ in range(20)]
    second = [5 + rng.choice(10, 4, replace=False) for _ in range(20)]
    found = node_overlap(first, second, 15, seed=3)
    assert found.pvalue == 0.001
    assert found.to_dict() == node_overlap(first, second, 15, seed=3).to_dict()
    with pytest.raises(
        ValueError, match=r"^shape must be given to node_overlap for maps; got None"
    ):
        found.maps()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: auc([], [1.0]), "creative must be a list of at least one number; got dtype"),
        (lambda: auc([1.0], [[1.0]]), "normal must be a list of at least one number"),
        (lambda: auc([1.0], [np.nan]), "normal must be finite; got nan"),
        (lambda: auc(["1"], [1.0]), "creative must be a list of at least one number"),
        (lambda: auc([1], [1], n_bootstrap=-1), "n_bootstrap must be a whole number of at least 0"),
        (
            lambda: auc([1], [1], confidence=1.0),
            r"confidence must be a number in \(0, 1\); got 1.0",
        ),
        (lambda: auc([1], [1], seed=None), "seed must be a whole number of at least 0; got None"),
        (
            lambda: detect_groups(NORMAL, CREATIVE, group_size=51),
            "normal_pvalues must hold at least the 51 images of a group; got 50",
        ),
        (
            lambda: detect_groups(NORMAL, CREATIVE, group_size=40, share=1.0),
            "creative_pvalues must hold at least the 40 images of a group; got 30",
        ),
        (lambda: detect_groups(NORMAL, CREATIVE, group_size=0), "group_size must be a whole"),
        (lambda: detect_groups(NORMAL, CREATIVE, group_size=5, share=0), r"share must be in \(0,"),
        (
            lambda: detect_groups(NORMAL, CREATIVE, group_size=5, n_replicates=0),
            "n_replicates must be a whole number of at least 1",
        ),
        (
            lambda: detect_groups(NORMAL, CREATIVE, group_size=5, statistic="bj"),
            "statistic must be one of",
        ),
        (lambda: detect_images(NORMAL[:, :3], CREATIVE), "creative_pvalues must have the 3 nodes"),
        (lambda: detect_images(NORMAL * 0, CREATIVE), r"normal_pvalues must be in \(0, 1\]"),
        (lambda: detect_images(NORMAL, -CREATIVE), r"creative_pvalues must be in \(0, 1\]"),
        (
            lambda: detect_images(NORMAL, CREATIVE, true_nodes=[20]),
            "true_nodes must hold indices below 20; got 20",
        ),
        (
            lambda: detect_images(NORMAL, CREATIVE, true_nodes=[0.5]),
            "true_nodes must hold indices of nodes; got dtype float64",
        ),
        (
            lambda: detect_images(NORMAL, CREATIVE, true_nodes=np.ones((3, 20), bool)),
            r"true_nodes must have the shape \(30, 20\); got \(3, 20\)",
        ),
        (lambda: node_overlap([[0]], [[0], [1]], 3), "nodes_a must hold at least two subsets"),
        (lambda: node_overlap([[0], [1]], [[0]], 3), "nodes_b must hold at least two subsets"),
        (lambda: node_overlap([[0], [3]], [[0], [1]], 3), "nodes_a must hold indices below 3; g"),
        (lambda: node_overlap([[0], [-1]], [[0], [1]], 3), "nodes_a must hold indices below 3"),
        (lambda: node_overlap([[0], ["a"]], [[0], [1]], 3), "nodes_a must hold indices of nodes"),
        (
            lambda: node_overlap([[0], [1]], [[0], [1]], 3, (2, 2)),
            r"shape must hold the 3 nodes; got \(2, 2\)",
        ),
        (lambda: node_overlap([[0], [1]], [[0], [1]], 0), "n_nodes must be a whole number"),
        (
            lambda: node_overlap([[0], [1]], [[0], [1]], 3, n_permutations=0),
            "n_permutations must be a whole number of at least 1",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
