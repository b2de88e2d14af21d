"""Steps of the group scan, compiled.

A step holds one side of the subset (say, the nodes) and finds the best other side (the
images). For one threshold the best images are those with at least some number of small
p-values among the nodes, so elements are counted, the counts are sorted by counting, and each
distinct count is tried as the limit. Elements with equal counts enter together: between the
first and the last of them the score has no interior maximum, because Berk–Jones is jointly
convex in (N_alpha, N), and the other two statistics have the form (a + b·t)/sqrt(c + t) with
a >= b·c there, which falls and then rises in t. For the same reason a cap on the number of
elements adds one candidate per threshold, the one that fills it.

Thresholds come in two resolutions. A coarse rank (one byte) is a p-value's position among a
few `edges`, a fine one its position among all thresholds. At an edge, elements are counted by
comparing whole rows of bytes, dozens at once; so coarse ranks are kept both ways round. Over
all thresholds, the p-values are put in order by counting, and one after the other enters.

Kernels that call one another stay in one file: numba keeps what it has compiled until the file
of the caller changes.
"""

import numba
import numpy as np

from scanning._statistics_numba import BERK_JONES, phi

WAYS = 4  # separate bins for neighbouring elements: adding to one bin twice in a row is slow
BATCH = 4  # edges that are compared with a p-value while it is at hand
TILE = 64  # rows that are turned while they are in a cache, and fill lines of it
BYTE = 255  # rows after which counts held in bytes have to be emptied
ABOVE = 255  # the coarse rank of p-values above the last edge, and of padding
MAX_ENTERING = 1 << 23  # p-values that are put in order together, to bound memory
# Rounding must never leave out the optimum itself.
SLACK = 1.0 + 1e-9


@numba.njit(cache=True, nogil=True)
def _exchange(words, step, shift, mask):  # type: ignore[no-untyped-def]
    """Exchange, between word w and word w + step, the bytes off the diagonal of each square."""
    for w in range(8):
        if w & step == 0:
            differing = ((words[w] >> shift) ^ words[w + step]) & mask
            words[w + step] ^= differing
            words[w] ^= differing << shift


@numba.njit(cache=True, nogil=True)
def coarsen(fine, table, start, stop, coarse, turned):  # type: ignore[no-untyped-def]
    """Write the entries in `table` (uint8) of the fine ranks of rows start:stop, both ways round.

    fine (M, J); start is a multiple of 8. coarse (8·R, C) and turned (8·C, R) are words of
    uint64 and hold bytes, (8·R, 8·C) and their transpose, where 8·R >= M and 8·C >= J.
    """
    n_rows, n_columns = fine.shape
    square = np.empty(8, np.uint64)
    row_bytes = np.empty(8 * coarse.shape[1], np.uint8)
    row_bytes[:] = ABOVE
    for top in range(start, stop, TILE):
        bottom = min(top + TILE, stop)
        for i in range(top, bottom):
            if i < n_rows:
                row = fine[i]
                for j in range(n_columns):
                    row_bytes[j] = table[row[j]]
            else:
                row_bytes[:] = ABOVE
            coarse[i] = row_bytes.view(np.uint64)
        for column in range(coarse.shape[1]):
            for i in range(top, bottom, 8):
                for w in range(8):
                    square[w] = coarse[i + w, column]
                _exchange(square, 4, np.uint64(32), np.uint64(0x00000000FFFFFFFF))
                _exchange(square, 2, np.uint64(16), np.uint64(0x0000FFFF0000FFFF))
                _exchange(square, 1, np.uint64(8), np.uint64(0x00FF00FF00FF00FF))
                for w in range(8):
                    turned[8 * column + w, i >> 3] = square[w]


@numba.njit(cache=True, nogil=True)
def best_row(counts, alphas, statistic):  # type: ignore[no-untyped-def]
    """Row whose own subset scores most at one of the levels, and the position of that level.

    counts (levels, M) of small p-values in each row.
    """
    best = 0.0
    best_image = 0
    best_level = 0
    for level in range(alphas.size):
        highest = counts[level].argmax()
        n = float(counts[level, highest])
        score = phi(statistic, alphas[level], n, n)
        if score > best:
            best, best_image, best_level = score, highest, level
    return best_image, best_level


