"""How well scans tell creative images from normal ones, and whether their nodes differ.

All intervals are percentile bootstrap intervals. Where every resample gives the same value, as
for an AUC of 1, the interval has no width: it then says nothing about what more data would show.
Estimates over groups resample groups that were drawn from the same images, so their intervals
hold for these images, not for new ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scanning._validation import in_precision, one_of, proportion, whole_number
from scanning.calibration import open_proportion
from scanning.cluster import (
    Progress,
    PValueMatrix,
    as_floats,
    fan_out,
    join_images,
    pvalue_matrix,
    take_images,
)
from scanning.group import scan_group
from scanning.individual import scan_images
from scanning.pvalues import RankedPvalues
from scanning.statistics import STATISTICS


@dataclass(frozen=True)
class Estimate:
    """A number with its bootstrap interval.

    Attributes
    ----------
    value, low, high : float
        NaN where nothing defines it, as the precision of subsets that are all empty.
    n : int
        Replicates or images that it rests on.
    """

    value: float
    low: float
    high: float
    n: int

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain numbers, NaN as None."""
        return dict(_plain(self))


@dataclass(frozen=True, eq=False)
class GroupDetection:
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

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain numbers, strings, lists and dicts."""
        return _plain(self)


@dataclass(frozen=True, eq=False)
class ImageDetection:
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

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain numbers, strings, lists and dicts."""
        return _plain(self)


