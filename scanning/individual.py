"""Exact subset scan of single images."""

import numpy as np
from numpy.typing import ArrayLike

from scanning._individual_numba import scan_rows
from scanning._ranks import rank_pvalues
from scanning._threads import blocks, interruptible, map_threads
from scanning._validation import one_of, proportion
from scanning.pvalues import RankedPvalues
from scanning.results import ImageScan
from scanning.statistics import STATISTICS


@interruptible
def scan_images(
    pvalues: ArrayLike | RankedPvalues, statistic: str = "berk_jones", alpha_max: float = 0.5
) -> ImageScan:
    """Find each image's highest-scoring subset of nodes.

    Parameters
    ----------
    pvalues : array_like or RankedPvalues, (M, J)
        p-values in (0, 1], from :meth:`scanning.Background.pvalues` or elsewhere; or those of
        :meth:`scanning.Background.ranks`, which take an eighth to a quarter of the memory.
    statistic : {"berk_jones", "higher_criticism", "kolmogorov_smirnov"}
        Scan statistic; see :mod:`scanning.statistics`.
    alpha_max : float
        Largest level tried, in (0, 1]. Compared with the p-values in the precision they come in.

    Returns
    -------
    ImageScan
        Scores, sizes, alphas and nodes. An image without a p-value at or below `alpha_max`
        (or with none below 1) has score 0, size 0, alpha NaN and no nodes. Of several levels
        with the same score, the smallest is returned.

    Raises
    ------
    ValueError
        If `pvalues` is not a non-empty matrix of numbers in (0, 1], `alpha_max` is not in
        (0, 1], or `statistic` is unknown.

    Notes
    -----
    Exact over all 2^J subsets and every level. At a given alpha, a node can only help if its
    p-value is at most alpha, and then every such node does; so the candidates are the sets
    ``{j : p[j] <= alpha}``, one for each distinct p-value. Costs O(J) per image for the few
    distinct values of empirical p-values, O(J·log J) otherwise; keeps one bit per p-value.
    McFowland, Speakman & Neill (2013), section 3; Cintas et al. (2022), section 3.

    Examples
    --------
    >>> scan = scan_images([[0.01, 0.02, 0.9, 0.4], [0.8, 0.7, 0.9, 0.6]])
    >>> scan.scores.round(3), scan.sizes, scan.alphas
    (array([7.824, 0.   ]), array([2, 0]), array([0.02,  nan]))
    >>> scan.nodes(0)
    array([0, 1])
    """
    code = list(STATISTICS).index(one_of(statistic, STATISTICS, "statistic"))
    alpha_max = proportion(alpha_max, "alpha_max")
    ranked = rank_pvalues(pvalues, alpha_max)
    n_images, n_nodes = ranked.ranks.shape
    scores = np.zeros(n_images)
    sizes = np.zeros(n_images, np.int64)
    alphas = np.full(n_images, np.nan)
    members = np.zeros((n_images, (n_nodes + 7) // 8), np.uint8)

    def scan(block: tuple[int, int]) -> None:
        scan_rows(
            ranked.ranks,
            ranked.n_ranks,
            ranked.alphas,
            code,
            *block,
            scores,
            sizes,
            alphas,
            members,
        )

    map_threads(scan, blocks(n_images, minimum=max(1, 65_536 // n_nodes)))
    return ImageScan(
        scores, sizes, alphas, n_nodes, statistic, alpha_max, len(ranked.alphas), members
    )
