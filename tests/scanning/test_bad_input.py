"""Both scans refuse the same bad input with the same sentences."""

import numpy as np
import pytest

from scanning import scan_group, scan_images

SCANS = [scan_images, scan_group]


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize(
    ("pvalues", "message"),
    [
        ([[0.5, 0.0]], r"pvalues must be in \(0, 1\]; got 0.0 at image 0, node 1"),
        ([[0.5], [-0.1]], r"pvalues must be in \(0, 1\]; got -0.1 at image 1, node 0"),
        ([[1.5]], r"pvalues must be in \(0, 1\]; got 1.5 at image 0, node 0"),
        ([[np.nan]], r"pvalues must be in \(0, 1\]; got nan at image 0, node 0"),
        ([[np.inf]], r"pvalues must be in \(0, 1\]; got inf at image 0, node 0"),
        ([[-np.inf]], r"pvalues must be in \(0, 1\]; got -inf"),
        (np.empty((0, 3)), r"pvalues must hold at least one of images; got shape \(0, 3\)"),
        (np.empty((3, 0)), r"pvalues must hold at least one of nodes; got shape \(3, 0\)"),
        ([0.5], r"pvalues must have two dimensions \(images, nodes\); got shape \(1,\)"),
        (0.5, r"two dimensions \(images, nodes\); got shape \(\)"),
        ([["0.5"]], "pvalues must hold real numbers; got dtype <U3"),
        ([[True]], "pvalues must hold real numbers; got dtype bool"),
        ([[None]], "pvalues must hold real numbers; got dtype object"),
        ([[0.5], [0.5, 0.5]], "pvalues must be a matrix"),
    ],
)
def test_pvalues(scan, pvalues, message):
    with pytest.raises(ValueError, match=message):
        scan(pvalues)


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("bad", [0.0, -1.0, 2.0, np.nan])
def test_one_bad_value_among_many_distinct_ones(scan, bad):
    pvalues = 1.0 - np.random.default_rng(0).random((40, 1_000))
    pvalues[39, 999] = bad
    with pytest.raises(ValueError, match=f"got {bad} at image 39, node 999"):
        scan(pvalues)


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("alpha_max", [0, 0.0, -0.5, 1.5, np.nan, np.inf, "0.5", None, True])
def test_alpha_max(scan, alpha_max):
    with pytest.raises(ValueError, match=r"^alpha_max must be .*in \(0, 1\]; got "):
        scan([[0.5]], alpha_max=alpha_max)


def test_alpha_max_is_quoted():
    with pytest.raises(ValueError, match=r"^alpha_max must be in \(0, 1\]; got 1.5$"):
        scan_images([[0.5]], alpha_max=1.5)


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("statistic", ["bj", "", None, 3])
def test_statistic(scan, statistic):
    allowed = "berk_jones, higher_criticism, kolmogorov_smirnov"
    with pytest.raises(ValueError, match=f"^statistic must be one of {allowed}; got "):
        scan([[0.5]], statistic=statistic)


@pytest.mark.parametrize("name", ["n_restarts", "seed"])
@pytest.mark.parametrize("value", [-1, 1.5, "3", None, True])
def test_restarts_and_seed(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be a whole number of at least 0; got "):
        scan_group([[0.5]], **{name: value})


@pytest.mark.parametrize("name", ["max_images", "max_nodes"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "3", True])
def test_caps(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be a whole number of at least 1; got "):
        scan_group([[0.5]], **{name: value})
