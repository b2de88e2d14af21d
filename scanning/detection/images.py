"""Detection power of individual scans."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scanning._matrices import PValueMatrix, as_floats, take_images
from scanning._plain import Plain
from scanning._search import Search
from scanning.detection._measures import (
    mean_pvalue,
    precision_recall,
    score_of_all,
    true_nodes_of,
    two_sides,
)
from scanning.detection.bootstrap import Bootstrap, Estimate
from scanning.pvalues import RankedPvalues


@dataclass(frozen=True, eq=False)
class ImageDetection(Plain):
    """Individual scans of creative images against those of normal ones.

    Attributes
    ----------
    auc, auc_size : Estimate
        Of the image's score, and of the size of its subset, creative against normal.
    auc_all_nodes, auc_mean_pvalue : Estimate
        Baselines: of the statistic over all nodes, with no search for a subset; and of the
        mean p-value, where small counts as creative.
    node_precision, node_recall : Estimate or None
        Of the nodes returned for creative images; None where the true nodes are not known.
    size, size_normal : Estimate
        Nodes returned for a creative and for a normal image.
    scores, scores_normal : ndarray of float64
    statistic, alpha_max, seed, confidence, n_bootstrap
        As given.
    """

    auc: Estimate
    auc_size: Estimate
    auc_all_nodes: Estimate
    auc_mean_pvalue: Estimate
    node_precision: Estimate | None
    node_recall: Estimate | None
    size: Estimate
    size_normal: Estimate
    scores: NDArray[np.float64]
    scores_normal: NDArray[np.float64]
    statistic: str
    alpha_max: float
    seed: int
    confidence: float
    n_bootstrap: int


def detect_images(
    normal_pvalues: ArrayLike | RankedPvalues,
    creative_pvalues: ArrayLike | RankedPvalues,
    *,
    true_nodes: ArrayLike | None = None,
    statistic: str = "berk_jones",
    alpha_max: float = 0.5,
    seed: int = 0,
    n_bootstrap: int = 999,
    confidence: float = 0.95,
) -> ImageDetection:
    """Detection power of individual scans.

    Parameters
    ----------
    normal_pvalues : array_like or RankedPvalues, (H, J)
        p-values of normal images that are not in the background.
    creative_pvalues : array_like or RankedPvalues, (C, J)
        p-values of creative images against the same background.
    true_nodes : array_like, optional
        As for :func:`detect_groups`.
    statistic, alpha_max
        As for :func:`scanning.scan_images`.
    seed : int
        Of the bootstrap, which resamples images.
    n_bootstrap, confidence
        As for :func:`auc`.

    Returns
    -------
    ImageDetection

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    Every image is scanned once, exactly; costs the scans and O(J·log J) per image.

    Examples
    --------
    >>> normal = np.random.default_rng(0).integers(1, 101, (60, 20)) / 100
    >>> creative = normal[:20].copy()
    >>> creative[:, :6] = 0.01
    >>> found = detect_images(normal[20:], creative, true_nodes=range(6))
    >>> found.auc.value, found.node_recall.value
    (1.0, 1.0)
    """
    search = Search(statistic, alpha_max, seed=seed)
    bootstrap = Bootstrap.of(n_bootstrap, confidence, seed)
    normal, creative = two_sides(normal_pvalues, creative_pvalues)
    truth = true_nodes_of(true_nodes, creative.shape)
    h0, h1 = search.images(normal), search.images(creative)
    node_precision, node_recall = None, None
    if truth is not None:
        shares = [precision_recall(h1.nodes(i), np.flatnonzero(row)) for i, row in enumerate(truth)]
        node_precision = bootstrap.mean(np.array([share[0] for share in shares]), 4)
        node_recall = bootstrap.mean(np.array([share[1] for share in shares]), 5)
    all_nodes_h0, means_h0 = _baselines(normal, search)
    all_nodes_h1, means_h1 = _baselines(creative, search)
    return ImageDetection(
        auc=bootstrap.auc(h1.scores, h0.scores, 0),
        auc_size=bootstrap.auc(h1.sizes, h0.sizes, 1),
        auc_all_nodes=bootstrap.auc(all_nodes_h1, all_nodes_h0, 2),
        auc_mean_pvalue=bootstrap.auc(-means_h1, -means_h0, 3),
        node_precision=node_precision,
        node_recall=node_recall,
        size=bootstrap.mean(h1.sizes, 6),
        size_normal=bootstrap.mean(h0.sizes, 7),
        scores=h1.scores,
        scores_normal=h0.scores,
        statistic=search.statistic,
        alpha_max=search.alpha_max,
        seed=search.seed,
        confidence=bootstrap.confidence,
        n_bootstrap=bootstrap.n_resamples,
    )


def _baselines(
    matrix: PValueMatrix, search: Search
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The statistic over all nodes, and the mean p-value, of each image; row by row, since ranked
    p-values would fill much more memory as numbers."""
    found = np.empty((2, len(matrix)))
    for image in range(len(matrix)):
        row = as_floats(take_images(matrix, np.array([image])))
        found[:, image] = (
            score_of_all(row, search.statistic, search.alpha_max),
            mean_pvalue(row),
        )
    return found[0], found[1]
