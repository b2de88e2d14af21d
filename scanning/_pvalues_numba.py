"""Counting of background values, compiled.

The values of a node are not sorted but dealt into cells: those equal to the lowest, of which
a ReLU makes many, into the first, all others into cells of equal width, as many as there are
values. Cells are in order, so that a value's count is that of all cells before its own plus
what is found in its own, by looking at each there. That takes a few values where they are
spread as continuous ones are; where a cell is crowded, the node's values are sorted as well,
and the cell is searched by halving.
"""

import math

import numba
import numpy as np

UPPER, LOWER, TWO_SIDED = range(3)
TILE = 64  # nodes that are read and written together, a few cache lines of each image
MAX_CROWD = 16  # values in one cell, above which a node's values are sorted


@numba.njit(cache=True, nogil=True)
def deal(columns, values, begins, lows, scales, crowds):  # type: ignore[no-untyped-def]
    """Deal each row of `columns` (W, B) into cells.

    Writes values (W, B), cell by cell; begins (W, B + 2), where each cell begins and the last
    ends; lows and scales (W,), of which 1 + (x − low)·scale is the cell of an x > low; crowds
    (W,), the most in one cell but the first. A scale of 0 puts all that are not the lowest into
    the second cell: where they are so close or so far apart that their range has no inverse.
    """
    n_background = columns.shape[1]
    cells = np.empty(n_background, np.int32)
    ends = np.empty(n_background + 2, np.int32)
    for j in range(columns.shape[0]):
        column = columns[j]
        low = column[0]
        high = column[0]
        for k in range(n_background):
            low = min(low, column[k])
            high = max(high, column[k])
        span = np.float64(high) - np.float64(low)
        scale = 0.0
        if span > 1e-290 and span < math.inf:
            # A little less than the number of cells: the highest value has one too.
            scale = (n_background - 0.5) / span
        lows[j] = low
        scales[j] = scale
        ends[:] = 0
        for k in range(n_background):
            above = np.float64(column[k]) - np.float64(low)
            cells[k] = np.int32(above * scale if scale > 0.0 else 0.0) + np.int32(above > 0.0)
        for k in range(n_background):
            ends[cells[k] + 1] += 1
        crowd = 0
        for c in range(2, n_background + 2):
            crowd = max(crowd, ends[c])
            ends[c] += ends[c - 1]
        crowds[j] = crowd
        for c in range(n_background + 2):
            begins[j, c] = ends[c]
        row = values[j]
        for k in range(n_background):
            cell = cells[k]
            row[ends[cell]] = column[k]
            ends[cell] += 1


@numba.njit(cache=True, nogil=True)
def _count_in_cells(values, begins, cells, x, inclusive, counts):  # type: ignore[no-untyped-def]
    """counts[i] = how many of `values` are < x[i], or <= x[i] where `inclusive`."""
    # Most cells hold at most two. Those are compared without asking how many there are, as a
    # loop of unforeseeable length costs more than they do.
    last = np.int32(values.size - 1)
    for i in range(x.size):
        cell = cells[i]
        begin = np.int32(begins[cell])
        end = np.int32(begins[cell + 1]) * np.int32(cell > 0)
        value = x[i]
        first = values[min(begin, last)]
        second = values[min(begin + 1, last)]
        count = begin
        if inclusive:
            # All of the first cell are alike, and the first of all values.
            count += np.int32(begins[1]) * ((cell == 0) & (first <= value))
            count += (begin < end) & (first <= value)
            count += (begin + 1 < end) & (second <= value)
            for k in range(begin + 2, end):
                count += values[k] <= value
        else:
            count += (begin < end) & (first < value)
            count += (begin + 1 < end) & (second < value)
            for k in range(begin + 2, end):
                count += values[k] < value
        counts[i] = count


@numba.njit(cache=True, nogil=True)
def _count_sorted(values, begins, crowd, cells, x, inclusive, counts):  # type: ignore[no-untyped-def]
    """The same for sorted values with up to `crowd` in one cell.

    All of x take a halving step together, without branches that depend on the data.
    """
    for i in range(x.size):
        counts[i] = begins[cells[i]]
        if inclusive and cells[i] == 0 and values[0] <= x[i]:
            counts[i] = begins[1]
    last = np.int32(values.size)
    stride = np.int32(1)
    while 2 * stride <= crowd:
        stride *= np.int32(2)
    while stride > 0:
        if inclusive:
            for i in range(x.size):
                beyond = np.int32(counts[i] + stride)
                at = np.int32(min(beyond, last) - 1)
                counts[i] += stride * ((beyond <= last) & (values[at] <= x[i]))
        else:
            for i in range(x.size):
                beyond = np.int32(counts[i] + stride)
                at = np.int32(min(beyond, last) - 1)
                counts[i] += stride * ((beyond <= last) & (values[at] < x[i]))
        stride >>= 1


@numba.njit(cache=True, nogil=True)
def _count(values, begins, crowd, cells, x, inclusive, counts):  # type: ignore[no-untyped-def]
    if crowd > MAX_CROWD:
        _count_sorted(values, begins, crowd, cells, x, inclusive, counts)
    else:
        _count_in_cells(values, begins, cells, x, inclusive, counts)


@numba.njit(cache=True, nogil=True)
def fill(values, begins, lows, scales, crowds, test, tail, table, start, stop, out):  # type: ignore[no-untyped-def]
    """Write, for nodes start:stop, table[number of background values at least as extreme].

    values (J, B), begins (J, B + 2), lows, scales and crowds (J,) as from `deal`, and values
    sorted where crowds exceed MAX_CROWD; test (M, J); table (B + 1,); out (M, J).
    """
    n_background = values.shape[1]
    n_images = test.shape[0]
    x = np.empty((TILE, n_images), test.dtype)
    cells = np.empty(n_images, np.int32)
    counts = np.empty((TILE, n_images), np.int32)
    others = np.empty(n_images, np.int32)
    total = np.int32(n_background)
    last_cell = np.float64(n_background - 1)  # beside the first
    for left in range(start, stop, TILE):
        width = min(TILE, stop - left)
        for i in range(n_images):
            for j in range(width):
                x[j, i] = test[i, left + j]
        for j in range(width):
            node = left + j
            low = lows[node]
            scale = scales[node]
            column = x[j]
            for i in range(n_images):
                above = np.float64(column[i]) - low
                cell = min(max(above * scale, 0.0), last_cell) if scale > 0.0 else 0.0
                cells[i] = np.int32(cell) + np.int32(above > 0.0)
            found = counts[j]
            of_node = values[node], begins[node], crowds[node], cells, column
            _count(*of_node, tail == LOWER, found)
            if tail == UPPER:
                for i in range(n_images):
                    found[i] = total - found[i]
            elif tail == TWO_SIDED:
                _count(*of_node, True, others)
                for i in range(n_images):
                    found[i] = min(total - found[i], others[i])
        for i in range(n_images):
            for j in range(width):
                out[i, left + j] = table[counts[j, i]]
