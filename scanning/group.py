"""Group scan: the images and nodes that are anomalous together."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scanning import _group_numba as kernels
from scanning._ranks import ThresholdRanks, rank_pvalues
from scanning._threads import blocks, map_threads
from scanning._validation import one_of, proportion, whole_number
from scanning.pvalues import RankedPvalues
from scanning.results import GroupScan
from scanning.statistics import STATISTICS

ENGINES = ("numba", "torch", "auto")
MIN_TORCH = 1 << 24  # p-values for which a device repays the transfer
N_EDGES = 64
# The coarse thresholds cost about a thousandth of the score; starts further behind than this
# are not worth a second look at full resolution.
NEAR_BEST = 0.99
# 1/g and 1/g² for g³ = g + 1: the plane's counterpart of the golden ratio.
SPREAD = np.array([0.7548776662466927, 0.5698402909980532])
# p-values counted while every subset of a side of at most so many elements is tried.
MAX_EXHAUSTIVE = 1 << 20
MAX_SIDE = 10


def scan_group(
    pvalues: ArrayLike | RankedPvalues,
    statistic: str = "berk_jones",
    alpha_max: float = 0.5,
    n_restarts: int = 10,
    seed: int = 0,
    *,
    max_images: int | None = None,
    max_nodes: int | None = None,
    engine: str = "numba",
) -> GroupScan:
    """Find the highest-scoring images × nodes by alternating linear-time subset scans.

    Parameters
    ----------
    pvalues : array_like or RankedPvalues, (M, J)
        p-values in (0, 1], from :meth:`scanning.Background.pvalues` or elsewhere; or those of
        :meth:`scanning.Background.ranks`, which take an eighth to a quarter of the memory.
    statistic : {"berk_jones", "higher_criticism", "kolmogorov_smirnov"}
        Scan statistic; see :mod:`scanning.statistics`.
    alpha_max : float
        Largest level tried, in (0, 1]. Compared with the p-values in the precision they come in.
    n_restarts : int
        Starts from random subsets, besides the two fixed ones: all nodes, and the nodes
        of the single most anomalous image. Each climbs at a level of its own first; sizes and
        levels of the starts are spread evenly.
    seed : int
        Seed of the random starts. The global random state is neither read nor changed.
    max_images, max_nodes : int, optional
        Largest subsets allowed, at least 1; by default there is no limit.
    engine : {"numba", "torch", "auto"}
        Compiled for the processor, or on torch's device: a CUDA one where there is one. "auto"
        takes torch for 2^24 p-values and more if it is installed and finds a CUDA device.

    Returns
    -------
    GroupScan
        Score, alpha, images, nodes and size. Where no p-value is both below 1 and at most
        `alpha_max`, the score is 0, alpha NaN, and the subset empty.

    Raises
    ------
    ValueError
        If `pvalues` is not a non-empty matrix of numbers in (0, 1], `alpha_max` is not in
        (0, 1], `statistic` or `engine` is unknown, `n_restarts` or `seed` is not a whole
        number >= 0, or `max_images` or `max_nodes` is not one >= 1.
    ImportError
        If `engine` is "torch" and torch is not installed.

    Notes
    -----
    A local maximum, not necessarily the global one, except where one side is so short that all
    its subsets can be tried (`is_exact`: up to 10 images or nodes, fewer where the other side is
    long). For fixed nodes and alpha the best images
    are exact over all 2^M subsets (they are the ones with the largest shares of small
    p-values), and for fixed images the best nodes likewise, so the score rises with each step
    and ends at a fixed point: no other images for these nodes, and no other nodes for these
    images, score more at *any* distinct p-value up to `alpha_max`. Starts climb over a coarse
    grid of thresholds first; those that come near the best one continue over all of them. Under
    a cap each step is exact over all subsets within it; of elements that tie for the last place
    the first are taken.

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
    if max_images is not None:
        max_images = whole_number(max_images, "max_images", minimum=1)
    if max_nodes is not None:
        max_nodes = whole_number(max_nodes, "max_nodes", minimum=1)
    one_of(engine, ENGINES, "engine")
    ranked = rank_pvalues(pvalues, alpha_max)
    n_thresholds = len(ranked.alphas)

    if n_thresholds == 0 or ranked.alphas[0] >= 1.0:
        best = _Ascent(np.empty(0, np.int64), np.empty(0, np.int64))
        ascents = [best]
        is_exact = True
    else:
        caps = (max_images or ranked.ranks.shape[0], max_nodes or ranked.ranks.shape[1])
        problem = _Problem.of(ranked, code, caps, engine)
        is_exact = problem.is_small
        starts = _starts(problem, n_restarts, np.random.default_rng(seed))
        ascents = problem.map(problem.climb, starts)
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
        max_images=max_images,
        max_nodes=max_nodes,
        is_exact=is_exact,
    )