@numba.njit(cache=True, nogil=True)
def best_prefix(counts, n_held, alpha, statistic, floor, cap, bins):  # type: ignore[no-untyped-def]
    """Best set of at most `cap` elements at one threshold, if it scores more than `floor`.

    counts (R,) of small p-values among the `n_held` elements of the side that is held; bins
    is scratch of (WAYS, at least n_held + 1). Returns the score and the cut, or `floor` and -1;
    the set is the first `cap` elements by count among those with count >= cut.
    """
    bins[:, : n_held + 1] = 0
    highest = 0
    for r in range(counts.size):
        count = counts[r]
        bins[r & (WAYS - 1), count] += 1
        highest = max(highest, count)
    at_least = bins[0]
    for count in range(highest, -1, -1):
        for way in range(1, WAYS):
            at_least[count] += bins[way, count]
        if count < highest:
            at_least[count] += at_least[count + 1]
    return _best_cut(at_least, highest, n_held, alpha, statistic, floor, cap)


@numba.njit(cache=True, nogil=True)
def _best_cut(at_least, highest, n_held, alpha, statistic, floor, cap):  # type: ignore[no-untyped-def]
    """As `best_prefix`, for the number of elements with at least each count, up to the highest."""
    if alpha >= 1.0:
        return floor, -1
    best = floor
    best_cut = -1
    n_elements = 0
    n_alpha = 0
    # Elements with a share of at most alpha can only lower the score.
    for cut in range(highest, int(n_held * alpha), -1):
        within = min(at_least[cut], cap)
        if within > n_elements:
            n_alpha += (within - n_elements) * cut
            n_elements = within
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
def _count_one(ranks, held, limit, counts):  # type: ignore[no-untyped-def]
    """counts[e] = #{h in held : ranks[h, e] <= limit}."""
    n_elements = counts.size
    within = np.empty(n_elements, np.uint8)
    bound = np.uint8(limit)
    counts[:] = 0
    position = 0
    while position < held.size:
        stop = min(position + BYTE // 4 * 4, held.size)
        within[:] = 0
        while position + 4 <= stop:
            a = ranks[held[position]]
            b = ranks[held[position + 1]]
            c = ranks[held[position + 2]]
            d = ranks[held[position + 3]]
            for e in range(n_elements):
                within[e] += (
                    np.uint8(a[e] <= bound)
                    + np.uint8(b[e] <= bound)
                    + np.uint8(c[e] <= bound)
                    + np.uint8(d[e] <= bound)
                )
            position += 4
        while position < stop:
            a = ranks[held[position]]
            for e in range(n_elements):
                within[e] += np.uint8(a[e] <= bound)
            position += 1
        for e in range(n_elements):
            counts[e] += within[e]


@numba.njit(cache=True, nogil=True)
def _count_batch(ranks, held, limits, counts):  # type: ignore[no-untyped-def]
    """counts[k, e] = #{h in held : ranks[h, e] <= limits[k]}, for BATCH limits."""
    n_elements = counts.shape[1]
    within = np.empty((BATCH, n_elements), np.uint8)
    first, second, third, fourth = within[0], within[1], within[2], within[3]
    i, j, k, m = np.uint8(limits[0]), np.uint8(limits[1]), np.uint8(limits[2]), np.uint8(limits[3])
    counts[:] = 0
    position = 0
    while position < held.size:
        stop = min(position + BYTE // 2 * 2, held.size)
        within[:] = 0
        while position + 2 <= stop:
            a = ranks[held[position]]
            b = ranks[held[position + 1]]
            for e in range(n_elements):
                x = a[e]
                y = b[e]
                first[e] += np.uint8(x <= i) + np.uint8(y <= i)
                second[e] += np.uint8(x <= j) + np.uint8(y <= j)
                third[e] += np.uint8(x <= k) + np.uint8(y <= k)
                fourth[e] += np.uint8(x <= m) + np.uint8(y <= m)
            position += 2
        while position < stop:
            a = ranks[held[position]]
            for e in range(n_elements):
                x = a[e]
                first[e] += np.uint8(x <= i)
                second[e] += np.uint8(x <= j)
                third[e] += np.uint8(x <= k)
                fourth[e] += np.uint8(x <= m)
            position += 1
        for level in range(BATCH):
            for e in range(n_elements):
                counts[level, e] += within[level, e]


@numba.njit(cache=True, nogil=True)
def count_levels(ranks, held, limits, counts):  # type: ignore[no-untyped-def]
    """counts[k, e] = #{h in held : ranks[h, e] <= limits[k]}; ranks are bytes."""
    whole = limits.size // BATCH * BATCH
    for left in range(0, whole, BATCH):
        _count_batch(ranks, held, limits[left : left + BATCH], counts[left : left + BATCH])
    for level in range(whole, limits.size):
        _count_one(ranks, held, limits[level], counts[level])


@numba.njit(cache=True, nogil=True)
def best_level(counts, n_held, alphas, statistic, floor, cap):  # type: ignore[no-untyped-def]
    """Score, level and members of the best elements for counts (levels, elements).

    The level is -1 where nothing scores more than `floor`. Of equal scores the first wins.
    """
    bins = np.empty((WAYS, n_held + 1), np.int32)
    best = floor
    best_position = -1
    best_cut = -1
    for level in range(alphas.size):
        score, cut = best_prefix(counts[level], n_held, alphas[level], statistic, best, cap, bins)
        if cut >= 0:
            best, best_position, best_cut = score, level, cut
    if best_position < 0:
        return floor, -1, np.empty(0, np.int64)
    return best, best_position, members(counts[best_position], best_cut, cap)


@numba.njit(cache=True, nogil=True)
def level_step(ranks, n_elements, held, limits, alphas, statistic, floor, cap):  # type: ignore[no-untyped-def]
    """Best elements for those held, at the best of a few edges; see `best_level`."""
    counts = np.empty((limits.size, ranks.shape[1]), np.int32)
    count_levels(ranks, held, limits, counts)
    return best_level(counts[:, :n_elements], held.size, alphas, statistic, floor, cap)


@numba.njit(cache=True, nogil=True)
def _promising(counts, edges, alphas, n_held, statistic, floor, cap):  # type: ignore[no-untyped-def]
    """First and last edge with thresholds before them that may score more than `floor`.

    counts (E, elements) at the edges, the last of which is the last threshold. Between two
    edges no threshold can score more than the upper edge's counts at the level of the lowest
    threshold above the lower edge.
    """
    bins = np.empty((WAYS, n_held + 1), np.int32)
    first = edges.size
    last = -1
    for edge in range(edges.size):
        low = edges[edge - 1] + 1 if edge > 0 else 0
        _, cut = best_prefix(
            counts[edge], n_held, alphas[low], statistic, floor * (2.0 - SLACK), cap, bins
        )
        if cut >= 0:
            first = min(first, edge)
            last = edge
    return first, last


@numba.njit(cache=True, nogil=True)
def _count_ranks(fine, by_rows, held, first, tallies):  # type: ignore[no-untyped-def]
    """tallies[r - first] = p-values of rank r among those held; the last tally has all others."""
    bins = np.zeros((WAYS, tallies.size), np.int64)
    last = np.uint32(tallies.size - 1)
    origin = np.uint32(first)
    for line in range(fine.shape[0] if by_rows else held.size):
        # Ranks below the first wrap around.
        if by_rows:
            row = fine[line]
            for position in range(held.size):
                slot = min(np.uint32(row[held[position]] - origin), last)
                bins[position & (WAYS - 1), slot] += 1
        else:
            row = fine[held[line]]
            for j in range(row.size):
                bins[j & (WAYS - 1), min(np.uint32(row[j] - origin), last)] += 1
    tallies[:] = 0
    for way in range(WAYS):
        tallies += bins[way]


@numba.njit(cache=True, nogil=True)
def _order(fine, by_rows, held, first, places, order):  # type: ignore[no-untyped-def]
    """Write the elements of the p-values with ranks from `first` on, in order of rank.

    places[r - first] is where those of rank r begin, and becomes where they end. Those within
    come together first, so that nothing depends on which of them they are.
    """
    n_ranks = np.uint32(places.size)
    origin = np.uint32(first)
    width = held.size if by_rows else fine.shape[1]
    slots = np.empty(width, np.uint32)
    columns = np.empty(width, np.uint32)
    for line in range(fine.shape[0] if by_rows else held.size):
        n = 0
        if by_rows:
            row = fine[line]
            for position in range(width):
                slot = np.uint32(row[held[position]] - origin)
                slots[n] = slot
                n += int(slot < n_ranks)
            for position in range(n):
                at = places[slots[position]]
                order[at] = line
                places[slots[position]] = at + 1
        else:
            row = fine[held[line]]
            for j in range(width):
                slot = np.uint32(row[j] - origin)
                slots[n] = slot
                columns[n] = j
                n += int(slot < n_ranks)
            for position in range(n):
                at = places[slots[position]]
                order[at] = columns[position]
                places[slots[position]] = at + 1


@numba.njit(cache=True, nogil=True)
def full_step(  # type: ignore[no-untyped-def]
    ranks, fine, by_rows, held, edges, coarse_edges, alphas, statistic, floor, cap, order
):
    """Best rows for the held columns (by_rows), or best columns for the held rows.

    Over all thresholds; see `best_level`. `ranks` are the coarse ones with the elements along
    the last axis, of which those at some edges are looked at first: coarse_edges among them,
    edges among all thresholds, the last of which is the last. `order` is scratch of any length;
    its type is that in which elements are held.
    """
    n_elements = fine.shape[0] if by_rows else fine.shape[1]
    at_edges = np.empty((edges.size, ranks.shape[1]), np.int32)
    count_levels(ranks, held, coarse_edges, at_edges)
    at_edges = at_edges[:, :n_elements]
    low, high = _promising(at_edges, edges, alphas, held.size, statistic, floor, cap)
    if high < 0:
        return floor, -1, np.empty(0, np.int64)
    counts = np.zeros(n_elements, np.int32)
    if low > 0:
        counts[:] = at_edges[low - 1]
    best_counts = np.empty(n_elements, np.int32)
    # Elements with at least each count; each that enters adds one to a single number.
    at_least = np.zeros(held.size + 2, np.int32)
    highest = 0
    for element in range(n_elements):
        at_least[counts[element]] += 1
        highest = max(highest, counts[element])
    for count in range(highest - 1, -1, -1):
        at_least[count] += at_least[count + 1]
    best = floor
    best_rank = -1
    best_cut = -1
    first = edges[low - 1] + 1 if low > 0 else 0
    end = edges[high] + 1
    tallies = np.empty(end - first + 1, np.int64)
    _count_ranks(fine, by_rows, held, first, tallies)
    begin = first
    while first < end:
        # As many thresholds as fit, and at least one.
        stop = first + 1
        n_entering = tallies[first - begin]
        while stop < end and n_entering + tallies[stop - begin] <= MAX_ENTERING:
            n_entering += tallies[stop - begin]
            stop += 1
        if order.size < n_entering:
            order = np.empty(n_entering, order.dtype)
        places = np.empty(stop - first, np.int64)
        places[0] = 0
        for rank in range(first + 1, stop):
            places[rank - first] = places[rank - first - 1] + tallies[rank - begin - 1]
        _order(fine, by_rows, held, first, places, order)
        entering = 0
        for rank in range(first, stop):
            if entering == places[rank - first]:
                continue  # the same counts as at the threshold before, which scored more
            while entering < places[rank - first]:
                element = order[entering]
                count = counts[element] + 1
                counts[element] = count
                at_least[count] += 1
                entering += 1
            while at_least[highest + 1] > 0:
                highest += 1
            score, cut = _best_cut(at_least, highest, held.size, alphas[rank], statistic, best, cap)
            if cut >= 0:
                best, best_rank, best_cut = score, rank, cut
                best_counts[:] = counts
        first = stop
    if best_rank < 0:
        return floor, -1, np.empty(0, np.int64)
    return best, best_rank, members(best_counts, best_cut, cap)
