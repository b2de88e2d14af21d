"""Odd but valid matrices give the right result everywhere; bad ones an error that names them."""

import numpy as np
import pytest

from scanning import (
    Background,
    calibrate_group,
    calibrate_images,
    detect_groups,
    detect_images,
    scan_group,
    scan_image_blocks,
    scan_images,
    scan_layers,
    scan_seeds,
)

RNG = np.random.default_rng(0)
NORMAL = RNG.integers(1, 101, (60, 8)) / 100
BRIEF = {"n_restarts": 1}
FEW = {"n_replicates": 19, **BRIEF}

# What is given in the place of a matrix of p-values, by the name that errors use for it.
SCANS = {
    "images": lambda p: scan_images(p).to_dict(),
    "blocks": lambda p: scan_image_blocks(p, block_size=7).to_dict(),
    "group": lambda p: scan_group(p, **BRIEF).to_dict(),
    "seeds": lambda p: scan_seeds(p, [0], **BRIEF).to_dict(),
    "layers": lambda p: scan_layers({"a": p}, **BRIEF)["a"].group.to_dict(),
}
COMPARISONS = {
    "observed of a group": lambda p: calibrate_group(NORMAL, p, null="pooled", **FEW).to_dict(),
    "normal_pvalues of a group": lambda p: calibrate_group(p, NORMAL[:2], **FEW).to_dict(),
    "observed of images": lambda p: calibrate_images(NORMAL, p).to_dict(),
    "null of images": lambda p: calibrate_images(p, NORMAL).to_dict(),
    "creative_pvalues of images": lambda p: detect_images(NORMAL, p, n_bootstrap=9).to_dict(),
    "normal_pvalues of images": lambda p: detect_images(p, NORMAL, n_bootstrap=9).to_dict(),
    "creative_pvalues of groups": lambda p: detect_groups(
        NORMAL, p, group_size=5, n_bootstrap=9, **{**FEW, "n_replicates": 2}
    ).to_dict(),
}
PLACES = {**dict.fromkeys(SCANS, "pvalues"), **{name: name.split()[0] for name in COMPARISONS}}
PLACES["layers"] = r"pvalues\['a'\]"
EVERY = {**SCANS, **COMPARISONS}


def read_only(matrix):
    copy = matrix.copy()
    copy.flags.writeable = False
    return copy


@pytest.mark.parametrize("function", EVERY)
@pytest.mark.parametrize(
    "same",
    [
        np.asfortranarray,
        lambda matrix: np.repeat(matrix, 2, axis=1)[:, ::2],
        lambda matrix: np.flip(np.flip(matrix).copy()),
        read_only,
        lambda matrix: matrix.astype(">f8"),
        lambda matrix: matrix.astype(np.longdouble),
        np.ma.masked_array,
        np.ndarray.tolist,
    ],
    ids=["fortran", "strided", "flipped", "read-only", "big-endian", "long", "unmasked", "list"],
)
def test_how_memory_is_laid_out_changes_nothing(function, same):
    assert EVERY[function](same(NORMAL)) == EVERY[function](NORMAL)


@pytest.mark.parametrize(
    "n_levels",
    [
        lambda p: scan_images(p, alpha_max=0.3).n_thresholds,
        lambda p: scan_image_blocks(p, alpha_max=0.3).n_thresholds,
        lambda p: scan_group(p, alpha_max=0.3).n_thresholds,
        lambda p: scan_seeds(p, [0], alpha_max=0.3).n_thresholds,
        lambda p: scan_layers({"a": p}, alpha_max=0.3)["a"].group.n_thresholds,
    ],
)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_level_that_stands_for_alpha_max_counts_in_every_precision(n_levels, dtype):
    """Half and single precision round 0.3 up."""
    assert n_levels(np.tile([0.1, 0.3, 0.7, 1.0], (40, 1)).astype(dtype)) == 2


@pytest.mark.parametrize("alpha_max", [0.1, 0.3, 0.7])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_pooled_groups_are_scanned_in_the_precision_of_the_coarser_side(dtype, alpha_max):
    """The observed group is one of the draws, so its score must be that of the same draw."""
    coarse = NORMAL.astype(dtype)
    search = {"null": "pooled", "alpha_max": alpha_max, **FEW}
    both = calibrate_group(coarse, coarse[:5], **search)
    for normal, observed in ((coarse, NORMAL[:5]), (NORMAL, coarse[:5])):
        mixed = calibrate_group(normal, observed, **search)
        assert mixed.score == both.score
        assert mixed.null_scores.tolist() == both.null_scores.tolist()


@pytest.mark.parametrize("function", SCANS)
def test_nothing_small_is_a_result(function):
    found = SCANS[function](np.ones((5, 8)))
    assert np.max(found.get("scores", found.get("score"))) == 0
    assert np.max(found.get("sizes", found.get("size"))) == 0