@dataclass(frozen=True, eq=False)
class _Ascent:
    """A subset on its way up; rank -1 and score 0 for a start."""

    images: NDArray[np.int64]
    nodes: NDArray[np.int64]
    score: float = 0.0
    rank: int = -1
    n_steps: int = 0
    level: int = -1  # the edge at which to climb first
    by_rows: bool = True  # whether images are sought first


@dataclass(frozen=True, eq=False)
class _Problem:
    """Ranks at both resolutions; see `_group_numba`."""

    coarse: NDArray[np.uint8]
    fine: NDArray[Any]
    edges: NDArray[np.int64]
    alphas: NDArray[np.float64]
    statistic: int
    caps: tuple[int, int]
    row_counts: NDArray[np.int32]  # (edges, M): small p-values among all of an image's nodes
    engine: Any  # what steps: the compiled kernels, or a TorchEngine
    found: dict[Any, tuple[float, float, int, NDArray[np.int64]]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, ranked: ThresholdRanks, statistic: int, caps: tuple[int, int], engine: str = "numba"
    ) -> "_Problem":
        n_thresholds = len(ranked.alphas)
        edges = _edges(n_thresholds)
        table = np.searchsorted(edges, np.arange(ranked.n_ranks)).astype(np.uint8)
        coarse = np.empty(ranked.ranks.shape, np.uint8)
        counts = np.empty((len(edges), len(coarse)), np.int32)
        map_threads(
            lambda block: kernels.coarsen_rows(ranked.ranks, table, *block, coarse, counts),
            blocks(len(coarse), minimum=max(1, 65_536 // ranked.ranks.shape[1])),
        )
        coarse.flags.writeable = False
        chosen = kernels if engine == "numba" else _torch_engine(engine, coarse, ranked.ranks)
        return cls(coarse, ranked.ranks, edges, ranked.alphas, statistic, caps, counts, chosen)

    def map(
        self, function: Callable[[_Ascent], _Ascent], items: Iterable[_Ascent]
    ) -> list[_Ascent]:
        """One after the other on a device, which is busy with one; else in several threads."""
        return map_threads(function, items) if self.engine is kernels else [*map(function, items)]

    @property
    def is_thinned(self) -> bool:
        """Whether the coarse thresholds leave any out."""
        return len(self.edges) < len(self.alphas)

    @property
    def is_small(self) -> bool:
        """Whether trying every subset of the shorter side costs next to nothing."""
        side = min(self.coarse.shape)
        return side <= MAX_SIDE and self.coarse.size << side <= MAX_EXHAUSTIVE

    def step(
        self, by_rows: bool, held: NDArray[np.int64], level: int, full: bool, floor: float
    ) -> tuple[float, int, NDArray[np.int64]]:
        """Best images for held nodes (by_rows), or best nodes for held images.

        At one edge, `level`, or over the coarse thresholds, or over all of them. Returns score,
        threshold and members, or `floor`, -1 and none where nothing scores more than `floor`.
        """
        # Ascents meet: what one has found, the others need not look for again.
        key = (by_rows, level, full, held.tobytes())
        least, score, rank, members = self.found.get(key, (math.inf, 0.0, -1, held[:0]))
        if rank < 0 and floor < least:
            cap = self.caps[0] if by_rows else self.caps[1]
            if level >= 0:
                score, rank, members = self.engine.level_step(
                    self.coarse,
                    self.edges,
                    self.alphas,
                    level,
                    self.statistic,
                    by_rows,
                    held,
                    floor,
                    cap,
                )
            else:
                score, rank, members = self.engine.step(
                    self.coarse,
                    self.fine,
                    self.edges,
                    self.alphas,
                    self.statistic,
                    by_rows,
                    held,
                    full,
                    floor,
                    cap,
                )
            self.found[key] = floor, score, rank, members
        return (score, rank, members) if score > floor else (floor, -1, held[:0])

    def climb(self, start: _Ascent, *, full: bool = False) -> _Ascent:
        """Alternate between images and nodes until neither side can be bettered.

        Over the coarse thresholds, or over all; at the start's own level before.
        """
        images, nodes, score, rank = start.images, start.nodes, start.score, start.rank
        level, n_steps = start.level, start.n_steps
        # Where images are not sought first, they are known to be the best ones.
        seek_images, images_settled, nodes_settled = start.by_rows, not start.by_rows, False
        while True:
            # A start's side may be larger than its cap; a score with it is not one to beat.
            if seek_images and len(images) > self.caps[0]:
                score, rank = 0.0, -1
            if not seek_images and len(nodes) > self.caps[1]:
                score, rank = 0.0, -1
            held = nodes if seek_images else images
            found, found_rank, members = self.step(seek_images, held, level, full, score)
            n_steps += 1
            if found_rank >= 0:
                score, rank = found, found_rank
            if seek_images:
                images_settled = True
                if found_rank >= 0:
                    images, nodes_settled = members, False
            else:
                nodes_settled = True
                if found_rank >= 0:
                    nodes, images_settled = members, False
            if images_settled and nodes_settled:
                if level < 0:
                    return _Ascent(images, nodes, score, rank, n_steps)
                level, images_settled, nodes_settled = -1, False, False
            seek_images = not seek_images


def _torch_engine(engine: str, coarse: NDArray[np.uint8], fine: NDArray[Any]) -> Any:
    """A torch engine where it is asked for or pays, else the compiled kernels."""
    if engine == "auto" and (coarse.size < MIN_TORCH or find_spec("torch") is None):
        return kernels
    from scanning._group_torch import TorchEngine, has_device

    return TorchEngine(coarse, fine) if engine == "torch" or has_device() else kernels


def _edges(n_thresholds: int) -> NDArray[np.int64]:
    """Positions of the coarse thresholds: denser among the smallest, always both ends."""
    if n_thresholds <= N_EDGES:
        return np.arange(n_thresholds)
    even = np.linspace(0, n_thresholds - 1, N_EDGES // 2)
    dense = np.geomspace(1, n_thresholds, N_EDGES // 2) - 1
    return np.unique(np.concatenate([even, dense]).astype(np.int64))


def _starts(problem: _Problem, n_restarts: int, rng: np.random.Generator) -> list[_Ascent]:
    n_images, n_nodes = problem.coarse.shape
    # Its subset scores above 0 whenever any does: the smallest p-value is at an edge.
    image, edge = kernels.best_row(
        problem.row_counts, problem.edges, problem.alphas, problem.statistic
    )
    starts = [
        _from_all_nodes(problem),
        _Ascent(np.array([image]), np.flatnonzero(problem.coarse[image] <= edge)),
    ]
    if problem.is_small:
        starts[0] = _best_of_all(problem)
    # Multiples of these spread evenly over the square however many starts there are.
    offsets = rng.random(2)
    for restart in range(n_restarts):
        at_size, at_level = (offsets + restart * SPREAD) % 1.0
        # Sizes over all orders of magnitude reach small subsets as well as large.
        n_chosen = min(n_nodes, int((n_nodes + 1.0) ** at_size))
        chosen = np.sort(rng.choice(n_nodes, size=n_chosen, replace=False))
        starts.append(
            _Ascent(np.arange(n_images), chosen, level=int(at_level * len(problem.edges)))
        )
    return starts


def _best_of_all(problem: _Problem) -> _Ascent:
    """The best subset of all: every subset of the shorter side, with the best of the other."""
    n_images, n_nodes = problem.coarse.shape
    by_rows = n_nodes <= n_images
    length, cap = (n_nodes, problem.caps[1]) if by_rows else (n_images, problem.caps[0])
    best = _Ascent(np.arange(n_images), np.arange(n_nodes))
    n_steps = 0
    for bits in range(1, 1 << length):
        if bits.bit_count() <= cap:
            n_steps += 1
            held = np.flatnonzero(bits >> np.arange(length) & 1)
            score, rank, found = problem.step(by_rows, held, -1, True, best.score)
            if rank >= 0:
                images, nodes = (found, held) if by_rows else (held, found)
                best = _Ascent(images, nodes, score, rank)
    return replace(best, n_steps=n_steps)


def _from_all_nodes(problem: _Problem) -> _Ascent:
    """The best images for all nodes, from counts that are at hand."""
    n_images, n_nodes = problem.coarse.shape
    score, edge, cut = kernels.search_edges(
        problem.row_counts,
        problem.edges,
        problem.alphas,
        problem.statistic,
        n_nodes,
        0.0,
        problem.caps[0],
    )
    if edge < 0:
        return _Ascent(np.arange(n_images), np.arange(n_nodes), n_steps=1, by_rows=False)
    images = kernels.members(problem.row_counts[edge], cut, problem.caps[0])
    rank = int(problem.edges[edge])
    return _Ascent(images, np.arange(n_nodes), score, rank, n_steps=1, by_rows=False)


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
            problem.map(lambda ascent: problem.climb(ascent, full=True), near.values()),
            strict=True,
        )
    )
    return [finished.get(key, ascent) for key, ascent in zip(keys, ascents, strict=True)]