@dataclass(frozen=True, eq=False)
class NodeOverlap:
    """Node subsets of two processes, compared.

    Attributes
    ----------
    jaccard_between : float
        Mean Jaccard index of a subset of A and a subset of B.
    jaccard_a, jaccard_b : float
        Mean Jaccard index of two different subsets of the same process.
    difference : float
        Mean of `jaccard_a` and `jaccard_b`, less `jaccard_between`: above 0 where subsets are
        more alike within a process than between.
    pvalue : float
        Of `difference` when the subsets are dealt to the processes at random.
    n_exceeding : int
        Permutations with at least the observed difference.
    frequency_a, frequency_b : ndarray of float64, (J,)
        Share of the process's subsets that hold each node.
    channels_a, channels_b : ndarray of float64, (C,), or None
        Mean frequency over the nodes of each channel; None without a shape.
    shape : tuple of int or None
        (C, H, W) or whatever was given, channels first.
    n_a, n_b : int
        Subsets of each process.
    n_permutations, seed : int
    """

    jaccard_between: float
    jaccard_a: float
    jaccard_b: float
    difference: float
    pvalue: float
    n_exceeding: int
    frequency_a: NDArray[np.float64]
    frequency_b: NDArray[np.float64]
    channels_a: NDArray[np.float64] | None
    channels_b: NDArray[np.float64] | None
    shape: tuple[int, ...] | None
    n_a: int
    n_b: int
    n_permutations: int
    seed: int

    def maps(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Frequencies of A and of B laid out as the layer is.

        Returns
        -------
        tuple of two ndarrays of float64, `shape`
            One plane per channel.

        Raises
        ------
        ValueError
            If no shape was given.
        """
        if self.shape is None:
            raise ValueError("shape must be given to node_overlap for maps; got None")
        return self.frequency_a.reshape(self.shape), self.frequency_b.reshape(self.shape)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain numbers and lists."""
        return _plain(self)


def auc(
    creative: ArrayLike,
    normal: ArrayLike,
    *,
    n_bootstrap: int = 999,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Area under the ROC curve: how often a creative score exceeds a normal one.

    Parameters
    ----------
    creative, normal : array_like, (n,)
        Finite scores; a tie counts one half.
    n_bootstrap : int
        Resamples, of both sides independently; 0 gives an interval of NaN.
    confidence : float
        Of the interval, in (0, 1).
    seed : int
        Of the resamples.

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        If a side is empty or not finite, or another argument out of range.

    Notes
    -----
    Exact, the Mann–Whitney statistic divided by the number of pairs; costs O(n·log n) and O(n)
    per resample. Hanley & McNeil (1982).

    Examples
    --------
    >>> auc([3.0, 4.0], [1.0, 2.0, 3.0]).value.__round__(4)
    0.9167
    """
    bootstrap = _Bootstrap.of(n_bootstrap, confidence, seed)
    return bootstrap.auc(_finite(creative, "creative"), _finite(normal, "normal"), 0)


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
    normal, creative = _two_sides(normal_pvalues, creative_pvalues)
    size = whole_number(group_size, "group_size", minimum=1)
    n_creative = max(1, round(proportion(share, "share") * size))
    n_replicates = whole_number(n_replicates, "n_replicates", minimum=1)
    truth = _true_nodes(true_nodes, creative.shape)
    search: dict[str, Any] = {
        "statistic": one_of(statistic, STATISTICS, "statistic"),
        "alpha_max": proportion(alpha_max, "alpha_max"),
        "n_restarts": whole_number(n_restarts, "n_restarts"),
        "max_images": max_images,
        "max_nodes": max_nodes,
        "engine": engine,
        "seed": whole_number(seed, "seed"),
    }
    bootstrap = _Bootstrap.of(n_bootstrap, confidence, seed)
    for matrix, name, needed in (
        (normal, "normal_pvalues", size),
        (creative, "creative_pvalues", n_creative),
    ):
        if len(matrix) < needed:
            raise ValueError(
                f"{name} must hold at least the {needed} images of a group; got {len(matrix)}"
            )
    rows = fan_out(
        _detect_pair,
        range(n_replicates),
        shared=[normal, creative, truth, size, n_creative, search],
        n_workers=n_workers,
        cluster=cluster,
        progress=progress,
        message="scanning groups",
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
        statistic=statistic,
        alpha_max=search["alpha_max"],
        n_restarts=search["n_restarts"],
        max_images=max_images,
        max_nodes=max_nodes,
        seed=search["seed"],
        confidence=bootstrap.confidence,
        n_bootstrap=bootstrap.n_resamples,
    )


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
    normal, creative = _two_sides(normal_pvalues, creative_pvalues)
    truth = _true_nodes(true_nodes, creative.shape)
    bootstrap = _Bootstrap.of(n_bootstrap, confidence, whole_number(seed, "seed"))
    h0 = scan_images(normal, statistic, alpha_max)
    h1 = scan_images(creative, statistic, alpha_max)
    node_precision, node_recall = None, None
    if truth is not None:
        shares = [
            _precision_recall(h1.nodes(i), np.flatnonzero(row)) for i, row in enumerate(truth)
        ]
        node_precision = bootstrap.mean(np.array([share[0] for share in shares]), 4)
        node_recall = bootstrap.mean(np.array([share[1] for share in shares]), 5)
    pvalues_h1, pvalues_h0 = as_floats(creative), as_floats(normal)
    all_nodes_h1, all_nodes_h0 = (
        np.array([_score_of_all(row, statistic, h1.alpha_max) for row in matrix])
        for matrix in (pvalues_h1, pvalues_h0)
    )
    return ImageDetection(
        auc=bootstrap.auc(h1.scores, h0.scores, 0),
        auc_size=bootstrap.auc(h1.sizes, h0.sizes, 1),
        auc_all_nodes=bootstrap.auc(all_nodes_h1, all_nodes_h0, 2),
        auc_mean_pvalue=bootstrap.auc(-pvalues_h1.mean(axis=1), -pvalues_h0.mean(axis=1), 3),
        node_precision=node_precision,
        node_recall=node_recall,
        size=bootstrap.mean(h1.sizes, 6),
        size_normal=bootstrap.mean(h0.sizes, 7),
        scores=h1.scores,
        scores_normal=h0.scores,
        statistic=statistic,
        alpha_max=h1.alpha_max,
        seed=int(seed),
        confidence=bootstrap.confidence,
        n_bootstrap=bootstrap.n_resamples,
    )


def node_overlap(
    nodes_a: Sequence[ArrayLike],
    nodes_b: Sequence[ArrayLike],
    n_nodes: int,
    shape: Sequence[int] | None = None,
    *,
    n_permutations: int = 999,
    seed: int = 0,
) -> NodeOverlap:
    """Whether two processes leave their anomalies in different nodes.

    Parameters
    ----------
    nodes_a, nodes_b : sequence of array_like of int
        One subset of nodes per image, or per group, of each process: indices below `n_nodes`.
        At least two subsets of each.
    n_nodes : int
        J.
    shape : sequence of int, optional
        (C, H, W) of the layer, or any shape of J nodes with channels first.
    n_permutations : int
        R, random deals of all subsets to two processes of the given sizes.
    seed : int
        Of the permutations.

    Returns
    -------
    NodeOverlap

    Raises
    ------
    ValueError
        If there are fewer than two subsets on a side, or an index or argument is out of range.

    Notes
    -----
    The permutation test is exact for subsets that are independent and, under the null
    hypothesis, alike distributed in both processes; p = (1 + #{permuted >= observed})/(R + 1).
    A larger size in one process is a difference too. Two empty subsets have a Jaccard index of
    1. Costs O(n²·J) for n subsets and O(R·n²). Clarke (1993), for tests of within against
    between.

    Examples
    --------
    >>> found = node_overlap([[0, 1], [0, 1, 2], [0, 1]], [[3], [3], [2, 3]], 4, (2, 1, 2))
    >>> round(found.jaccard_between, 3), found.pvalue < 0.2, found.channels_a.round(2)
    (0.028, True, array([1.  , 0.17]))
    """
    n_nodes = whole_number(n_nodes, "n_nodes", minimum=1)
    n_permutations = whole_number(n_permutations, "n_permutations", minimum=1)
    seed = whole_number(seed, "seed")
    dimensions = None
    if shape is not None:
        dimensions = tuple(whole_number(length, "shape", minimum=1) for length in shape)
        if int(np.prod(dimensions)) != n_nodes:
            raise ValueError(f"shape must hold the {n_nodes} nodes; got {dimensions}")
    members_a = _members(nodes_a, n_nodes, "nodes_a")
    members_b = _members(nodes_b, n_nodes, "nodes_b")
    n_a, n_b = len(members_a), len(members_b)
    members = np.concatenate([members_a, members_b]).astype(np.float32)
    shared = (members @ members.T).astype(np.float64)
    sizes = members.sum(axis=1, dtype=np.float64)
    united = sizes[:, None] + sizes - shared
    index = np.divide(shared, united, out=np.ones_like(shared), where=united > 0)

    def compare(in_a: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Mean index between, within A and within B, for each deal (R, n)."""
        dealt = in_a.astype(np.float64)
        rest = 1.0 - dealt
        to_a, to_b = dealt @ index, rest @ index
        between = (to_a * rest).sum(axis=1) / (n_a * n_b)
        # A subset's index with itself is 1 and does not count.
        within_a = ((to_a * dealt).sum(axis=1) - n_a) / (n_a * (n_a - 1))
        within_b = ((to_b * rest).sum(axis=1) - n_b) / (n_b * (n_b - 1))
        return np.stack([between, within_a, within_b], axis=1)

    observed_deal = np.arange(n_a + n_b) < n_a
    between, within_a, within_b = map(float, compare(observed_deal[None])[0])
    difference = (within_a + within_b) / 2 - between
    rng = np.random.default_rng(seed)
    deals = rng.permuted(np.tile(observed_deal, (n_permutations, 1)), axis=1)
    permuted = compare(deals) @ np.array([-1.0, 0.5, 0.5])
    # Equal differences may come out apart in the last digits.
    n_exceeding = int((permuted >= difference - 1e-9).sum())
    frequency_a, frequency_b = members_a.mean(axis=0), members_b.mean(axis=0)
    channels_a, channels_b = None, None
    if dimensions is not None:
        channels_a = frequency_a.reshape(dimensions[0], -1).mean(axis=1)
        channels_b = frequency_b.reshape(dimensions[0], -1).mean(axis=1)
    return NodeOverlap(
        jaccard_between=between,
        jaccard_a=within_a,
        jaccard_b=within_b,
        difference=difference,
        pvalue=(1 + n_exceeding) / (n_permutations + 1),
        n_exceeding=n_exceeding,
        frequency_a=frequency_a,
        frequency_b=frequency_b,
        channels_a=channels_a,
        channels_b=channels_b,
        shape=dimensions,
        n_a=n_a,
        n_b=n_b,
        n_permutations=n_permutations,
        seed=seed,
    )


@dataclass(frozen=True)
class _Bootstrap:
    """Percentile intervals; each number of a stream has random draws of its own."""

    n_resamples: int
    confidence: float
    seed: int

    @classmethod
    def of(cls, n_bootstrap: int, confidence: float, seed: int) -> "_Bootstrap":
        return cls(
            whole_number(n_bootstrap, "n_bootstrap"),
            open_proportion(confidence, "confidence"),
            whole_number(seed, "seed"),
        )

    def mean(self, values: NDArray[Any], stream: int) -> Estimate:
        """Mean of the values that are not NaN."""
        known = values[~np.isnan(values)].astype(np.float64)
        if len(known) == 0:
            return Estimate(float("nan"), float("nan"), float("nan"), 0)

        def resample(rng: np.random.Generator) -> float:
            return float(known[rng.integers(0, len(known), len(known))].mean())

        return self._estimate(float(known.mean()), resample, stream, len(known))

    def auc(self, creative: NDArray[Any], normal: NDArray[Any], stream: int) -> Estimate:
        """AUC; each side is resampled by itself."""
        n_creative, n_normal = len(creative), len(normal)
        levels, place = np.unique(np.concatenate([creative, normal]), return_inverse=True)
        of_creative, of_normal = place[:n_creative], place[n_creative:]

        def area(above: NDArray[np.int64], below: NDArray[np.int64]) -> float:
            n_below = np.bincount(below, minlength=len(levels))
            # A level's normal scores lie below its creative ones by one half.
            beaten = np.cumsum(n_below) - n_below / 2
            return float(beaten[above].sum() / (n_creative * n_normal))

        def resample(rng: np.random.Generator) -> float:
            return area(
                of_creative[rng.integers(0, n_creative, n_creative)],
                of_normal[rng.integers(0, n_normal, n_normal)],
            )

        value = area(of_creative, of_normal)
        return self._estimate(value, resample, stream, n_creative + n_normal)

    def _estimate(
        self, value: float, resample: Callable[[np.random.Generator], float], stream: int, n: int
    ) -> Estimate:
        if self.n_resamples == 0:
            return Estimate(value, float("nan"), float("nan"), n)
        rng = np.random.default_rng([self.seed, stream])
        drawn = [resample(rng) for _ in range(self.n_resamples)]
        outside = (1.0 - self.confidence) / 2.0
        low, high = np.quantile(drawn, [outside, 1.0 - outside])
        return Estimate(value, float(low), float(high), n)


def _detect_pair(
    replicate: int,
    normal: PValueMatrix,
    creative: PValueMatrix,
    truth: NDArray[np.bool_] | None,
    size: int,
    n_creative: int,
    search: dict[str, Any],
) -> tuple[dict[str, float], dict[str, float]]:
    """What is measured on the H1 and on the H0 group with this number."""
    rng = np.random.default_rng([search["seed"], replicate])
    chosen = rng.choice(len(creative), n_creative, replace=False)
    others = rng.choice(len(normal), size - n_creative, replace=False)
    mixed = join_images(take_images(creative, chosen), take_images(normal, others))
    planted, found, nodes = _measure(mixed, search)
    planted["precision"], planted["recall"] = _precision_recall(found, np.arange(n_creative))
    if truth is not None:
        true_nodes = np.flatnonzero(truth[chosen].any(axis=0))
        shares = _precision_recall(nodes, true_nodes)
        planted["node_precision"], planted["node_recall"] = shares
    plain, _, _ = _measure(
        take_images(normal, rng.choice(len(normal), size, replace=False)), search
    )
    return planted, plain


def _measure(
    group: PValueMatrix, search: dict[str, Any]
) -> tuple[dict[str, float], NDArray[np.int64], NDArray[np.int64]]:
    scan = scan_group(group, **search)
    pvalues = as_floats(group)
    measured = {
        "score": scan.score,
        "n_images": float(len(scan.images)),
        "n_nodes": float(len(scan.nodes)),
        "all_nodes": _score_of_all(pvalues, search["statistic"], search["alpha_max"]),
        "mean_pvalue": float(pvalues.mean(dtype=np.float64)),
    }
    return measured, scan.images, scan.nodes


def _score_of_all(pvalues: NDArray[Any], statistic: str, alpha_max: float) -> float:
    """The statistic over all p-values, at its best level: no subset is searched for."""
    values = pvalues.ravel()
    small = np.sort(values[values <= in_precision(alpha_max, values.dtype)]).astype(np.float64)
    if len(small) == 0:
        return 0.0
    last = np.flatnonzero(np.append(small[1:] != small[:-1], True))
    return float(STATISTICS[statistic](small[last], last + 1, len(values)).max())


def _precision_recall(found: NDArray[np.int64], true: NDArray[np.int64]) -> tuple[float, float]:
    """NaN where nothing was found, or nothing is to be found."""
    n_right = len(np.intersect1d(found, true, assume_unique=True))
    precision = n_right / len(found) if len(found) else float("nan")
    return precision, n_right / len(true) if len(true) else float("nan")


def _two_sides(
    normal_pvalues: ArrayLike | RankedPvalues, creative_pvalues: ArrayLike | RankedPvalues
) -> tuple[PValueMatrix, PValueMatrix]:
    normal = pvalue_matrix(normal_pvalues, "normal_pvalues")
    creative = pvalue_matrix(creative_pvalues, "creative_pvalues")
    if normal.shape[1] != creative.shape[1]:
        raise ValueError(
            f"creative_pvalues must have the {normal.shape[1]} nodes of normal_pvalues; "
            f"got {creative.shape[1]}"
        )
    return normal, creative


def _true_nodes(true_nodes: ArrayLike | None, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """As a mask (creative images, nodes)."""
    if true_nodes is None:
        return None
    array = np.asarray(true_nodes)
    if array.dtype == np.bool_ and array.ndim == 2:
        if array.shape != shape:
            raise ValueError(f"true_nodes must have the shape {shape}; got {array.shape}")
        return array
    nodes = _node_indices(array, shape[1], "true_nodes")
    mask = np.zeros(shape, np.bool_)
    mask[:, nodes] = True
    return mask


def _node_indices(values: ArrayLike, n_nodes: int, name: str) -> NDArray[np.int64]:
    nodes = np.asarray(values)
    if nodes.size == 0 and nodes.ndim == 1:
        return np.empty(0, np.int64)
    if nodes.ndim != 1 or nodes.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must hold indices of nodes; got dtype {nodes.dtype}, shape {nodes.shape}"
        )
    outside = nodes[(nodes < 0) | (nodes >= n_nodes)]
    if len(outside):
        raise ValueError(f"{name} must hold indices below {n_nodes}; got {outside[0]}")
    return nodes.astype(np.int64)


def _members(subsets: Sequence[ArrayLike], n_nodes: int, name: str) -> NDArray[np.bool_]:
    """One row per subset (n, J)."""
    if len(subsets) < 2:
        raise ValueError(f"{name} must hold at least two subsets of nodes; got {len(subsets)}")
    members = np.zeros((len(subsets), n_nodes), np.bool_)
    for row, subset in zip(members, subsets, strict=True):
        row[_node_indices(subset, n_nodes, name)] = True
    return members


def _finite(values: ArrayLike, name: str) -> NDArray[np.float64]:
    array = np.asarray(values)
    if array.ndim != 1 or len(array) == 0 or array.dtype.kind not in "fiu":
        raise ValueError(
            f"{name} must be a list of at least one number; "
            f"got dtype {array.dtype}, shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite; got {array[~np.isfinite(array)][0]}")
    return array.astype(np.float64)


def _plain(value: Any) -> Any:
    """The result's attributes with arrays as lists, estimates as dicts and NaN as None."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple):
        return list(value)
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(held) for name, held in vars(value).items()}
    return None if isinstance(value, float) and np.isnan(value) else value
