"""Counting of background values, compiled."""

import numba

UPPER, LOWER, TWO_SIDED = range(3)
TILE = 8  # nodes whose sorted background values stay in the fastest cache together


@numba.njit(cache=True, nogil=True)
def _n_below(values, x, n_halvings):  # type: ignore[no-untyped-def]
    """How many of the sorted `values` are < x; without branches that depend on the data."""
    base = 0
    length = values.size
    for _ in range(n_halvings):
        half = length >> 1
        base += half * (values[base + half - 1] < x)
        length -= half
    return base + (values[base] < x)


@numba.njit(cache=True, nogil=True)
def _n_at_most(values, x, n_halvings):  # type: ignore[no-untyped-def]
    """How many of the sorted `values` are <= x."""
    base = 0
    length = values.size
    for _ in range(n_halvings):
        half = length >> 1
        base += half * (values[base + half - 1] <= x)
        length -= half
    return base + (values[base] <= x)


@numba.njit(cache=True, nogil=True)
def fill_pvalues(ordered, test, tail, start, stop, out):  # type: ignore[no-untyped-def]
    """Write the p-values of nodes start:stop.

    ordered (J, B) ascending in each row; test (M, J); out (M, J).
    """
    n_background = ordered.shape[1]
    total = n_background + 1.0
    n_halvings = 0
    length = n_background
    while length > 1:
        length -= length >> 1
        n_halvings += 1
    for left in range(start, stop, TILE):
        right = min(left + TILE, stop)
        for i in range(test.shape[0]):
            for j in range(left, right):
                x = test[i, j]
                if tail == UPPER:
                    count = n_background - _n_below(ordered[j], x, n_halvings)
                    out[i, j] = (1.0 + count) / total
                elif tail == LOWER:
                    count = _n_at_most(ordered[j], x, n_halvings)
                    out[i, j] = (1.0 + count) / total
                else:
                    above = n_background - _n_below(ordered[j], x, n_halvings)
                    below = _n_at_most(ordered[j], x, n_halvings)
                    out[i, j] = min(1.0, 2.0 * (1.0 + min(above, below)) / total)
