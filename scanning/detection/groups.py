"""Detection power of the group scan."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scanning._matrices import PValueMatrix, as_floats, join_images, take_images
from scanning._plain import Plain
from scanning._search import Search
from scanning._validation import proportion, whole_number
from scanning._workers import Progress, Workers
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
class GroupDetection(Plain):
    """Group scans of groups with creative images (H1) against groups without (H0).

    Attributes
    ----------
    auc : Estimate
        Of the group score, H1 against H0.
    auc_all_nodes, auc_mean_pvalue : Estimate
        Baselines: of the statistic over all images and nodes, with no search for a subset;
        and of the mean p-value, where small counts as creative.
    precision, recall : Estimate
        Of the images returned in H1 groups.
    node_precision, node_recall : Estimate or None
        Of the nodes returned in H1 groups; None where the true nodes are not known.
    n_images, n_nodes, n_images_normal, n_nodes_normal : Estimate
        Images and nodes returned, in H1 groups and in H0 groups.
    scores, scores_normal : ndarray of float64, (R,)
        Of the H1 and the H0 groups.
    group_size, n_creative, n_replicates : int
        M, creative images in an H1 group, R.
    statistic, alpha_max, n_restarts, max_images, max_nodes, seed, confidence, n_bootstrap
        As given.
    """

    auc: Estimate
    auc_all_nodes: Estimate
    auc_mean_pvalue: Estimate
    precision: Estimate
    recall: Estimate
    node_precision: Estimate | None
    node_recall: Estimate | None
    n_images: Estimate
    n_nodes: Estimate
    n_images_normal: Estimate
    n_nodes_normal: Estimate
    scores: NDArray[np.float64]
    scores_normal: NDArray[np.float64]
    group_size: int
    n_creative: int
    n_replicates: int
    statistic: str
    alpha_max: float
    n_restarts: int
    max_images: int | None
    max_nodes: int | None
    seed: int
    confidence: float
    n_bootstrap: int


def detect_groups(
    normal_pvalues: ArrayLike | RankedPvalues,
    creative_pvalues: ArrayLike | RankedPvalues,
    *,
    group_size: int,
    share: float = 0.2,
    true_nodes: ArrayLike | None = None,
    n_replicates: int = 100,
    statistic: str = "berk_jones",
    alpha_max: float = 0.5,
    n_restarts: int = 10,
    max_images: int | None = None,
    max_nodes: int | None = None,
    engine: str = "numba",
    seed: int = 0,
    n_bootstrap: int = 999,
    confidence: float = 0.95,
    n_workers: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> GroupDetection:
    """Detection power of the group scan, over many drawn groups.

    Parameters
    ----------
    normal_pvalues : array_like or RankedPvalues, (H, J)
        p-values of normal images that are not in the background.
    creative_pvalues : array_like or RankedPvalues, (C, J)
        p-values of creative images against the same background.
    group_size : int
        M, images in each group.
    share : float
        π in (0, 1]; an H1 group holds round(π·M) creative images, at least one.
    true_nodes : array_like, optional
        Nodes that were modulated: their indices, the same for each creative image, or a mask
        of bool (C, J). In a group, nodes modulated in any of its images are true.
    n_replicates : int
        R, groups of either kind.
    statistic, alpha_max, n_restarts, max_images, max_nodes, engine
        As for :func:`scanning.scan_group`.
    seed : int
        Of the draws, of the random starts and of the bootstrap.
    n_bootstrap, confidence
        As for :func:`auc`.
    n_workers, cluster, progress
        As for :func:`scanning.cluster.fan_out`; one task per pair of groups.

    Returns
    -------
    GroupDetection

    Raises
    ------
    ValueError
        If an argument is out of range, or there are fewer images than a group needs.

    Notes
    -----
    The images of a group are drawn without replacement, every group anew. An empty subset has
    recall 0 and no precision: it is left out of the mean precision, whose `n` tells. Costs 2R
    group scans and a sort of M·J p-values for each.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> normal = rng.integers(1, 101, (60, 20)) / 100
    >>> creative = normal[:20].copy()
    >>> creative[:, :6] = 0.01
    >>> found = detect_groups(
    ...     normal[20:], creative, group_size=10, share=0.4, true_nodes=range(6), n_replicates=20
    ... )
    >>> found.auc.value, found.recall.value, found.node_recall.value
    (1.0, 1.0, 1.0)
    """
    search = Search(statistic, alpha_max, n_restarts, max_images, max_nodes, engine, seed)
    workers = Workers(n_workers, cluster, progress)
    bootstrap = Bootstrap.of(n_bootstrap, confidence, seed)
    size = whole_number(group_size, "group_size", minimum=1)
    n_creative = max(1, round(proportion(share, "share") * size))
    n_replicates = whole_number(n_replicates, "n_replicates", minimum=1)
    normal, creative = two_sides(normal_pvalues, creative_pvalues)
    truth = true_nodes_of(true_nodes, creative.shape)
    for matrix, name, needed in (
        (normal, "normal_pvalues", size),
        (creative, "creative_pvalues", n_creative),
    ):
        if len(matrix) < needed:
            raise ValueError(
                f"{name} must hold at least the {needed} images of a group; got {len(matrix)}"
            )
    rows = workers.map(
        _detect_pair,
        range(n_replicates),
        [normal, creative, truth, size, n_creative, search],
        "scanning groups",
    )
    h1 = {name: np.array([pair[0][name] for pair in rows]) for name in rows[0][0]}
    h0 = {name: np.array([pair[1][name] for pair in rows]) for name in rows[0][1]}
    return GroupDetection(
        auc=bootstrap.auc(h1["score"], h0["score"], 0),
        auc_all_nodes=bootstrap.auc(h1["all_nodes"], h0["all_nodes"], 1),
        auc_mean_pvalue=bootstrap.auc(-h1["mean_pvalue"], -h0["mean_pvalue"], 2),
        precision=bootstrap.mean(h1["precision"], 3),
        recall=bootstrap.mean(h1["recall"], 4),
        node_precision=None if truth is None else bootstrap.mean(h1["node_precision"], 5),
        node_recall=None if truth is None else bootstrap.mean(h1["node_recall"], 6),
        n_images=bootstrap.mean(h1["n_images"], 7),
        n_nodes=bootstrap.mean(h1["n_nodes"], 8),
        n_images_normal=bootstrap.mean(h0["n_images"], 9),
        n_nodes_normal=bootstrap.mean(h0["n_nodes"], 10),
        scores=h1["score"],
        scores_normal=h0["score"],
        group_size=size,
        n_creative=n_creative,
        n_replicates=n_replicates,
        **search.recorded(),
        seed=search.seed,
        confidence=bootstrap.confidence,
        n_bootstrap=bootstrap.n_resamples,
    )


def _detect_pair(
    replicate: int,
    normal: PValueMatrix,
    creative: PValueMatrix,
    truth: NDArray[np.bool_] | None,
    size: int,
    n_creative: int,
    search: Search,
) -> tuple[dict[str, float], dict[str, float]]:
    """What is measured on the H1 and on the H0 group with this number."""
    rng = np.random.default_rng([search.seed, replicate])
    chosen = rng.choice(len(creative), n_creative, replace=False)
    others = rng.choice(len(normal), size - n_creative, replace=False)
    mixed = join_images(take_images(creative, chosen), take_images(normal, others))
    planted, found, nodes = _measure(mixed, search)
    planted["precision"], planted["recall"] = precision_recall(found, np.arange(n_creative))
    if truth is not None:
        true_nodes = np.flatnonzero(truth[chosen].any(axis=0))
        shares = precision_recall(nodes, true_nodes)
        planted["node_precision"], planted["node_recall"] = shares
    plain, _, _ = _measure(
        take_images(normal, rng.choice(len(normal), size, replace=False)), search
    )
    return planted, plain


def _measure(
    group: PValueMatrix, search: Search
) -> tuple[dict[str, float], NDArray[np.int64], NDArray[np.int64]]:
    scan = search.group(group)
    pvalues = as_floats(group)
    measured = {
        "score": scan.score,
        "n_images": float(len(scan.images)),
        "n_nodes": float(len(scan.nodes)),
        "all_nodes": score_of_all(pvalues, search.statistic, search.alpha_max),
        "mean_pvalue": mean_pvalue(pvalues),
    }
    return measured, scan.images, scan.nodes
