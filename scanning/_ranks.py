"""p-values as integer ranks among the thresholds that a scan has to try."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scanning import _ranks_numba as kernels
from scanning._threads import blocks, map_threads
from scanning._validation import real_matrix

TABLE_LENGTH = 1 << 13


@dataclass(frozen=True, eq=False)
class RankedPValues:
    """p-values held as positions in the sorted thresholds.

    Attributes
    ----------
    ranks : ndarray of uint16 or uint32, (M, J)
        Index of each p-value in `alphas`; len(alphas) where it is above alpha_max.
    alphas : ndarray of float64, (K,)
        The distinct p-values at or below alpha_max, ascending.
    """

    ranks: NDArray[Any]
    alphas: NDArray[np.float64]


def rank_pvalues(pvalues: ArrayLike, alpha_max: float) -> RankedPValues:
    """Check p-values and replace them by ranks.

    Raises ValueError unless `pvalues` is a non-empty matrix of numbers in (0, 1].
    """
    matrix = real_matrix(pvalues, "pvalues", ("images", "nodes"))
    row_blocks = blocks(len(matrix), minimum=max(1, 65_536 // matrix.shape[1]))
    ranks = np.empty(matrix.shape, np.uint16)

    def number(block: tuple[int, int]) -> tuple[NDArray[np.float64], int, int]:
        keys = np.zeros(TABLE_LENGTH)
        return keys, *kernels.number_values(matrix, alpha_max, keys, *block, ranks)

    numbered = map_threads(number, row_blocks)
    for _, state, position in numbered:
        if state == kernels.INVALID:
            i, j = divmod(position, matrix.shape[1])
            raise ValueError(
                f"pvalues must be in (0, 1]; got {matrix[i, j]} at image {i}, node {j}"
            )
    if any(state == kernels.TOO_MANY for _, state, _ in numbered):
        return _rank_by_sorting(matrix, alpha_max)

    alphas = np.unique(np.concatenate([keys for keys, _, _ in numbered]))
    alphas = alphas[alphas > 0.0]

    def renumber(work: tuple[tuple[int, int], NDArray[np.float64]]) -> None:
        block, keys = work
        # The last entry stands for p-values above alpha_max.
        table = np.append(np.searchsorted(alphas, keys), len(alphas)).astype(np.uint16)
        kernels.renumber(ranks, table, *block)

    map_threads(renumber, zip(row_blocks, (keys for keys, _, _ in numbered), strict=True))
    return RankedPValues(_frozen(ranks), alphas)


def _rank_by_sorting(matrix: NDArray[np.floating[Any]], alpha_max: float) -> RankedPValues:
    """The same for p-values that take too many values for a small table."""
    low, high = float(matrix.min()), float(matrix.max())
    if not (low > 0.0 and high <= 1.0):
        i, j = np.argwhere(~((matrix > 0.0) & (matrix <= 1.0)))[0]
        raise ValueError(f"pvalues must be in (0, 1]; got {matrix[i, j]} at image {i}, node {j}")
    alphas = np.unique(matrix[matrix <= alpha_max]).astype(np.float64)
    smallest = np.uint16 if len(alphas) < np.iinfo(np.uint16).max else np.uint32
    ranks = np.empty(matrix.shape, smallest)
    # Row by row: searchsorted works in 8-byte integers, which are not wanted for all at once.
    for i, row in enumerate(matrix):
        ranks[i] = np.searchsorted(alphas, row)
        ranks[i, row > alpha_max] = len(alphas)
    return RankedPValues(_frozen(ranks), alphas)


def _frozen(ranks: NDArray[Any]) -> NDArray[Any]:
    ranks.flags.writeable = False
    return ranks
