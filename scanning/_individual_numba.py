"""Exact scan of single images, compiled."""

import numba
import numpy as np

from scanning._statistics_numba import phi


@numba.njit(cache=True, nogil=True)
def scan_rows(ranks, alphas, statistic, start, stop, scores, sizes, levels, members):  # type: ignore[no-untyped-def]
    """Scan images start:stop.

    ranks (M, J), alphas (K,); writes scores, sizes and levels (M,), and members
    (M, ceil(J/8)), bits counted from the lowest, which must hold zeros.
    """
    n_nodes = ranks.shape[1]
    n_alphas = alphas.size
    # Few thresholds: count them all. Many: sort the image's own.
    by_counting = n_alphas <= 4 * n_nodes
    counts = np.zeros(n_alphas + 1 if by_counting else 1, np.int64)
    own = np.empty(1 if by_counting else n_nodes, np.int64)
    for i in range(start, stop):
        best = 0.0
        best_rank = -1
        best_size = 0
        if by_counting:
            counts[:] = 0
            for j in range(n_nodes):
                counts[ranks[i, j]] += 1
            size = 0
            for rank in range(n_alphas):
                if counts[rank] > 0:
                    size += counts[rank]
                    score = phi(statistic, alphas[rank], size, size)
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
                    score = phi(statistic, alphas[rank], size, size)
                    if score > best:
                        best, best_rank, best_size = score, rank, size
        scores[i] = best
        sizes[i] = best_size
        if best_rank >= 0:
            levels[i] = alphas[best_rank]
            for j in range(n_nodes):
                if ranks[i, j] <= best_rank:
                    members[i, j >> 3] |= np.uint8(1 << (j & 7))
        else:
            levels[i] = np.nan
