"""Bootstrap over images by counts, and the BCa interval.

A bootstrap sample of n images is a vector of counts that sum to n. Statistics here take a
block of such vectors, (draws, n), so that one pass of array arithmetic serves thousands of
samples and the jackknife is the same call with one count set to zero.
"""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.stats import norm

from .checks import FloatArray
from .results import Interval

StatisticOfCounts = Callable[[FloatArray], FloatArray]

# Elements of one block of counts: 16 MB of float64, and small enough to stay near the cache.
BLOCK_ELEMENTS = 2_000_000


def block_sizes(n_draws: int, n: int) -> Iterator[int]:
    """Sizes of consecutive blocks of draws, each within the memory bound."""
    size = max(1, BLOCK_ELEMENTS // max(n, 1))
    for start in range(0, n_draws, size):
        yield min(size, n_draws - start)


def bootstrap_counts(rng: np.random.Generator, n_draws: int, n: int) -> FloatArray:
    """Counts of `n_draws` samples of n out of n with replacement, (draws, n)."""
    picked = rng.integers(n, size=(n_draws, n))
    picked += n * np.arange(n_draws)[:, None]
    counts = np.bincount(picked.ravel(), minlength=n_draws * n)
    return counts.reshape(n_draws, n).astype(float)


def bootstrap(
    statistic: StatisticOfCounts, n: int, n_draws: int, rng: np.random.Generator
) -> FloatArray:
    """The statistic in `n_draws` bootstrap samples; NaN where it is not defined."""
    blocks = [statistic(bootstrap_counts(rng, size, n)) for size in block_sizes(n_draws, n)]
    return np.concatenate(blocks) if blocks else np.empty(0)


def jackknife(statistic: StatisticOfCounts, n: int) -> FloatArray:
    """The statistic with each image left out once, (n,)."""
    blocks = []
    start = 0
    for size in block_sizes(n, n):
        counts = np.ones((size, n))
        counts[np.arange(size), start + np.arange(size)] = 0
        blocks.append(statistic(counts))
        start += size
    return np.concatenate(blocks)


def percentile_interval(values: FloatArray, confidence_level: float) -> Interval | None:
    """The central percentile interval, or None where nothing is defined."""
    defined = values[np.isfinite(values)]
    if defined.size == 0:
        return None
    tail = (1 - confidence_level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def bca_interval(
    statistic: StatisticOfCounts,
    estimate: float,
    n: int,
    n_draws: int,
    rng: np.random.Generator,
    confidence_level: float,
    deviated: Callable[[FloatArray], FloatArray] | None = None,
) -> tuple[Interval | None, tuple[str, ...]]:
    """Bias-corrected and accelerated bootstrap interval, and what to say about it.

    `deviated` adds to the draws what another source of sampling does; bias and acceleration are
    those of the draws themselves. Draws equal to the estimate count half in the bias correction,
    as in scipy, so that a coefficient on a coarse grid is not called biased. Undefined draws are
    left out and counted.

    Notes
    -----
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, equations 14.9-14.15.
    """
    if n_draws == 0:
        return None, ()
    warnings: list[str] = []
    values = bootstrap(statistic, n, n_draws, rng)
    finite = np.isfinite(values)
    defined = values[finite]
    if defined.size < n_draws:
        warnings.append(
            f"The coefficient was undefined in {n_draws - defined.size} of {n_draws} bootstrap "
            "samples; they were left out."
        )
    if defined.size == 0:
        return None, tuple(warnings)
    tolerance = 1e-12 * max(1.0, abs(estimate))
    below = np.mean(defined < estimate - tolerance)
    equal = np.mean(np.abs(defined - estimate) <= tolerance)
    bias = norm.ppf(below + equal / 2)
    spread_out = defined if deviated is None else deviated(values)[finite]
    left_out = jackknife(statistic, n)
    left_out = left_out[np.isfinite(left_out)]
    if not np.isfinite(bias) or left_out.size < 2:
        warnings.append(
            "Every bootstrap sample lies on one side of the estimate; the interval is the "
            "plain percentile interval."
        )
        return percentile_interval(spread_out, confidence_level), tuple(warnings)
    deviation = left_out.mean() - left_out
    spread = np.sum(deviation**2)
    acceleration = np.sum(deviation**3) / (6 * spread**1.5) if spread > 0 else 0.0
    z = bias + norm.ppf([(1 - confidence_level) / 2, (1 + confidence_level) / 2])
    quantiles = norm.cdf(bias + z / (1 - acceleration * z))
    low, high = np.quantile(spread_out, quantiles)
    if low == high:
        warnings.append("All bootstrap samples agree; the interval has no width.")
    return (float(low), float(high)), tuple(warnings)
