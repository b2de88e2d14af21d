"""p-values as the group scan reads them: in two resolutions, the coarse one both ways round."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scanning import _group_numba as kernels
from scanning._ranks import ThresholdRanks
from scanning._threads import blocks, map_threads

N_EDGES = 255  # what a byte can tell apart, beside "above"
WORD = 8  # bytes that are moved at once; both sides are padded to a multiple


@dataclass(frozen=True, eq=False)
class GroupRanks:
    """Ranks among all thresholds and among a few of them, the edges.

    Attributes
    ----------
    fine : ndarray of uint8, uint16 or uint32, (M, J)
        Position of each p-value in `alphas`, or more where it is above all of them.
    coarse : ndarray of uint8, (at least M, at least J)
        Position of the first edge at or above each p-value; 255 above the last, and in what is
        added to fill whole words.
    turned : ndarray of uint8, (at least J, at least M)
        Its transpose.
    alphas : ndarray of float64, (K,)
    edges : ndarray of int64, (E,)
        Thresholds of the coarse ranks, as positions in `alphas`; always both ends.
    """

    fine: NDArray[Any]
    coarse: NDArray[np.uint8]
    turned: NDArray[np.uint8]
    alphas: NDArray[np.float64]
    edges: NDArray[np.int64]

    @classmethod
    def of(cls, ranked: ThresholdRanks) -> "GroupRanks":
        n_images, n_nodes = ranked.ranks.shape
        edges = _edges(len(ranked.alphas))
        table = np.searchsorted(edges, np.arange(ranked.n_ranks))
        table[table == len(edges)] = kernels.ABOVE
        table = table.astype(np.uint8)
        coarse = np.empty((_padded(n_images), _padded(n_nodes)), np.uint8)
        turned = np.empty(coarse.shape[::-1], np.uint8)

        def coarsen(tiles: tuple[int, int]) -> None:
            start, stop = (min(kernels.TILE * tile, len(coarse)) for tile in tiles)
            kernels.coarsen(
                ranked.ranks, table, start, stop, coarse.view(np.uint64), turned.view(np.uint64)
            )

        n_tiles = -(-len(coarse) // kernels.TILE)
        map_threads(coarsen, blocks(n_tiles, minimum=max(1, 65_536 // kernels.TILE // n_nodes)))
        return cls(ranked.ranks, coarse, turned, ranked.alphas, edges)

    @property
    def shape(self) -> tuple[int, int]:
        """Images and nodes."""
        return self.fine.shape[0], self.fine.shape[1]


def _padded(length: int) -> int:
    return -(-length // WORD) * WORD


def _edges(n_thresholds: int) -> NDArray[np.int64]:
    """Positions of the coarse thresholds: denser among the smallest, always both ends."""
    if n_thresholds <= N_EDGES:
        return np.arange(n_thresholds)
    even = np.linspace(0, n_thresholds - 1, N_EDGES // 2 + 1)
    dense = np.geomspace(1, n_thresholds, N_EDGES // 2) - 1
    return np.unique(np.concatenate([even, dense]).astype(np.int64))


def spread(length: int, n: int) -> NDArray[np.int64]:
    """At most `n` positions, spread evenly over `length`, both ends among them."""
    return np.unique(np.linspace(0, length - 1, min(n, length)).astype(np.int64))
