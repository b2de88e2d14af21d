"""Counting of background values, compiled."""

import math

import numba
import numpy as np

UPPER, LOWER, TWO_SIDED = range(3)
TILE = 16  # nodes whose activations share a cache line
MIN_LOOKUPS = 0.25  # per background value: fewer do not repay a grid


@numba.njit(cache=True, nogil=True)
def _fill_grid(values, scale, starts):  # type: ignore[no-untyped-def]
    """starts[c] = how many of the sorted `values` lie before cell c. Returns the most in one."""
    starts[:] = 0
    lowest = values[0]
    for k in range(values.size):
        starts[np.int64((np.float64(values[k]) - lowest) * scale) + 1] += 1
    most = 0
    for c in range(1, starts.size):
        most = max(most, starts[c])
        starts[c] += starts[c - 1]
    return most


@numba.njit(cache=True, nogil=True)
def _count_below(values, x, scale, starts, most, inclusive, counts):  # type: ignore[no-untyped-def]
    """counts[i] = how many of the sorted `values` are < x[i], or <= x[i] where `inclusive`.

    The grid gives each count up to at most `most` values more, which are found by halving:
    all of x take a halving step together, without branches that depend on the data.
    """
    if scale > 0.0:
        lowest = np.float64(values[0])
        last_cell = np.float64(starts.size - 2)
        for i in range(x.size):
            cell = (np.float64(x[i]) - lowest) * scale
            counts[i] = starts[np.int64(min(max(cell, 0.0), last_cell))]
    else:
        counts[:] = 0
    last = np.int32(values.size)
    stride = np.int32(1)
    while 2 * stride <= most:
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
def fill(ordered, test, tail, table, start, stop, out):  # type: ignore[no-untyped-def]
    """Write, for nodes start:stop, table[number of background values at least as extreme].

    ordered (J, B) ascending in each row; test (M, J); table (B + 1,); out (M, J).
    """
    n_background = ordered.shape[1]
    n_images = test.shape[0]
    gridded = n_images >= MIN_LOOKUPS * n_background
    n_cells = 2 * n_background if gridded else 1
    starts = np.zeros(n_cells + 1, np.int32)
    x = np.empty((TILE, n_images), test.dtype)
    counts = np.empty((TILE, n_images), np.int32)
    others = np.empty(n_images, np.int32)
    total = np.int32(n_background)
    for left in range(start, stop, TILE):
        width = min(TILE, stop - left)
        for i in range(n_images):
            for j in range(width):
                x[j, i] = test[i, left + j]
        for j in range(width):
            values = ordered[left + j]
            scale = 0.0
            most = n_background
            if gridded:
                span = np.float64(values[n_background - 1]) - np.float64(values[0])
                if span > 1e-290 and span < math.inf:
                    # A little less than the number of cells: the highest value has one too.
                    scale = (n_cells - 0.5) / span
                    most = _fill_grid(values, scale, starts)
            found = counts[j]
            _count_below(values, x[j], scale, starts, most, tail == LOWER, found)
            if tail == UPPER:
                for i in range(n_images):
                    found[i] = total - found[i]
            elif tail == TWO_SIDED:
                _count_below(values, x[j], scale, starts, most, True, others)
                for i in range(n_images):
                    found[i] = min(total - found[i], others[i])
        for i in range(n_images):
            for j in range(width):
                out[i, left + j] = table[counts[j, i]]
