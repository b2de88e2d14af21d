"""Two rank correlations with the same variable over the same images, compared."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import checks
from .association import MIN_IMAGES, Ranked, spearman_of_counts
from .checks import FloatArray
from .resampling import bca_interval
from .results import Interval, Result


@dataclass(frozen=True, kw_only=True)
class RankDifference(Result):
    """rho(x, y) - rho(other, y); `estimate` is None where one of them is not defined."""

    estimate: float | None
    interval: Interval | None
    confidence_level: float
    first: float | None
    second: float | None
    n: int
    n_missing: int
    n_bootstrap: int
    seed: int


def rank_difference(
    x: ArrayLike,
    other: ArrayLike,
    y: ArrayLike,
    n_bootstrap: int = 9999,
    seed: int = 0,
    confidence_level: float = 0.95,
) -> RankDifference:
    """By how much Spearman's rho of `x` with `y` is above that of `other` with `y`.

    Parameters
    ----------
    x, other, y : array_like, (images,)
        Two predictors and the images' numbers; images with a NaN in any are dropped and counted.
    n_bootstrap : int
        Draws of images for the interval; 0 leaves it out.

    Returns
    -------
    RankDifference
        With a BCa bootstrap interval: each sample of images gives both correlations, so that
        what the predictors have in common is counted.

    Raises
    ------
    ValueError
        If lengths differ, or values are infinite or not numbers.

    Notes
    -----
    Efron and Tibshirani (1993), chapter 14. Cost O(draws * images).

    Examples
    --------
    >>> result = rank_difference([1, 2, 3, 4, 5], [1, 3, 2, 5, 4], [1, 2, 3, 5, 4], n_bootstrap=0)
    >>> round(result.first, 1), round(result.second, 1), round(result.estimate, 1)
    (0.9, 0.9, 0.0)
    """
    vectors = {
        "x": checks.numeric_vector(x, "x"),
        "other": checks.numeric_vector(other, "other"),
        "y": checks.numeric_vector(y, "y"),
    }
    checks.same_length(**vectors)
    n_bootstrap = checks.draws(n_bootstrap, "n_bootstrap")
    confidence_level = checks.level(confidence_level)
    present = ~np.any([np.isnan(vector) for vector in vectors.values()], axis=0)
    n = int(present.sum())
    common: dict[str, Any] = {
        "method": "Difference of Spearman's rho of two predictors with the same numbers; BCa "
        "bootstrap interval over images",
        "confidence_level": confidence_level,
        "n": n,
        "n_missing": int(present.size - n),
        "n_bootstrap": n_bootstrap,
        "seed": int(seed),
    }
    ranked = {name: Ranked(vector[present]) for name, vector in vectors.items()}
    constant = [name for name, variable in ranked.items() if variable.constant]
    if n < MIN_IMAGES or constant:
        why = (
            f"{n} images with all values, and at least {MIN_IMAGES} are needed"
            if n < MIN_IMAGES
            else f"{' and '.join(constant)} takes a single value"
        )
        return RankDifference(
            estimate=None,
            interval=None,
            first=None,
            second=None,
            warnings=(f"The difference is not defined: {why}.",),
            **common,
        )
    parts = [spearman_of_counts(ranked[name], ranked["y"]) for name in ("x", "other")]

    def statistic(counts: FloatArray) -> FloatArray:
        return parts[0](counts) - parts[1](counts)

    whole = np.ones((1, n))
    first, second = (float(part(whole)[0]) for part in parts)
    interval, warnings = bca_interval(
        statistic, first - second, n, n_bootstrap, np.random.default_rng(seed), confidence_level
    )
    return RankDifference(
        estimate=first - second,
        interval=interval,
        first=first,
        second=second,
        warnings=warnings,
        **common,
    )
