"""Steps of the group scan, compiled.

A step holds one side of the subset (say, the nodes) and finds the best other side (the
images) over all thresholds. For one threshold the best images are those with at least some
number of small p-values among the nodes, so elements are counted, the counts are sorted by
counting, and each distinct count is tried as the limit. Elements with equal counts enter
together: between the first and the last of them the score has no interior maximum, because
Berk–Jones is jointly convex in (N_alpha, N), and the other two statistics have the form
(a + b·t)/sqrt(c + t) with a >= b·c there, which falls and then rises in t. For the same
reason a cap on the number of elements adds one candidate per threshold, the one that fills it.

Thresholds come in two resolutions. `coarse` (uint8) holds each p-value's position among a few
`edges`; `fine` its rank among all thresholds. A full step tries the edges first. Between two
edges no threshold can score more than the upper edge's counts at the lower end's level, so
intervals whose bound stays below the best score are left out without loss.
"""

import numba
import numpy as np

from scanning._statistics_numba import BERK_JONES, phi

ROWS = 16  # rows counted together, so that a cache line of counts is written at once
WAYS = 4  # separate bins for neighbouring elements: adding to one bin twice in a row is slow
MAX_BINS = 1 << 12  # bins of a tile of columns, to stay in the fastest cache
MAX_COUNTS = 1 << 22  # entries of one block of counts, to bound memory
CHUNK = 4  # thresholds that share one bound
# Rounding must never leave out the optimum itself.
SLACK = 1.0 + 1e-9


@numba.njit(cache=True, nogil=True)
def coarsen_rows(fine, table, start, stop, coarse, counts):  # type: ignore[no-untyped-def]
    """Write coarse ranks of rows start:stop, and each row's counts over all columns.

    table uint8 gives the coarse rank of each fine one; counts (edges, M) receives the number of
    a row's p-values at or below each edge.
    """
    n_columns = fine.shape[1]
    bins = np.zeros((WAYS, 256), np.int32)
    for i in range(start, stop):
        bins[:] = 0
        row = fine[i]
        out = coarse[i]
        for j in range(n_columns):
            rank = table[row[j]]
            out[j] = rank
            bins[j & (WAYS - 1), rank] += 1
        count = 0
        for edge in range(counts.shape[0]):
            for way in range(WAYS):
                count += bins[way, edge]
            counts[edge, i] = count


@numba.njit(cache=True, nogil=True)
def best_row(counts, edges, alphas, statistic):  # type: ignore[no-untyped-def]
    """Row whose own subset scores most at one of the edges, and that edge."""
    best = 0.0
    best_image = 0
    best_edge = 0
    for edge in range(edges.size):
        alpha = alphas[edges[edge]]
        highest = counts[edge].argmax()
        n = float(counts[edge, highest])
        score = phi(statistic, alpha, n, n)
        if score > best:
            best, best_image, best_edge = score, highest, edge
    return best_image, best_edge


@numba.njit(cache=True, nogil=True)
def _best_prefix(counts, n_held, alpha, statistic, floor, cap, bins):  # type: ignore[no-untyped-def]
    """Best set of at most `cap` elements at one threshold, if it scores more than `floor`.

    counts (R,) of small p-values among the `n_held` elements of the side that is held; bins
    is scratch of (WAYS, at least n_held + 1). Returns the score and the cut, or `floor` and -1;
    the set is the first `cap` elements by count among those with count >= cut.
    """
    if alpha >= 1.0:
        return floor, -1
    bins[:, : n_held + 1] = 0
    highest = 0
    for r in range(counts.size):
        count = counts[r]
        bins[r & (WAYS - 1), count] += 1
        highest = max(highest, count)
    best = floor
    best_cut = -1
    n_elements = 0
    n_alpha = 0
    # Elements with a share of at most alpha can only lower the score.
    for cut in range(highest, int(n_held * alpha), -1):
        tied = 0
        for way in range(WAYS):
            tied += bins[way, cut]
        if tied > 0:
            tied = min(tied, cap - n_elements)
            n_elements += tied
            n_alpha += tied * cut
            n = float(n_elements) * n_held
            if statistic == BERK_JONES:
                # The chi-squared distance bounds the divergence and needs no logarithm.
                excess = n_alpha - n * alpha
                if excess * excess <= (2.0 - SLACK) * best * n * alpha * (1.0 - alpha):
                    if n_elements == cap:
                        break
                    continue
            score = phi(statistic, alpha, float(n_alpha), n)
            if score > best:
                best = score
                best_cut = cut
            if n_elements == cap:
                break
    return best, best_cut


@numba.njit(cache=True, nogil=True)
def members(counts, cut, cap):  # type: ignore[no-untyped-def]
    """Sorted elements with count >= cut; beyond `cap`, the last of those at the cut stay out."""
    above = 0
    for r in range(counts.size):
        above += counts[r] > cut
    room = cap - above
    chosen = np.empty(min(counts.size, cap), np.int64)
    n_chosen = 0
    for r in range(counts.size):
        if counts[r] > cut:
            chosen[n_chosen] = r
            n_chosen += 1
        elif counts[r] == cut and room > 0:
            chosen[n_chosen] = r
            n_chosen += 1
            room -= 1
    return chosen[:n_chosen].copy()


