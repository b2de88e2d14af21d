"""p-values to ranks, compiled: by arithmetic if they are empirical, else by a small hash table."""

import numba
import numpy as np

FINE, INVALID, TOO_MANY = range(3)
MAX_PROBES = 32


@numba.njit(cache=True, nogil=True)
def number_multiples(pvalues, denominator, last, start, stop, out, seen):  # type: ignore[no-untyped-def]
    """Number the p-values k/denominator of rows start:stop by k - 1, at most `last`.

    out (M, J) receives the numbers; seen (last + 1,) is set to 1 where one occurs. Returns
    False, leaving the rest undone, where a p-value is no such multiple in (0, 1].
    """
    n_nodes = pvalues.shape[1]
    limit = np.int32(last)
    for i in range(start, stop):
        row = pvalues[i]
        numbers = out[i]
        wrong = False
        for j in range(n_nodes):
            p = row[j]
            k = np.int32(p * denominator + 0.5)
            wrong |= np.float64(k) / denominator != p
            wrong |= p > 1.0
            wrong |= p <= 0.0
            numbers[j] = min(np.int32(k - np.int32(1)), limit)
        if wrong:
            return False
        for j in range(n_nodes):
            seen[numbers[j]] = 1
    return True


@numba.njit(cache=True, nogil=True)
def find_numbers(numbers, start, stop, seen):  # type: ignore[no-untyped-def]
    """Set seen[k] to 1 for every number k in rows start:stop."""
    for i in range(start, stop):
        row = numbers[i]
        for j in range(row.size):
            seen[row[j]] = 1


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
def renumber(numbers, table, start, stop, out):  # type: ignore[no-untyped-def]
    """Write the entry in `table` of each number of rows start:stop."""
    for i in range(start, stop):
        row = numbers[i]
        for j in range(row.size):
            out[i, j] = table[row[j]]
