"""Group scan: the images and nodes that are anomalous together."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scanning import _group_numba as kernels
from scanning._individual_numba import scan_rows
from scanning._ranks import RankedPValues, rank_pvalues
from scanning._threads import blocks, map_threads
from scanning._validation import one_of, proportion, whole_number
from scanning.results import GroupScan
from scanning.statistics import STATISTICS

N_EDGES = 64
# The coarse thresholds cost about a thousandth of the score; starts further behind than this
# are not worth a second look at full resolution.
NEAR_BEST = 0.99


def scan_group(
    pvalues: ArrayLike,
    statistic: str = "berk_jones",
    alpha_max: float = 0.5,
    n_restarts: int = 10,
    seed: int = 0,
) -> GroupScan:
    """Find the highest-scoring images × nodes by alternating linear-time subset scans.

    Parameters
    ----------
    pvalues : array_like, (M, J)
        p-values in (0, 1], from :meth:`scanning.Background.pvalues` or elsewhere.
    statistic : {"berk_jones", "higher_criticism", "kolmogorov_smirnov"}
        Scan statistic; see :mod:`scanning.statistics`.
    alpha_max : float
        Largest level tried, in (0, 1]. Compared with the p-values in the precision they come in.
    n_restarts : int
        Starts from random subsets, besides the two fixed ones: all nodes, and the nodes
        of the single most anomalous image.
    seed : int
        Seed of the random starts. The global random state is neither read nor changed.

    Returns
    -------
    GroupScan
        Score, alpha, images, nodes and size. Where no p-value is both below 1 and at most
        `alpha_max`, the score is 0, alpha NaN, and the subset empty.

    Raises
    ------
    ValueError
        If `pvalues` is not a non-empty matrix of numbers in (0, 1], `alpha_max` is not in
        (0, 1], `statistic` is unknown, or `n_restarts` or `seed` is not a whole number >= 0.

    Notes
    -----
    A local maximum, not necessarily the global one. For fixed nodes and alpha the best images
    are exact over all 2^M subsets (they are the ones with the largest shares of small
    p-values), and for fixed images the best nodes likewise, so the score rises with each step
    and ends at a fixed point: no other images for these nodes, and no other nodes for these
    images, score more at *any* distinct p-value up to `alpha_max`. Starts climb over a coarse
    grid of thresholds first; those that come near the best one continue over all of them.

    The result depends on the arguments alone, not on the number of threads. One step costs
    O(M·J) plus the thresholds' sorting by counting; ranks take 3 to 5 bytes per p-value.
    Cintas et al. (2022), algorithm 1; Neill (2012) for linear-time subset scanning.

    Examples
    --------
    >>> pvalues = np.full((4, 5), 0.6)
    >>> pvalues[1:3, 2:] = 0.05
    >>> group = scan_group(pvalues)
    >>> group.images, group.nodes, group.alpha, round(group.score, 3)
    (array([1, 2]), array([2, 3, 4]), 0.05, 17.974)
    """
    code = list(STATISTICS).index(one_of(statistic, STATISTICS, "statistic"))
    alpha_max = proportion(alpha_max, "alpha_max")
    n_restarts = whole_number(n_restarts, "n_restarts")
    seed = whole_number(seed, "seed")
    ranked = rank_pvalues(pvalues, alpha_max)
    n_thresholds = len(ranked.alphas)

    if n_thresholds == 0 or ranked.alphas[0] >= 1.0:
        best = _Ascent(np.empty(0, np.int64), np.empty(0, np.int64), 0.0, -1, 0)
        ascents = [best]
    else:
        problem = _Problem.of(ranked, code)
        starts = _starts(ranked, code, n_restarts, np.random.default_rng(seed))
        ascents = map_threads(problem.climb, starts)
        if problem.is_thinned:
            ascents = _finish(problem, ascents)
        best = max(ascents, key=lambda ascent: ascent.score)  # the first of equals
    return GroupScan(
        score=best.score,
        alpha=float(ranked.alphas[best.rank]) if best.rank >= 0 else float("nan"),
        images=best.images,
        nodes=best.nodes,
        statistic=statistic,
        alpha_max=alpha_max,
        n_restarts=n_restarts,
        seed=seed,
        n_thresholds=n_thresholds,
        n_steps=sum(ascent.n_steps for ascent in ascents),
        restart_scores=np.array([ascent.score for ascent in ascents]),
    )


@dataclass(frozen=True, eq=False)
class _Ascent:
    """A subset on its way up; rank -1 and score 0 for a start."""

    images: NDArray[np.int64]
    nodes: NDArray[np.int64]
    score: float = 0.0
    rank: int = -1
    n_steps: int = 0


@dataclass(frozen=True, eq=False)
class _Problem:
    """Ranks at both resolutions; see `_group_numba`."""

    coarse: NDArray[np.uint8]
    fine: NDArray[Any]
    edges: NDArray[np.int64]
    alphas: NDArray[np.float64]
    statistic: int

    @classmethod
    def of(cls, ranked: RankedPValues, statistic: int) -> "_Problem":
        n_thresholds = len(ranked.alphas)
        edges = _edges(n_thresholds)
        table = np.searchsorted(edges, np.arange(n_thresholds + 1)).astype(np.uint8)
        coarse = np.empty(ranked.ranks.shape, np.uint8)

        def coarsen(block: tuple[int, int]) -> None:
            np.take(table, ranked.ranks[slice(*block)], out=coarse[slice(*block)], mode="clip")

        map_threads(coarsen, blocks(len(coarse)))
        coarse.flags.writeable = False
        return cls(coarse, ranked.ranks, edges, ranked.alphas, statistic)

    @property
    def is_thinned(self) -> bool:
        """Whether the coarse thresholds leave any out."""
        return len(self.edges) < len(self.alphas)

    def climb(self, ascent: _Ascent, *, full: bool = False) -> _Ascent:
        """Ascend to a fixed point over the coarse thresholds, or over all."""
        images, nodes, score, rank, n_steps = kernels.ascend(
            self.coarse,
            self.fine,
            self.edges,
            self.alphas,
            self.statistic,
            ascent.images,
            ascent.nodes,
            ascent.score,
            ascent.rank,
            full,
        )
        return _Ascent(images, nodes, score, rank, ascent.n_steps + n_steps)


def _edges(n_thresholds: int) -> NDArray[np.int64]:
    """Positions of the coarse thresholds: denser among the smallest, always both ends."""
    if n_thresholds <= N_EDGES:
        return np.arange(n_thresholds)
    even = np.linspace(0, n_thresholds - 1, N_EDGES // 2)
    dense = np.geomspace(1, n_thresholds, N_EDGES // 2) - 1
    return np.unique(np.concatenate([even, dense]).astype(np.int64))


def _starts(
    ranked: RankedPValues, statistic: int, n_restarts: int, rng: np.random.Generator
) -> list[_Ascent]:
    n_images, n_nodes = ranked.ranks.shape
    all_images, all_nodes = np.arange(n_images), np.arange(n_nodes)
    starts = [
        _Ascent(all_images, all_nodes),
        _most_anomalous_image(ranked, statistic),
    ]
    for _ in range(n_restarts):
        # Sizes spread evenly over orders of magnitude reach small subsets as well as large.
        n_chosen = int(np.exp(rng.uniform(0.0, np.log(n_nodes + 1.0))))
        chosen = np.sort(rng.choice(n_nodes, size=max(1, min(n_chosen, n_nodes)), replace=False))
        starts.append(_Ascent(all_images, chosen))
    return starts


def _most_anomalous_image(ranked: RankedPValues, statistic: int) -> _Ascent:
    """The best image's own subset: its score is above 0 whenever any subset's is."""
    n_images, n_nodes = ranked.ranks.shape
    scores, levels = np.zeros(n_images), np.zeros(n_images)
    sizes = np.zeros(n_images, np.int64)
    members = np.zeros((n_images, (n_nodes + 7) // 8), np.uint8)
    scan_rows(ranked.ranks, ranked.alphas, statistic, 0, n_images, scores, sizes, levels, members)
    image = int(scores.argmax())
    nodes = np.flatnonzero(np.unpackbits(members[image], count=n_nodes, bitorder="little"))
    return _Ascent(np.array([image]), nodes)


def _finish(problem: _Problem, ascents: list[_Ascent]) -> list[_Ascent]:
    """Continue the ascents near the best one over every threshold, equal ones once."""
    limit = NEAR_BEST * max(ascent.score for ascent in ascents)
    keys = [
        (ascent.score, ascent.rank, ascent.images.tobytes(), ascent.nodes.tobytes())
        for ascent in ascents
    ]
    near = {key: ascent for key, ascent in zip(keys, ascents, strict=True) if ascent.score >= limit}
    finished = dict(
        zip(
            near,
            map_threads(lambda ascent: problem.climb(ascent, full=True), near.values()),
            strict=True,
        )
    )
    return [finished.get(key, ascent) for key, ascent in zip(keys, ascents, strict=True)]