def test_nothing_small_is_never_anomalous():
    ones = np.ones((5, 8))
    assert calibrate_group(NORMAL, ones, **FEW).pvalue == 1
    assert calibrate_group(NORMAL, ones, null="pooled", **FEW).pvalue == 1
    assert calibrate_images(NORMAL, ones).pvalues.tolist() == [1] * 5
    all_ones = np.ones((60, 8))
    assert calibrate_group(all_ones, ones, **FEW).pvalue == 1
    assert detect_images(all_ones, ones).auc.value == 0.5


@pytest.mark.parametrize("function", SCANS)
@pytest.mark.parametrize("shape", [(1, 8), (5, 1), (1, 1), (200, 1), (1, 200)])
@pytest.mark.parametrize("value", [0.3, 1e-300, 5e-324])
def test_equal_values_are_all_in_the_subset(function, shape, value):
    found = SCANS[function](np.full(shape, value))
    whole = -np.log(value)  # Berk–Jones per p-value, where all of them are at most alpha
    if "score" in found:
        assert found["score"] == pytest.approx(shape[0] * shape[1] * whole)
        assert found["size"] == shape[0] * shape[1]
    else:
        assert found["scores"] == pytest.approx([shape[1] * whole] * shape[0])
        assert found["sizes"] == [shape[1]] * shape[0]


@pytest.mark.parametrize("n_images", [1, 2])
def test_a_single_image_and_a_single_node_are_compared(n_images):
    column = NORMAL[:, :1]
    found = calibrate_group(column, column[:n_images], **FEW)
    assert found.group_size == n_images
    assert 0.05 <= found.pvalue <= 1
    assert len(calibrate_images(column, column[:n_images]).pvalues) == n_images
    assert detect_images(column, column[:n_images]).auc.n == 60 + n_images


@pytest.mark.parametrize("function", EVERY)
@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (np.where(NORMAL > 0.99, np.nan, NORMAL), r"must be in \(0, 1\]; got nan at image"),
        (-NORMAL, r"must be in \(0, 1\]; got -0"),
        (NORMAL * 0, r"must be in \(0, 1\]; got 0.0 at image 0, node 0"),
        (NORMAL + 1, r"must be in \(0, 1\]; got 1"),
        (NORMAL[:0], r"must hold at least one of images; got shape \(0, 8\)"),
        (NORMAL[:, :0], r"must hold at least one of nodes; got shape \(60, 0\)"),
        (NORMAL[None], r"must have two dimensions \(images, nodes\); got shape \(1, 60, 8\)"),
        (NORMAL > 0.5, "must hold real numbers; got dtype bool"),
        (NORMAL.astype(complex), "must hold real numbers; got dtype complex128"),
        (np.ma.masked_less(NORMAL, 0.5), "must not hold masked values; got a masked array"),
        ([[0.5], [0.5, 0.5]], "must be an? "),
    ],
    ids=[
        *("nan", "negative", "zero", "above-1", "no-rows", "no-columns", "3d", "bool", "complex"),
        *("masked", "ragged"),
    ],
)
def test_bad_matrices_are_named(function, bad, rule):
    with pytest.raises(ValueError, match=f"^{PLACES[function]} {rule}"):
        EVERY[function](bad)


@pytest.mark.parametrize(
    "call",
    [
        lambda: calibrate_images(NORMAL, NORMAL[:, :5]),
        lambda: calibrate_images(scan_images(NORMAL), scan_images(NORMAL[:, :5])),
        lambda: calibrate_images(scan_images(NORMAL), NORMAL[:, :5]),
        lambda: calibrate_group(NORMAL, NORMAL[:2, :5]),
        lambda: detect_images(NORMAL, NORMAL[:, :5]),
        lambda: detect_groups(NORMAL, NORMAL[:, :5], group_size=2),
        lambda: Background.fit(NORMAL).pvalues(NORMAL[:, :5]),
    ],
)
def test_sides_of_different_width_are_refused(call):
    with pytest.raises(ValueError, match=r"must have the 8 nodes of .*; got 5$"):
        call()


def test_a_scan_of_other_images_or_nodes_is_refused():
    scan = scan_group(NORMAL[:5], **BRIEF)
    with pytest.raises(
        ValueError, match=r"^group_size must be above every image of observed, such"
    ):
        calibrate_group(NORMAL, scan, group_size=int(scan.images[-1]), **FEW)
    narrow = NORMAL[:, : int(scan.nodes[-1])]
    with pytest.raises(ValueError, match=r"^normal_pvalues must have every node of observed, such"):
        calibrate_group(narrow, scan, group_size=5, **FEW)
