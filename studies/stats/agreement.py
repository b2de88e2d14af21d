"""Agreement among raters: Krippendorff's alpha."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from . import checks
from ._coding import coded, value_counts
from .checks import FloatArray
from .resampling import bootstrap, percentile_interval
from .results import Interval, Result

LEVELS = ("nominal", "ordinal", "interval")


@dataclass(frozen=True, kw_only=True)
class KrippendorffAlpha(Result):
    """Krippendorff's alpha; `estimate` is None where it is not defined.

    `n_units` counts the units with at least two ratings, `n_ratings` the ratings in them,
    `n_unpaired` the units left out because they have one rating or none.
    """

    level: str
    estimate: float | None
    interval: Interval | None
    confidence_level: float
    n_units: int
    n_raters: int
    n_ratings: int
    n_unpaired: int
    n_bootstrap: int
    seed: int


def krippendorff_alpha(
    ratings: pd.DataFrame | ArrayLike,
    level: str = "ordinal",
    n_bootstrap: int = 9999,
    seed: int = 0,
    confidence_level: float = 0.95,
) -> KrippendorffAlpha:
    """Krippendorff's alpha of a matrix of ratings, with a bootstrap interval over units.

    Parameters
    ----------
    ratings : DataFrame or array_like, (raters, units)
        NaN (or None) where a rater did not rate a unit. Text labels are allowed at the nominal
        level.
    level : {"nominal", "ordinal", "interval"}
    n_bootstrap, seed : int
        Units are drawn with replacement; 0 draws leave out the interval.

    Returns
    -------
    KrippendorffAlpha
        `estimate` is None, with a warning that says why, where no unit has two ratings or all
        paired ratings are equal: alpha is then 0 / 0, neither 0 nor 1.

    Raises
    ------
    ValueError
        If `ratings` is not a matrix, holds infinities, or holds text above the nominal level.

    Notes
    -----
    Coincidences weighted by 1 / (m_u - 1): Krippendorff (2019), Content Analysis, chapter 12.
    The interval is the percentile interval of the bootstrap over units. The ordinal metric is
    the interval metric of mid-ranks, so all levels cost O(draws * units * values).

    Examples
    --------
    >>> nan = float("nan")
    >>> ratings = [[1, 2, 3, 3, 2, 1], [1, 2, 3, 3, 2, nan], [nan, 3, 3, 3, 2, 3]]
    >>> round(krippendorff_alpha(ratings, level="nominal").estimate, 4)
    0.6203
    >>> krippendorff_alpha([[4, 4], [4, 4]]).estimate is None
    True
    """
    checks.one_of(level, LEVELS, "level")
    n_bootstrap = checks.draws(n_bootstrap, "n_bootstrap")
    confidence_level = checks.level(confidence_level)
    codes, values, _ = coded(ratings, level)
    n_raters = int(np.sum(np.any(codes >= 0, axis=1)))
    counts = value_counts(codes, len(values))
    paired = counts.sum(axis=1) >= 2
    counts = counts[paired]
    common: dict[str, Any] = {
        "method": f"Krippendorff's alpha, {level} level; percentile bootstrap interval over units",
        "level": level,
        "confidence_level": confidence_level,
        "n_units": int(paired.sum()),
        "n_raters": n_raters,
        "n_ratings": int(counts.sum()),
        "n_unpaired": int(np.sum(~paired)),
        "n_bootstrap": n_bootstrap,
        "seed": int(seed),
    }
    problem = None
    if counts.size == 0:
        problem = "no unit has ratings by two raters."
    elif np.sum(counts.sum(axis=0) > 0) < 2:
        problem = "all paired ratings are equal, so there is no disagreement to expect."
    if problem:
        return KrippendorffAlpha(
            estimate=None,
            interval=None,
            warnings=(f"Alpha is not defined: {problem}",),
            **common,
        )
    import krippendorff

    estimate = float(
        krippendorff.alpha(
            value_counts=counts, value_domain=values, level_of_measurement=cast("Any", level)
        )
    )
    interval, warnings = _interval(
        counts, values, level, n_bootstrap, np.random.default_rng(seed), confidence_level
    )
    return KrippendorffAlpha(estimate=estimate, interval=interval, warnings=warnings, **common)


def _interval(
    counts: FloatArray,
    values: FloatArray,
    level: str,
    n_bootstrap: int,
    rng: np.random.Generator,
    confidence_level: float,
) -> tuple[Interval | None, tuple[str, ...]]:
    n_units = len(counts)
    if n_bootstrap == 0:
        return None, ()
    if n_units < 2:
        return None, ("The interval is not defined: a single unit has paired ratings.",)
    alphas = bootstrap(
        lambda weights: alpha_of_weights(counts, values, level, weights),
        n_units,
        n_bootstrap,
        rng,
    )
    interval = percentile_interval(alphas, confidence_level)
    undefined = int(np.sum(~np.isfinite(alphas)))
    if not undefined:
        return interval, ()
    return interval, (
        f"Alpha was undefined in {undefined} of {n_bootstrap} bootstrap samples; they were "
        "left out.",
    )


def alpha_of_weights(
    counts: FloatArray, values: FloatArray, level: str, weights: FloatArray
) -> FloatArray:
    """Alpha of samples in which unit u occurs weights[:, u] times; NaN where undefined.

    `counts` (units, values) holds units with two ratings or more; `weights` is (draws, units).
    """
    per_unit = counts.sum(axis=1)
    pairing = weights / (per_unit - 1)
    totals = weights @ counts
    n = totals.sum(axis=1)
    if level == "nominal":
        observed = pairing @ (per_unit**2 - np.sum(counts**2, axis=1))
        expected = n**2 - np.sum(totals**2, axis=1)
    else:
        if level == "ordinal":
            scale = np.cumsum(totals, axis=1) - totals / 2
            scale -= n[:, None] / 2
        else:
            scale = np.broadcast_to(values - values.mean(), totals.shape)
        squares = (scale**2) @ counts.T
        squares *= per_unit
        squares -= (scale @ counts.T) ** 2
        # Twice the sum over unordered pairs, as the coincidence matrix counts both orders.
        observed = 2 * np.einsum("ij,ij->i", pairing, squares)
        expected = 2 * (n * np.sum(totals * scale**2, axis=1) - np.sum(totals * scale, axis=1) ** 2)
    result = np.full(n.shape, np.nan)
    # A sample of equal ratings leaves rounding error, at most, on the scale of the expectation.
    np.divide((n - 1) * observed, expected, out=result, where=expected > 1e-9 * n)
    return 1 - result
