"""Numbering of distinct p-values by a small hash table, compiled."""

import numba
import numpy as np

FINE, INVALID, TOO_MANY = range(3)
MAX_PROBES = 32


@numba.njit(cache=True, nogil=True)
def number_values(pvalues, alpha_max, keys, start, stop, out):  # type: ignore[no-untyped-def]
    """Number the distinct p-values <= alpha_max of rows start:stop by order of appearance.

    `keys` (a power of two long, zeros) becomes the hash table; empirical p-values k/(B+1)
    fall in slots of their own while B is below its length. out (M, J) receives each p-value's
    slot, or the table's length where it is above alpha_max.

    Returns a state and the flat position of the offending p-value.
    """
    size = keys.size
    n_nodes = pvalues.shape[1]
    for i in range(start, stop):
        for j in range(n_nodes):
            p = np.float64(pvalues[i, j])
            if not (p > 0.0 and p <= 1.0):
                return INVALID, i * n_nodes + j
            if p > alpha_max:
                out[i, j] = size
                continue
            slot = int(p * (size - 1))
            probes = 0
            while keys[slot] != p:
                if keys[slot] == 0.0:
                    keys[slot] = p
                    break
                slot = (slot + 1) & (size - 1)
                probes += 1
                if probes > MAX_PROBES:
                    return TOO_MANY, 0
            out[i, j] = slot
    return FINE, 0


@numba.njit(cache=True, nogil=True)
def renumber(numbers, table, start, stop):  # type: ignore[no-untyped-def]
    """Replace each number of rows start:stop by its entry in `table`."""
    for i in range(start, stop):
        for j in range(numbers.shape[1]):
            numbers[i, j] = table[numbers[i, j]]