@numba.njit(cache=True, nogil=True)
def _count_rows(ranks, held, first, base, counts):  # type: ignore[no-untyped-def]
    """counts[k, i] = base[i] + #{j in held : first <= ranks[i, j] <= first + k}."""
    n_thresholds, n_rows = counts.shape
    overflow = np.uint32(n_thresholds)
    origin = np.uint32(first)
    bins = np.zeros((WAYS, n_thresholds + 1), np.int32)
    tile = np.empty((n_thresholds, ROWS), np.int32)
    slots = np.empty(held.size, np.uint32)
    for top in range(0, n_rows, ROWS):
        height = min(ROWS, n_rows - top)
        for i in range(height):
            bins[:] = 0
            row = ranks[top + i]
            # Ranks below the block wrap around: all outside go to a bin of their own. Slots
            # first and bins after them, or the compiler makes the limit a branch, often missed.
            for position in range(held.size):
                slots[position] = min(np.uint32(row[held[position]] - origin), overflow)
            for position in range(held.size):
                bins[position & (WAYS - 1), slots[position]] += 1
            count = base[top + i]
            for k in range(n_thresholds):
                for way in range(WAYS):
                    count += bins[way, k]
                tile[k, i] = count
        for k in range(n_thresholds):
            for i in range(height):
                counts[k, top + i] = tile[k, i]


@numba.njit(cache=True, nogil=True)
def _count_columns(ranks, held, first, base, counts):  # type: ignore[no-untyped-def]
    """counts[k, j] = base[j] + #{i in held : first <= ranks[i, j] <= first + k}."""
    n_thresholds, n_columns = counts.shape
    overflow = np.uint32(n_thresholds)
    origin = np.uint32(first)
    length = min(128, max(16, MAX_BINS // (n_thresholds + 1)))
    bins = np.zeros((n_thresholds + 1, length), np.int32)
    slots = np.empty(length, np.uint32)
    for left in range(0, n_columns, length):
        width = min(length, n_columns - left)
        bins[:] = 0
        for position in range(held.size):
            row = ranks[held[position], left : left + width]
            for j in range(width):
                slots[j] = min(np.uint32(row[j] - origin), overflow)
            for j in range(width):
                bins[slots[j], j] += 1
        for j in range(width):
            bins[0, j] += base[left + j]
            counts[0, left + j] = bins[0, j]
        for k in range(1, n_thresholds):
            for j in range(width):
                bins[k, j] += bins[k - 1, j]
                counts[k, left + j] = bins[k, j]


@numba.njit(cache=True, nogil=True)
def level_step(coarse, edges, alphas, level, statistic, by_rows, held, floor, cap):  # type: ignore[no-untyped-def]
    """As `step`, at the single edge `level`."""
    n_elements = coarse.shape[0] if by_rows else coarse.shape[1]
    counts = np.zeros(n_elements, np.int32)
    limit = np.uint8(level)
    if by_rows:
        for i in range(n_elements):
            row = coarse[i]
            count = 0
            for position in range(held.size):
                count += row[held[position]] <= limit
            counts[i] = count
    else:
        for position in range(held.size):
            row = coarse[held[position]]
            for j in range(n_elements):
                counts[j] += row[j] <= limit
    bins = np.empty((WAYS, held.size + 1), np.int32)
    score, cut = _best_prefix(counts, held.size, alphas[edges[level]], statistic, floor, cap, bins)
    if cut < 0:
        return floor, -1, np.empty(0, np.int64)
    return score, edges[level], members(counts, cut, cap)


@numba.njit(cache=True, nogil=True)
def search_edges(counts, edges, alphas, statistic, n_held, floor, cap):  # type: ignore[no-untyped-def]
    """Best edge for counts (edges, elements): score, edge and cut, or `floor`, -1 and -1."""
    bins = np.empty((WAYS, n_held + 1), np.int32)
    best = floor
    best_edge = -1
    best_cut = -1
    for edge in range(edges.size):
        score, cut = _best_prefix(
            counts[edge], n_held, alphas[edges[edge]], statistic, best, cap, bins
        )
        if cut >= 0:
            best, best_edge, best_cut = score, edge, cut
    return best, best_edge, best_cut


@numba.njit(cache=True, nogil=True)
def step(coarse, fine, edges, alphas, statistic, by_rows, held, full, floor, cap):  # type: ignore[no-untyped-def]
    """Best rows for the held columns (by_rows), or best columns for the held rows.

    Returns score, threshold and the sorted members, at most `cap`; the threshold is -1 where
    nothing scores more than `floor`. Of equal scores the smallest threshold wins.
    """
    n_elements = coarse.shape[0] if by_rows else coarse.shape[1]
    n_edges = edges.size
    nothing = np.zeros(n_elements, np.int32)
    counts = np.empty((n_edges, n_elements), np.int32)
    if by_rows:
        _count_rows(coarse, held, 0, nothing, counts)
    else:
        _count_columns(coarse, held, 0, nothing, counts)
    best, best_edge, best_cut = search_edges(
        counts, edges, alphas, statistic, held.size, floor, cap
    )
    best_rank = -1
    best_counts = nothing
    if best_edge >= 0:
        best_rank = edges[best_edge]
        best_counts = counts[best_edge]

    if full and n_edges < alphas.size:
        bins = np.empty((WAYS, held.size + 1), np.int32)
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
                    cap,
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
                        cap,
                        bins,
                    )
                    if cut < 0:
                        continue
                    for rank in range(low, high):
                        score, cut = _best_prefix(
                            inside[rank - first],
                            held.size,
                            alphas[rank],
                            statistic,
                            best,
                            cap,
                            bins,
                        )
                        if cut >= 0:
                            best, best_rank, best_cut = score, rank, cut
                            best_counts[:] = inside[rank - first]
                base = inside[stop - first - 1].copy()
                first = stop
            edge = last + 1

    if best_rank < 0:
        return floor, -1, np.empty(0, np.int64)
    return best, best_rank, members(best_counts, best_cut, cap)
