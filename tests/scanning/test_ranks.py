"""p-values held as integers: the same results, less memory."""

import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from scanning import STATISTICS, TAILS, Background, scan_group, scan_images
from scanning._ranks import rank_pvalues
from scanning.pvalues import RankedPvalues


def background_and_test(n_background, n_images=20, n_nodes=30):
    rng = np.random.default_rng(n_background)
    background = np.maximum(rng.normal(size=(n_background, n_nodes)), -0.5)
    test = np.maximum(rng.normal(size=(n_images, n_nodes)), -0.5)
    test[:4, :3] += 2
    return Background.fit(background), test


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize(
    ("n_background", "dtype"), [(1, "u1"), (255, "u1"), (256, "u2"), (65_536, "u4")]
)
def test_hold_the_same_pvalues_in_the_smallest_type(tail, n_background, dtype):
    background, test = background_and_test(n_background, n_nodes=7)
    ranked = background.ranks(test, tail)
    assert ranked.numbers.dtype == dtype
    assert not ranked.numbers.flags.writeable
    assert (ranked.shape, len(ranked), ranked.n_background) == ((20, 7), 20, n_background)
    np.testing.assert_array_equal(ranked.pvalues(), background.pvalues(test, tail))
    np.testing.assert_array_equal(ranked.images([3, 3, 0]).pvalues(), ranked.pvalues()[[3, 3, 0]])


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("n_background", [5, 200, 3_000])
@pytest.mark.parametrize("alpha_max", [0.05, 0.5, 1.0])
def test_scans_give_what_they_give_for_pvalues(name, tail, n_background, alpha_max):
    background, test = background_and_test(n_background)
    ranked, pvalues = background.ranks(test, tail), background.pvalues(test, tail)
    found, expected = (scan_group(p, name, alpha_max, n_restarts=3) for p in (ranked, pvalues))
    assert found.to_dict() == expected.to_dict()
    found, expected = (scan_images(p, name, alpha_max) for p in (ranked, pvalues))
    assert found.to_dict() == expected.to_dict()


@given(
    matrix=hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 5), st.integers(1, 8)),
        elements=st.integers(1, 40).map(lambda k: k / 40)
        | st.integers(1, 13).map(lambda k: k / 13)
        | st.floats(1e-12, 1.0),
    ),
    alpha_max=st.sampled_from([0.025, 0.3, 0.5, 1.0]),
)
@settings(max_examples=200, deadline=None)
def test_ranks_are_positions_among_the_distinct_small_pvalues(matrix, alpha_max):
    ranked = rank_pvalues(matrix, alpha_max)
    expected = np.unique(matrix[matrix <= alpha_max])
    np.testing.assert_array_equal(ranked.alphas, expected)
    small = matrix <= alpha_max
    np.testing.assert_array_equal(ranked.alphas[ranked.ranks[small]], matrix[small])
    assert (ranked.ranks[~small] >= len(expected)).all()
    assert (ranked.ranks < ranked.n_ranks).all()


def test_memory_maps_and_batches_give_what_arrays_give(tmp_path):
    rng = np.random.default_rng(0)
    activations = rng.normal(size=(90, 40)).astype(np.float32)
    np.save(tmp_path / "activations.npy", activations)
    mapped = np.load(tmp_path / "activations.npy", mmap_mode="r")
    expected = Background.fit(activations[:50]).ranks(activations[50:]).numbers
    for background in (mapped[:50], iter([mapped[:20], mapped[20:50]])):
        fitted = Background.fit(background)
        for test in (mapped[50:], (mapped[i : i + 7] for i in range(50, 90, 7))):
            np.testing.assert_array_equal(fitted.ranks(test).numbers, expected)


def test_bad_batches_are_refused():
    background = Background.fit([[0.0, 1.0]])
    with pytest.raises(ValueError, match="test must give at least one batch of images; got none"):
        background.ranks(iter([]))
    with pytest.raises(ValueError, match="test must have the 2 nodes of the background; got 3"):
        background.ranks(iter([np.zeros((1, 2)), np.zeros((1, 3))]))
    for batches, widths in (([], r"\[\]"), ([np.zeros((1, 2)), np.zeros((1, 3))], r"\[2, 3\]")):
        with pytest.raises(ValueError, match=f"the same number of nodes; got {widths}"):
            Background.fit(iter(batches))


@pytest.mark.parametrize(
    ("numbers", "n_background", "message"),
    [
        ([[1, 2]], 3, "numbers must be uint8, uint16 or uint32; got int64"),
        (np.zeros(3, np.uint8), 3, r"non-empty matrix \(images, nodes\); got shape \(3,\)"),
        (np.zeros((0, 3), np.uint8), 3, r"non-empty matrix \(images, nodes\); got shape \(0, 3\)"),
        (np.full((2, 2), 4, np.uint8), 3, "numbers must be at most n_background, 3; got 4"),
        (np.zeros((2, 2), np.uint8), 0, "n_background must be a whole number of at least 1; got 0"),
    ],
)
def test_bad_ranks_are_refused(numbers, n_background, message):
    with pytest.raises(ValueError, match=message):
        RankedPvalues(numbers, n_background)


def test_ranks_stay_as_they_were_checked_whatever_becomes_of_what_they_came_from():
    source = np.zeros((3, 4), np.uint32)
    ranked = RankedPvalues(source, 3)
    source[:] = 1 << 30
    assert not ranked.numbers.any()
    window = np.zeros((3, 4), np.uint8)
    view = window.view()
    view.flags.writeable = False
    ranked = RankedPvalues(view, 3)
    window[:] = 200
    assert not ranked.numbers.any()
    assert not ranked.numbers.flags.writeable


def test_scan_of_ranks_takes_few_bytes_per_pvalue():
    # Coarse ranks both ways round, and at most 16 MB for each of two ascents at the end.
    numbers = np.random.default_rng(0).integers(0, 100, (4_000, 5_000), np.uint8)
    ranked = RankedPvalues(numbers, 99)
    scan_group(ranked, n_restarts=0)
    tracemalloc.start()
    try:
        scan_group(ranked, n_restarts=2)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 2 * numbers.size < peak < 2 * numbers.size + 2 * 17e6


def test_results_are_plain_in_json():
    pvalues = [[0.1, 0.6], [0.9, 0.8]]
    group = json.loads(json.dumps(scan_group(pvalues).to_dict(), allow_nan=False))
    assert (group["images"], group["nodes"], group["size"]) == ([0], [0], 1)
    images = json.loads(json.dumps(scan_images(pvalues).to_dict(), allow_nan=False))
    assert (images["nodes"], images["alphas"]) == ([[0], []], [0.1, None])
