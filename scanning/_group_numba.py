"""Ascent of the group scan, compiled.

A step holds one side of the subset (say, the nodes) and finds the best other side (the
images) over all thresholds. For one threshold the best images are those with at least some
number of small p-values among the nodes, so elements are counted, the counts are sorted by
counting, and each distinct count is tried as the limit. Elements with equal counts enter
together: between the first and the last of them the score has no interior maximum, because
Berk–Jones is jointly convex in (N_alpha, N), and the other two statistics have the form
(a + b·t)/sqrt(c + t) with a >= b·c there, which falls and then rises in t.

Thresholds come in two resolutions. `coarse` (uint8) holds each p-value's position among a few
`edges`; `fine` its rank among all thresholds. A full step tries the edges first. Between two
edges no threshold can score more than the upper edge's counts at the lower end's level, so
intervals whose bound stays below the best score are left out without loss.
"""

import numba
import numpy as np

from scanning._statistics_numba import BERK_JONES, phi

TILE = 64  # columns counted together: one cache line of coarse ranks
MAX_COUNTS = 1 << 22  # entries of one block of counts, to bound memory
CHUNK = 8  # thresholds that share one bound
# Rounding must never leave out the optimum itself.
SLACK = 1.0 + 1e-9


@numba.njit(cache=True, nogil=True)
def _best_prefix(counts, n_held, alpha, statistic, floor, bins):  # type: ignore[no-untyped-def]
    """Best set {element : count >= cut} at one threshold, if it scores more than `floor`.

    counts (R,) of small p-values among the `n_held` elements of the side that is held; bins
    is scratch of at least n_held + 1. Returns the score and the cut, or `floor` and -1.
    """
    if alpha >= 1.0:
        return floor, -1
    bins[: n_held + 1] = 0
    highest = 0
    for r in range(counts.size):
        count = counts[r]
        bins[count] += 1
        highest = max(highest, count)
    best = floor
    best_cut = -1
    n_elements = 0
    n_alpha = 0
    # Elements with a share of at most alpha can only lower the score.
    for cut in range(highest, int(n_held * alpha), -1):
        if bins[cut] > 0:
            n_elements += bins[cut]
            n_alpha += bins[cut] * cut
            n = float(n_elements) * n_held
            if statistic == BERK_JONES:
                # The chi-squared distance bounds the divergence and needs no logarithm.
                excess = n_alpha - n * alpha
                if excess * excess <= (2.0 - SLACK) * best * n * alpha * (1.0 - alpha):
                    continue
            score = phi(statistic, alpha, float(n_alpha), n)
            if score > best:
                best = score
                best_cut = cut
    return best, best_cut


@numba.njit(cache=True, nogil=True)
def _count_rows(ranks, held, first, base, counts):  # type: ignore[no-untyped-def]
    """counts[k, i] = base[i] + #{j in held : first <= ranks[i, j] <= first + k}."""
    n_thresholds = counts.shape[0]
    bins = np.zeros(n_thresholds + 1, np.int32)
    for i in range(ranks.shape[0]):
        bins[:] = 0
        row = ranks[i]
        for position in range(held.size):
            rank = np.int64(row[held[position]]) - first
            # Ranks outside the block go to a bin of their own.
            bins[rank if 0 <= rank < n_thresholds else n_thresholds] += 1
        count = base[i]
        for k in range(n_thresholds):
            count += bins[k]
            counts[k, i] = count


@numba.njit(cache=True, nogil=True)
def _count_columns(ranks, held, first, base, counts):  # type: ignore[no-untyped-def]
    """counts[k, j] = base[j] + #{i in held : first <= ranks[i, j] <= first + k}."""
    n_thresholds = counts.shape[0]
    n_columns = ranks.shape[1]
    bins = np.zeros((n_thresholds + 1, TILE), np.int32)
    for left in range(0, n_columns, TILE):
        width = min(TILE, n_columns - left)
        bins[:] = 0
        for position in range(held.size):
            row = ranks[held[position], left : left + width]
            for j in range(width):
                rank = np.int64(row[j]) - first
                bins[rank if 0 <= rank < n_thresholds else n_thresholds, j] += 1
        for j in range(width):
            bins[0, j] += base[left + j]
        for k in range(n_thresholds):
            if k > 0:
                for j in range(width):
                    bins[k, j] += bins[k - 1, j]
            for j in range(width):
                counts[k, left + j] = bins[k, j]


