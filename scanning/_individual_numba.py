"""Exact scan of single images, compiled."""

import math

import numba
import numpy as np

from scanning._statistics_numba import BERK_JONES, phi

WAYS = 4  # separate counts for neighbouring nodes: adding to one twice in a row is slow


@numba.njit(cache=True, nogil=True)
def _best_by_counting(row, units, statistic, counts, scores):  # type: ignore[no-untyped-def]
    """Score, rank and size of the best subset of one image, from counts of all ranks.

    Scores first and the best of them after, as whether one is the best so far could
    not be foreseen.
    """
    counts[:] = 0
    for j in range(row.size):
        counts[j & (WAYS - 1), row[j]] += 1
    size = 0
    best = 0.0
    for rank in range(units.size):
        at_rank = 0
        for way in range(WAYS):
            at_rank += counts[way, rank]
        size += at_rank
        score = units[rank] * (float(size) if statistic == BERK_JONES else math.sqrt(size))
        # Of two levels that are all but equal, rounding may favour one that the image lacks.
        score = score if at_rank > 0 else 0.0
        scores[rank] = score
        best = max(best, score)
    if best <= 0.0:
        return 0.0, -1, 0
    best_rank = 0
    while scores[best_rank] < best:
        best_rank += 1
    best_size = 0
    for way in range(WAYS):
        best_size += counts[way, : best_rank + 1].sum()
    return best, best_rank, best_size


@numba.njit(cache=True, nogil=True)
def _best_by_sorting(row, units, statistic, own):  # type: ignore[no-untyped-def]
    """The same from the sorted ranks of the image's own thresholds."""
    n_own = 0
    for j in range(row.size):
        if row[j] < units.size:
            own[n_own] = row[j]
            n_own += 1
    own[:n_own].sort()
    best = 0.0
    best_rank = -1
    best_size = 0
    for position in range(n_own):
        rank = own[position]
        if position + 1 == n_own or own[position + 1] != rank:
            size = position + 1
            score = units[rank] * (float(size) if statistic == BERK_JONES else math.sqrt(size))
            if score > best:
                best, best_rank, best_size = score, rank, size
    return best, best_rank, best_size


@numba.njit(cache=True, nogil=True)
def _mark(row, limit, bits):  # type: ignore[no-untyped-def]
    """Set one bit for each rank that is at most `limit`, which has the type of the ranks."""
    for byte in range(row.size >> 3):
        eight = np.uint8(0)
        for bit in range(8):
            eight |= np.uint8(row[8 * byte + bit] <= limit) << np.uint8(bit)
        bits[byte] = eight
    for j in range(row.size & ~7, row.size):
        if row[j] <= limit:
            bits[j >> 3] |= np.uint8(1 << (j & 7))


@numba.njit(cache=True, nogil=True)
def scan_rows(ranks, n_ranks, alphas, statistic, start, stop, scores, sizes, levels, members):  # type: ignore[no-untyped-def]
    """Scan images start:stop.

    ranks (M, J) below n_ranks, alphas (K,); writes scores, sizes and levels (M,), and members
    (M, ceil(J/8)), bits counted from the lowest, which must hold zeros.
    """
    n_nodes = ranks.shape[1]
    # Few thresholds: count them all. Many: sort the image's own.
    by_counting = n_ranks <= 4 * n_nodes
    counts = np.zeros((WAYS, n_ranks if by_counting else 1), np.int32)
    own = np.empty(1 if by_counting else n_nodes, np.int64)
    scores_at = np.empty(alphas.size)
    # Where all p-values of a subset are small, the score is this times its size, or its root.
    units = np.empty(alphas.size)
    for rank in range(alphas.size):
        units[rank] = phi(statistic, alphas[rank], 1.0, 1.0)
    for i in range(start, stop):
        row = ranks[i]
        if by_counting:
            score, rank, size = _best_by_counting(row, units, statistic, counts, scores_at)
        else:
            score, rank, size = _best_by_sorting(row, units, statistic, own)
        scores[i] = score
        sizes[i] = size
        if rank >= 0:
            levels[i] = alphas[rank]
            _mark(row, row.dtype.type(rank), members[i])
        else:
            levels[i] = np.nan
