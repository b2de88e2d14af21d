"""Group scan: the images and nodes that are anomalous together."""

from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from scanning._group_ascent import Ascent, Problem
from scanning._group_compiled import CompiledEngine
from scanning._group_ranks import GroupRanks
from scanning._ranks import rank_pvalues
from scanning._threads import interruptible
from scanning._validation import one_of, proportion, whole_number
from scanning.pvalues import RankedPvalues
from scanning.results import GroupScan
from scanning.statistics import STATISTICS

ENGINES = ("numba", "torch", "auto")
MIN_TORCH = 1 << 24  # p-values for which a device repays the transfer


@interruptible
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
        Without one torch is slow, very slow where there are very many distinct p-values.

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

    The result depends on the arguments alone, not on the number of threads. A step costs
    O(M·J); ranks take 3 to 6 bytes per p-value.
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
        ascents = [Ascent(np.empty(0, np.int64), np.empty(0, np.int64))]
        is_exact = True
    else:
        caps = tuple(
            min(cap or length, length)
            for cap, length in zip((max_images, max_nodes), ranked.ranks.shape, strict=True)
        )
        ranks = GroupRanks.of(ranked)
        problem = Problem(ranks, code, caps, _engine(engine, ranks, code, caps))
        is_exact = problem.is_small
        ascents = problem.ascents(n_restarts, seed)
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


def _engine(engine: str, ranks: GroupRanks, statistic: int, caps: tuple[int, int]) -> Any:
    """A torch engine where it is asked for or pays, else the compiled one."""
    if engine == "torch" or (
        engine == "auto" and ranks.fine.size >= MIN_TORCH and find_spec("torch") is not None
    ):
        from scanning._group_torch import TorchEngine, has_device

        if engine == "torch" or has_device():
            return TorchEngine(ranks, statistic, caps)
    return CompiledEngine(ranks, statistic, caps)
