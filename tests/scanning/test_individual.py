"""Individual scan against all subsets, and on degenerate input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from scanning import STATISTICS, Background, scan_images
from tests import reference

PVALUES = st.integers(1, 12).map(lambda k: k / 12) | st.floats(1e-12, 1.0)


@pytest.mark.parametrize("name", STATISTICS)
@given(
    pvalues=hnp.arrays(
        np.float64, st.tuples(st.integers(1, 4), st.integers(1, 7)), elements=PVALUES
    ),
    alpha_max=st.sampled_from([0.05, 0.5, 1.0]),
)
@settings(max_examples=50, deadline=None)
def test_is_the_best_of_all_subsets(name, pvalues, alpha_max):
    scan = scan_images(pvalues, statistic=name, alpha_max=alpha_max)
    assert len(scan) == len(pvalues)
    for i, row in enumerate(pvalues):
        expected = reference.scan_image(row, name, alpha_max)
        assert scan.scores[i] == pytest.approx(expected, rel=1e-9)
        nodes = scan.nodes(i)
        assert len(nodes) == scan.sizes[i]
        if scan.scores[i] == 0:
            assert len(nodes) == 0
            assert np.isnan(scan.alphas[i])
        else:
            score, alpha = reference.score(row[nodes], name, alpha_max)
            assert score == pytest.approx(scan.scores[i], rel=1e-9)
            assert scan.alphas[i] == row[nodes].max()
            assert alpha <= scan.alphas[i]


@pytest.mark.parametrize("n_images", [1, 40])
def test_many_distinct_values_are_all_tried(n_images):
    """More values than the table of ranks holds, and few enough: both are exact."""
    rng = np.random.default_rng(3)
    pvalues = 1.0 - rng.random((n_images, 1_000))
    scan = scan_images(pvalues)
    assert scan.n_thresholds == (pvalues <= 0.5).sum()
    for i, row in enumerate(pvalues):
        ordered = np.sort(row[row <= 0.5])
        expected = (np.arange(1, len(ordered) + 1) * -np.log(ordered)).max()
        assert scan.scores[i] == pytest.approx(expected)
        np.testing.assert_array_equal(scan.nodes(i), np.flatnonzero(row <= scan.alphas[i]))


def test_of_equal_scores_the_smallest_alpha_wins():
    # One p-value of 0.04 and two of 0.2 score the same: ln 25.
    scan = scan_images([[0.04, 0.2, 0.9]])
    assert scan.scores[0] == pytest.approx(np.log(25))
    assert scan.alphas[0] == 0.04
    np.testing.assert_array_equal(scan.nodes(0), [0])


@pytest.mark.parametrize("name", STATISTICS)
def test_image_without_small_pvalues_is_a_result(name):
    scan = scan_images([[0.9, 0.8], [0.1, 0.8]], statistic=name)
    assert scan.scores[0] == 0
    assert scan.sizes[0] == 0
    assert np.isnan(scan.alphas[0])
    assert scan.nodes(0).shape == (0,)
    assert scan.sizes[1] == 1


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("value", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (1, 9), (3, 9)])
def test_all_equal_values(name, value, shape):
    scan = scan_images(np.full(shape, value), statistic=name, alpha_max=1.0)
    expected = STATISTICS[name](value, shape[1], shape[1])
    np.testing.assert_allclose(scan.scores, expected)
    np.testing.assert_array_equal(scan.sizes, shape[1] if expected > 0 else 0)


def test_type_and_layout_do_not_matter():
    # Eighths are exact in every precision.
    pvalues = np.random.default_rng(0).integers(1, 9, (6, 11)) / 8
    expected = scan_images(pvalues)
    read_only = pvalues.copy()
    read_only.flags.writeable = False
    for variant in (
        pvalues.astype(np.float16),
        pvalues.astype(np.float32),
        pvalues.astype(">f8"),
        np.asfortranarray(pvalues),
        np.repeat(pvalues, 2, axis=1)[:, ::2],
        read_only,
        pvalues.tolist(),
    ):
        found = scan_images(variant)
        np.testing.assert_array_equal(found.scores, expected.scores)
        np.testing.assert_array_equal(found.alphas, expected.alphas)
        for i in range(6):
            np.testing.assert_array_equal(found.nodes(i), expected.nodes(i))


def test_result_names_its_parameters_and_its_images():
    scan = scan_images([[0.1, 0.6]], statistic="higher_criticism", alpha_max=0.2)
    assert (scan.statistic, scan.alpha_max, scan.n_thresholds, scan.n_nodes) == (
        "higher_criticism",
        0.2,
        1,
        2,
    )
    assert scan.nodes(0).dtype == np.int64
    with pytest.raises(IndexError):
        scan.nodes(1)


@pytest.mark.parametrize("tail", ["upper", "lower", "two-sided"])
def test_planted_nodes_are_found_in_every_tail(tail):
    rng = np.random.default_rng(4)
    background = Background.fit(rng.normal(size=(200, 60)))
    test = rng.normal(size=(5, 60))
    test[:, :20] += -60 if tail == "lower" else 60
    scan = scan_images(background.pvalues(test, tail=tail))
    for i in range(5):
        assert set(range(20)) <= set(scan.nodes(i).tolist())


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_threshold_is_compared_in_the_precision_of_the_pvalues(dtype):
    """Whatever the other rows hold: few values, or too many for a small table."""
    row = np.ones(20_000, dtype)
    row[0] = 0.3
    many = np.random.default_rng(0).uniform(0.001, 1, 20_000).astype(dtype)
    for matrix in (row[None], np.stack([row, many])):
        assert scan_images(matrix, alpha_max=0.3).sizes[0] == 1


@pytest.mark.parametrize("name", STATISTICS)
def test_levels_that_are_all_but_equal_are_each_images_own(name):
    low = 0.11886867791020067
    high = np.nextafter(low, 1)
    scan = scan_images([[low, 0.9], [high, 0.9]], name)
    assert scan.alphas.tolist() == [low, high]
    assert scan.scores[0] == scan_images([[low, 0.9]], name).scores[0]
