"""Exact scan of single images, compiled."""

import math

import numba
import numpy as np

from scanning._statistics_numba import BERK_JONES, phi

WAYS = 4  # separate counts for neighbouring nodes: adding to one twice in a row is slow


@numba.njit(cache=True, nogil=True)
def scan_rows(ranks, n_ranks, alphas, statistic, start, stop, scores, sizes, levels, members):  # type: ignore[no-untyped-def]
    """Scan images start:stop.

    ranks (M, J) below n_ranks, alphas (K,); writes scores, sizes and levels (M,), and members
    (M, ceil(J/8)), bits counted from the lowest, which must hold zeros.
    """
    n_nodes = ranks.shape[1]
    n_alphas = alphas.size
    # Few thresholds: count them all. Many: sort the image's own.
    by_counting = n_ranks <= 4 * n_nodes
    counts = np.zeros((WAYS, n_ranks if by_counting else 1), np.int32)
    # Where all p-values of a subset are small, the score is this times its size, or its root.
    units = np.empty(n_alphas)
    for rank in range(n_alphas):
        units[rank] = phi(statistic, alphas[rank], 1.0, 1.0)
    own = np.empty(1 if by_counting else n_nodes, np.int64)
    for i in range(start, stop):
        best = 0.0
        best_rank = -1
        best_size = 0
        if by_counting:
            counts[:] = 0
            row = ranks[i]
            for j in range(n_nodes):
                counts[j & (WAYS - 1), row[j]] += 1
            size = 0
            for rank in range(n_alphas):
                at_rank = 0
                for way in range(WAYS):
                    at_rank += counts[way, rank]
                if at_rank > 0:
                    size += at_rank
                    factor = float(size) if statistic == BERK_JONES else math.sqrt(size)
                    score = units[rank] * factor
                    if score > best:
                        best, best_rank, best_size = score, rank, size
        else:
            n_own = 0
            for j in range(n_nodes):
                if ranks[i, j] < n_alphas:
                    own[n_own] = ranks[i, j]
                    n_own += 1
            own[:n_own].sort()
            for position in range(n_own):
                rank = own[position]
                if position + 1 == n_own or own[position + 1] != rank:
                    size = position + 1
                    factor = float(size) if statistic == BERK_JONES else math.sqrt(size)
                    score = units[rank] * factor
                    if score > best:
                        best, best_rank, best_size = score, rank, size
        scores[i] = best
        sizes[i] = best_size
        if best_rank >= 0:
            levels[i] = alphas[best_rank]
            row = ranks[i]
            for byte in range(n_nodes >> 3):
                bits = 0
                for bit in range(8):
                    bits |= (row[8 * byte + bit] <= best_rank) << bit
                members[i, byte] = bits
            for j in range(n_nodes & ~7, n_nodes):
                if row[j] <= best_rank:
                    members[i, j >> 3] |= np.uint8(1 << (j & 7))
        else:
            levels[i] = np.nan
