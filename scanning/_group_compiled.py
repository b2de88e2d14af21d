"""Steps of the group scan on the processor."""

import numpy as np
from numpy.typing import NDArray

from scanning import _group_numba as kernels
from scanning._group_ranks import GroupRanks, spread
from scanning.pvalues import smallest_type

# Edges between which thresholds are left out if none can score enough.
N_BOUNDS = 64

Found = tuple[float, int, NDArray[np.int64]]


class CompiledEngine:
    """Steps over one matrix: the best images for held nodes, or nodes for held images."""

    is_threaded = True

    def __init__(self, ranks: GroupRanks, statistic: int, caps: tuple[int, int]) -> None:
        self._ranks = ranks
        self._statistic = statistic
        self._caps = caps
        self._alphas_at_edges = ranks.alphas[ranks.edges]
        self._bounds = spread(len(ranks.edges), N_BOUNDS)
        # Their type is that of elements in `full_step`.
        self._scratch = [np.empty(0, smallest_type(length)) for length in ranks.shape]

    def at_edges(self, by_rows: bool, held: NDArray[np.int64], edges: NDArray[np.int64]) -> Found:
        """Score, edge and members of the best images for held nodes (by_rows), or nodes for
        held images, at one of the given edges; 0, -1 and none where nothing is anomalous."""
        score, position, members = kernels.level_step(
            self._ranks.turned if by_rows else self._ranks.coarse,
            self._ranks.shape[0 if by_rows else 1],
            held,
            edges,
            self._alphas_at_edges[edges],
            self._statistic,
            0.0,
            self._caps[0 if by_rows else 1],
        )
        return score, int(edges[position]) if position >= 0 else -1, members

    def at_all(self, by_rows: bool, held: NDArray[np.int64], floor: float) -> Found:
        """The same over all thresholds, with the threshold in the place of the edge; `floor`,
        -1 and none where nothing scores more than `floor`."""
        ranks = self._ranks
        found: Found = kernels.full_step(
            ranks.turned if by_rows else ranks.coarse,
            ranks.fine,
            by_rows,
            held,
            ranks.edges[self._bounds],
            self._bounds,
            ranks.alphas,
            self._statistic,
            floor,
            self._caps[0 if by_rows else 1],
            self._scratch[0 if by_rows else 1],
        )
        return found
