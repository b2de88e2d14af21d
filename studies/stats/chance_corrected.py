"""Agreement corrected for chance: Fleiss' kappa, Gwet's AC1 and AC2."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from . import checks
from ._coding import labelled, value_counts
from .checks import FloatArray
from .results import Interval, Result

WEIGHTS = ("identity", "quadratic", "ordinal", "linear")


@dataclass(frozen=True, kw_only=True)
class ChanceCorrected(Result):
    """An agreement coefficient (observed - chance) / (1 - chance); None where not defined.

    `categories` are the values in order and `per_category` each one's own kappa (Fleiss only);
    `p` tests that the coefficient is zero.
    """

    coefficient: str
    estimate: float | None
    interval: Interval | None
    confidence_level: float
    standard_error: float | None
    p: float | None
    observed_agreement: float | None
    chance_agreement: float | None
    per_category: dict[str, float | None]
    n_units: int
    n_raters: int
    n_ratings: int


def fleiss_kappa(
    ratings: pd.DataFrame | ArrayLike, confidence_level: float = 0.95
) -> ChanceCorrected:
    """Fleiss' kappa of a matrix of ratings, with Gwet's standard error over units.

    Parameters
    ----------
    ratings : DataFrame or array_like, (raters, units)
        NaN (or None) where a rater did not rate a unit; units may have unequal numbers.

    Returns
    -------
    ChanceCorrected
        The interval is estimate +- t SE with n_units - 1 degrees of freedom, for units as a
        sample of many. `per_category` has each label against all others. With unequal numbers
        of ratings, chance agreement comes from the mean of the units' shares, as in Gwet (2014).

    Raises
    ------
    ValueError
        If `ratings` is not a matrix or holds infinities.

    Notes
    -----
    Fleiss (1971), Psychological Bulletin 76; Gwet (2014), Handbook of Inter-Rater Reliability,
    4th edition, chapters 2 and 5.

    Examples
    --------
    >>> ratings = [["a", "b", "b", "a"], ["a", "b", "a", "a"], ["a", "b", "b", "b"]]
    >>> round(fleiss_kappa(ratings).estimate, 4)
    0.3333
    """
    codes, values, names = labelled(ratings, "nominal")
    counts = value_counts(codes, len(values))
    result = _chance_corrected(
        codes, counts, np.eye(len(values)), "Fleiss' kappa", confidence_level
    )
    if result.estimate is None:
        return result
    per_category: dict[str, float | None] = {}
    for place, name in enumerate(names):
        against_rest = np.column_stack([counts[:, place], counts.sum(axis=1) - counts[:, place]])
        per_category[name] = _kappa_of_counts(against_rest, np.eye(2), "Fleiss' kappa")[0]
    return replace(result, per_category=per_category)


def gwet_ac(
    ratings: pd.DataFrame | ArrayLike,
    weights: str = "identity",
    confidence_level: float = 0.95,
    categories: Sequence[float | str] | None = None,
) -> ChanceCorrected:
    """Gwet's agreement coefficient: AC1 (identity weights) or AC2 (quadratic, ordinal, linear).

    Parameters
    ----------
    ratings : DataFrame or array_like, (raters, units)
        NaN (or None) where a rater did not rate a unit. Text only with identity weights.
    weights : {"identity", "quadratic", "ordinal", "linear"}
    categories : sequence, optional
        All possible values in ascending order; by default those that occur. Chance agreement
        depends on their number.

    Returns
    -------
    ChanceCorrected
        With Gwet's standard error for units as a sample of many, and its t interval.

    Raises
    ------
    ValueError
        If `ratings` is not a matrix, holds infinities, text with weights, or a value outside
        `categories`.

    Notes
    -----
    Gwet (2008), British Journal of Mathematical and Statistical Psychology 61; Gwet (2014),
    Handbook of Inter-Rater Reliability, 4th edition, chapter 5.

    Examples
    --------
    >>> ratings = [["a", "b", "b", "a"], ["a", "b", "a", "a"], ["a", "b", "b", "a"]]
    >>> round(gwet_ac(ratings).estimate, 4)
    0.6757
    """
    checks.one_of(weights, WEIGHTS, "weights")
    level = "nominal" if weights == "identity" else "ordinal"
    codes, values, _ = labelled(ratings, level, categories)
    counts = value_counts(codes, len(values))
    name = "Gwet's AC1" if weights == "identity" else f"Gwet's AC2, {weights} weights"
    return _chance_corrected(codes, counts, _weights(weights, values), name, confidence_level)


def _weights(kind: str, values: FloatArray) -> FloatArray:
    """Agreement weights of pairs of categories, (categories, categories)."""
    if kind == "identity" or values.size < 2:
        return np.eye(values.size)
    if kind == "ordinal":
        # One minus the share of adjacent pairs between the two: choose(distance + 1, 2).
        distance = np.abs(np.subtract.outer(np.arange(values.size), np.arange(values.size)))
        pairs = distance * (distance + 1) / 2
        return np.asarray(1 - pairs / pairs.max())
    distance = np.abs(np.subtract.outer(values, values)) / np.ptp(values)
    return np.asarray(1 - (distance**2 if kind == "quadratic" else distance))


def _kappa_of_counts(
    counts: FloatArray, weights: FloatArray, name: str
) -> tuple[float | None, float | None, float, float]:
    """Coefficient, standard error, observed and chance agreement; None where undefined."""
    rated = counts[counts.sum(axis=1) >= 1]
    totals = rated.sum(axis=1)
    shares = (rated / totals[:, None]).mean(axis=0)
    paired = totals >= 2
    weighted = rated @ weights.T
    agreement = np.zeros(len(rated))
    agreement[paired] = np.sum(rated * (weighted - 1), axis=1)[paired] / (
        totals[paired] * (totals[paired] - 1)
    )
    observed = float(agreement[paired].mean())
    n, q = len(rated), shares.size
    if name.startswith("Fleiss"):
        chance = float(shares @ weights @ shares)
        by_unit = (rated / totals[:, None]) @ (weights @ shares + weights.T @ shares) / 2
    else:
        scale = weights.sum() / (q * (q - 1)) if q > 1 else 0.0
        chance = float(scale * np.sum(shares * (1 - shares)))
        by_unit = scale * (rated / totals[:, None]) @ (1 - shares)
    if chance >= 1 or q < 2:
        return None, None, observed, chance
    estimate = (observed - chance) / (1 - chance)
    # Linearised contributions of units, Gwet (2014), section 5.4.
    lifted = np.where(paired, agreement * n / paired.sum(), 0.0)
    contributions = (lifted - chance * paired * n / paired.sum()) / (1 - chance)
    contributions = contributions - 2 * (1 - estimate) * (by_unit - chance) / (1 - chance)
    variance = np.sum((contributions - estimate) ** 2) / (n * (n - 1)) if n > 1 else np.nan
    return estimate, float(np.sqrt(variance)), observed, chance


def _chance_corrected(
    codes: np.ndarray,
    counts: FloatArray,
    weights: FloatArray,
    name: str,
    confidence_level: float,
) -> ChanceCorrected:
    confidence_level = checks.level(confidence_level)
    common: dict[str, Any] = {
        "method": f"{name}; t interval from Gwet's standard error over units",
        "coefficient": name,
        "confidence_level": confidence_level,
        "per_category": {},
        "n_units": int(np.sum(counts.sum(axis=1) >= 1)),
        "n_raters": int(np.sum(np.any(codes >= 0, axis=1))),
        "n_ratings": int(counts.sum()),
    }
    problem = None
    estimate = error = observed = chance = None
    if not np.any(counts.sum(axis=1) >= 2):
        problem = "no unit has ratings by two raters."
    else:
        estimate, error, observed, chance = _kappa_of_counts(counts, weights, name)
        if estimate is None:
            problem = "all ratings are equal, so agreement by chance is already complete."
    if problem or estimate is None or error is None:
        return ChanceCorrected(
            estimate=None,
            interval=None,
            standard_error=None,
            p=None,
            observed_agreement=observed,
            chance_agreement=chance,
            warnings=(f"{name} is not defined: {problem}",),
            **common,
        )
    interval = p = None
    warnings: tuple[str, ...] = ()
    if not np.isfinite(error):
        error = None
        warnings = ("The interval is not defined: a single unit was rated.",)
    else:
        freedom = common["n_units"] - 1
        margin = float(stats.t.ppf((1 + confidence_level) / 2, freedom)) * error
        interval = (estimate - margin, min(1.0, estimate + margin))
        if error > 0:
            p = float(2 * stats.t.sf(abs(estimate) / error, freedom))
    return ChanceCorrected(
        estimate=estimate,
        interval=interval,
        standard_error=error,
        p=p,
        observed_agreement=observed,
        chance_agreement=chance,
        warnings=warnings,
        **common,
    )
