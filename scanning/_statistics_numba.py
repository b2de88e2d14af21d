"""The scan statistics for one subset, compiled; numbered as in `scanning.statistics`."""

import math

import numba

BERK_JONES, HIGHER_CRITICISM, KOLMOGOROV_SMIRNOV = range(3)


@numba.njit(cache=True, nogil=True)
def phi(statistic, alpha, n_alpha, n):  # type: ignore[no-untyped-def]
    """Score of `n` p-values of which `n_alpha` are at most `alpha`."""
    excess = n_alpha - n * alpha
    if excess <= 0.0 or alpha >= 1.0:
        return 0.0
    if statistic == BERK_JONES:
        if n_alpha >= n:
            return -n * math.log(alpha)
        rest = n - n_alpha
        ratio = n_alpha / (n * alpha)
        # The ratio to a subnormal level may be beyond what a number can hold; its logarithm is not.
        log_ratio = math.log(ratio) if ratio < math.inf else math.log(n_alpha / n) - math.log(alpha)
        return max(0.0, n_alpha * log_ratio + rest * math.log(rest / (n * (1.0 - alpha))))
    if statistic == HIGHER_CRITICISM:
        return excess / math.sqrt(n * alpha * (1.0 - alpha))
    return excess / math.sqrt(n)
