"""p-values as integer ranks among the thresholds that a scan has to try."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scanning import _ranks_numba as kernels
from scanning._threads import blocks, map_threads
from scanning._validation import in_precision, real_matrix
from scanning.pvalues import RankedPvalues, smallest_type

TABLE_LENGTH = 1 << 13
N_SAMPLED = 1 << 12
MAX_DENOMINATOR = 1 << 16


@dataclass(frozen=True, eq=False)
class ThresholdRanks:
    """p-values held as positions in the sorted thresholds.

    Attributes
    ----------
    ranks : ndarray of uint8, uint16 or uint32, (M, J)
        Index of each p-value in `alphas`; len(alphas) or more where it is above alpha_max.
    alphas : ndarray of float64, (K,)
        The distinct p-values at or below alpha_max, ascending.
    n_ranks : int
        All ranks are below this number.
    """

    ranks: NDArray[Any]
    alphas: NDArray[np.float64]
    n_ranks: int


def rank_pvalues(pvalues: ArrayLike | RankedPvalues, alpha_max: float) -> ThresholdRanks:
    """Check p-values and replace them by ranks.

    Raises ValueError unless `pvalues` is a non-empty matrix of numbers in (0, 1].
    """
    if isinstance(pvalues, RankedPvalues):
        return _rank_numbers(pvalues, alpha_max)
    matrix = real_matrix(pvalues, "pvalues", ("images", "nodes"))
    alpha_max = in_precision(alpha_max, np.asarray(pvalues).dtype)
    row_blocks = _row_blocks(matrix)
    if matrix.dtype == np.float64:
        for denominator in _denominators(matrix):
            found = _rank_multiples(matrix, alpha_max, denominator)
            if found is not None:
                return found
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
        kernels.renumber(ranks, table, *block, ranks)

    map_threads(renumber, zip(row_blocks, (keys for keys, _, _ in numbered), strict=True))
    return ThresholdRanks(_frozen(ranks), alphas, len(alphas) + 1)


def _denominators(matrix: NDArray[np.floating[Any]]) -> list[int]:
    """What B + 1 may be, if the matrix holds empirical p-values: a guess from some of them."""
    flat = matrix.reshape(-1)
    values = np.unique(flat[:: max(1, flat.size // N_SAMPLED)])
    gaps = np.diff(values, prepend=0.0)
    gap = gaps.min()
    if not 1.0 / MAX_DENOMINATOR < gap <= 1.0:  # values out of range are named later
        return []
    # Two-sided p-values are even multiples.
    return [round(multiple / gap) for multiple in (1.0, 2.0)]


def _rank_multiples(
    matrix: NDArray[np.floating[Any]], alpha_max: float, denominator: int
) -> ThresholdRanks | None:
    """Ranks of p-values that are multiples of 1/denominator; None where one is not."""
    levels = np.arange(1, denominator + 1) / denominator
    n_levels = int(np.searchsorted(levels, alpha_max, side="right"))
    ranks = np.empty(matrix.shape, smallest_type(n_levels))

    def number(block: tuple[int, int]) -> NDArray[np.uint8] | None:
        seen = np.zeros(n_levels + 1, np.uint8)
        fine = kernels.number_multiples(matrix, float(denominator), n_levels, *block, ranks, seen)
        return seen if fine else None

    numbered = map_threads(number, _row_blocks(matrix))
    seen = [block for block in numbered if block is not None]
    if len(seen) < len(numbered):
        return None
    return _drop_absent(ranks, levels[:n_levels], np.any(seen, axis=0), ranks)


def _rank_numbers(pvalues: RankedPvalues, alpha_max: float) -> ThresholdRanks:
    """Ranks of p-values that are held as integers already; not copied if no level is absent."""
    levels = np.arange(1, pvalues.n_background + 2) / (pvalues.n_background + 1)
    n_levels = int(np.searchsorted(levels, alpha_max, side="right"))

    def find(block: tuple[int, int]) -> NDArray[np.uint8]:
        seen = np.zeros(len(levels), np.uint8)
        kernels.find_numbers(pvalues.numbers, *block, seen)
        return seen

    seen = np.any(map_threads(find, _row_blocks(pvalues.numbers)), axis=0)
    return _drop_absent(pvalues.numbers, levels[:n_levels], seen, None)


def _drop_absent(
    numbers: NDArray[Any],
    levels: NDArray[np.float64],
    seen: NDArray[np.bool_],
    out: NDArray[Any] | None,
) -> ThresholdRanks:
    """Numbers among all levels -> ranks among those seen, written to `out` or a new array."""
    present = seen[: len(levels)]
    alphas = levels[present]
    if present.all():
        return ThresholdRanks(_frozen(numbers), alphas, len(seen))
    ranks = np.empty(numbers.shape, smallest_type(len(alphas))) if out is None else out
    table = np.full(len(seen), len(alphas), ranks.dtype)  # that of p-values above alpha_max
    table[: len(levels)] = np.cumsum(present) - present
    source = _frozen(numbers)
    map_threads(lambda block: kernels.renumber(source, table, *block, ranks), _row_blocks(ranks))
    return ThresholdRanks(_frozen(ranks), alphas, len(alphas) + 1)


def _rank_by_sorting(matrix: NDArray[np.floating[Any]], alpha_max: float) -> ThresholdRanks:
    """The same for p-values that take too many values for a small table."""
    low, high = float(matrix.min()), float(matrix.max())
    if not (low > 0.0 and high <= 1.0):
        i, j = np.argwhere(~((matrix > 0.0) & (matrix <= 1.0)))[0]
        raise ValueError(f"pvalues must be in (0, 1]; got {matrix[i, j]} at image {i}, node {j}")
    alphas = np.unique(matrix[matrix <= alpha_max]).astype(np.float64)
    ranks = np.empty(matrix.shape, max(smallest_type(len(alphas)), np.dtype(np.uint16)))
    # Row by row: searchsorted works in 8-byte integers, which are not wanted for all at once.
    for i, row in enumerate(matrix):
        ranks[i] = np.searchsorted(alphas, row)
        ranks[i, row > alpha_max] = len(alphas)
    return ThresholdRanks(_frozen(ranks), alphas, len(alphas) + 1)


def _row_blocks(matrix: NDArray[Any]) -> list[tuple[int, int]]:
    return blocks(len(matrix), minimum=max(1, 65_536 // matrix.shape[1]))


def _frozen(ranks: NDArray[Any]) -> NDArray[Any]:
    view = ranks.view()
    view.flags.writeable = False
    return view