@numba.njit(cache=True, nogil=True)
def _step(coarse, fine, edges, alphas, statistic, by_rows, held, full, floor):  # type: ignore[no-untyped-def]
    """Best rows for the held columns (by_rows), or best columns for the held rows.

    Returns score, threshold and the sorted members; the threshold is -1 where nothing scores
    more than `floor`. Of equal scores the smallest threshold wins.
    """
    n_elements = coarse.shape[0] if by_rows else coarse.shape[1]
    n_edges = edges.size
    bins = np.zeros(held.size + 1, np.int32)
    nothing = np.zeros(n_elements, np.int32)
    counts = np.empty((n_edges, n_elements), np.int32)
    if by_rows:
        _count_rows(coarse, held, 0, nothing, counts)
    else:
        _count_columns(coarse, held, 0, nothing, counts)
    best = floor
    best_rank = -1
    best_cut = -1
    best_counts = nothing
    for edge in range(n_edges):
        score, cut = _best_prefix(
            counts[edge], held.size, alphas[edges[edge]], statistic, best, bins
        )
        if cut >= 0:
            best, best_rank, best_cut = score, edges[edge], cut
            best_counts = counts[edge]

    if full and n_edges < alphas.size:
        best_counts = best_counts.copy()
        promising = np.zeros(n_edges, np.bool_)
        for edge in range(1, n_edges):
            if edges[edge] - edges[edge - 1] > 1:
                _, cut = _best_prefix(
                    counts[edge],
                    held.size,
                    alphas[edges[edge - 1] + 1],
                    statistic,
                    best * (2.0 - SLACK),
                    bins,
                )
                promising[edge] = cut >= 0
        length = max(1, min(MAX_COUNTS // n_elements, alphas.size))
        block = np.empty((length, n_elements), np.int32)
        edge = 1
        while edge < n_edges:
            if not promising[edge]:
                edge += 1
                continue
            # Neighbouring intervals share a pass over the p-values as far as memory allows.
            last = edge
            while last + 1 < n_edges and edges[last + 1] - edges[edge - 1] <= length:
                last += 1
            while not promising[last]:
                last -= 1
            base = counts[edge - 1]
            first = edges[edge - 1] + 1
            while first < edges[last]:
                stop = min(first + length, edges[last])
                inside = block[: stop - first]
                if by_rows:
                    _count_rows(fine, held, first, base, inside)
                else:
                    _count_columns(fine, held, first, base, inside)
                for low in range(first, stop, CHUNK):
                    high = min(low + CHUNK, stop)
                    _, cut = _best_prefix(
                        inside[high - 1 - first],
                        held.size,
                        alphas[low],
                        statistic,
                        best * (2.0 - SLACK),
                        bins,
                    )
                    if cut < 0:
                        continue
                    for rank in range(low, high):
                        score, cut = _best_prefix(
                            inside[rank - first], held.size, alphas[rank], statistic, best, bins
                        )
                        if cut >= 0:
                            best, best_rank, best_cut = score, rank, cut
                            best_counts[:] = inside[rank - first]
                base = inside[stop - first - 1].copy()
                first = stop
            edge = last + 1

    if best_rank < 0:
        return floor, -1, np.empty(0, np.int64)
    return best, best_rank, np.flatnonzero(best_counts >= best_cut)


@numba.njit(cache=True, nogil=True)
def ascend(coarse, fine, edges, alphas, statistic, images, nodes, score, rank, full):  # type: ignore[no-untyped-def]
    """Alternate between images and nodes until neither side can be bettered.

    Starts from the given subset, whose `score` and threshold `rank` may be 0 and -1 for a
    start that is not a result itself. Returns images, nodes, score, rank and the steps taken.
    """
    images_settled = False
    nodes_settled = False
    n_steps = 0
    while not (images_settled and nodes_settled):
        by_rows = not images_settled
        held = nodes if by_rows else images
        found, found_rank, members = _step(
            coarse, fine, edges, alphas, statistic, by_rows, held, full, score
        )
        n_steps += 1
        better = found_rank >= 0
        if better:
            score = found
            rank = found_rank
        if by_rows:
            images_settled = True
            if better:
                images = members
                nodes_settled = False
        else:
            nodes_settled = True
            if better:
                nodes = members
                images_settled = False
    return images, nodes, score, rank, n_steps
