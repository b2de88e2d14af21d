"""Kendall's numerator for many permutations, compiled."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def concordance(group_starts, codes, n_codes):  # type: ignore[no-untyped-def]
    """Concordant minus discordant pairs of each row.

    `codes` (draws, n) holds the dense ranks of y, in the order of increasing x; `group_starts`
    (groups + 1,) bounds the runs of equal x, whose pairs count for neither side. A Fenwick tree
    over the ranks seen so far makes a row cost n log n.
    """
    n_draws = codes.shape[0]
    result = np.empty(n_draws, np.int64)
    tree = np.empty(n_codes + 1, np.int64)
    for draw in range(n_draws):
        tree[:] = 0
        score = 0
        for group in range(group_starts.size - 1):
            first, last = group_starts[group], group_starts[group + 1]
            for i in range(first, last):
                below = 0
                node = codes[draw, i]
                while node > 0:
                    below += tree[node]
                    node -= node & -node
                up_to = 0
                node = codes[draw, i] + 1
                while node > 0:
                    up_to += tree[node]
                    node -= node & -node
                score += below - (first - up_to)
            for i in range(first, last):
                node = codes[draw, i] + 1
                while node <= n_codes:
                    tree[node] += 1
                    node += node & -node
        result[draw] = score
    return result
