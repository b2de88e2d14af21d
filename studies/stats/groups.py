"""Two groups of images: Mann-Whitney, Cliff's delta, and the area under the ROC curve."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from . import checks
from .checks import FloatArray
from .results import Interval, Result

# As in R's wilcox.test: exact below this size in both groups when no two values are equal.
EXACT_BELOW = 50


@dataclass(frozen=True, kw_only=True)
class TwoGroups(Result):
    """Images in a group against the others; `estimate` is Cliff's delta.

    `auc` = A is the chance that a random image of the group is rated above a random other one,
    ties counted half; `estimate` = 2 A - 1. `u` is the Mann-Whitney U of the group, `p` its
    two-sided test, `exact` whether that is exact.
    """

    estimate: float | None
    interval: Interval | None
    confidence_level: float
    auc: float | None
    auc_interval: Interval | None
    u: float | None
    p: float | None
    exact: bool
    median_in_group: float | None
    median_outside: float | None
    n_in_group: int
    n_outside: int
    n_missing: int


@dataclass(frozen=True, kw_only=True)
class Auc(Result):
    """Area under the ROC curve with DeLong's standard error and interval."""

    estimate: float | None
    interval: Interval | None
    confidence_level: float
    standard_error: float | None
    n_positive: int
    n_negative: int
    n_missing: int


def two_groups(y: ArrayLike, in_group: ArrayLike, confidence_level: float = 0.95) -> TwoGroups:
    """Compare `y` between the images in a group and those outside.

    Parameters
    ----------
    y : array_like, (images,)
        NaN marks a missing value; such images are dropped and counted.
    in_group : array_like of bool or 0/1, (images,)

    Returns
    -------
    TwoGroups
        The test is exact where both groups have fewer than 50 images and no values are equal,
        else normal with correction for ties and continuity. An empty group gives `estimate`
        None with a warning.

    Raises
    ------
    ValueError
        If lengths differ, `y` is infinite or not numeric, or `in_group` is not boolean.

    Notes
    -----
    The interval of delta is Cliff's (1996) asymmetric one, from the unbiased variance and a t
    quantile with n1 + n0 - 2 degrees of freedom; that of A is its image under (delta + 1) / 2.
    Cost and memory are O(n1 * n0).

    Sources: Cliff (1996), Ordinal Methods for Behavioral Data Analysis; Vargha and Delaney
    (2000), Journal of Educational and Behavioral Statistics 25.

    Examples
    --------
    >>> result = two_groups([5, 6, 4, 3, 2, 7, 1], [1, 1, 1, 0, 0, 0, 0])
    >>> round(result.estimate, 3), round(result.auc, 3), result.exact
    (0.5, 0.75, True)
    """
    values, inside, n_missing = _present(y, in_group, "y", "in_group")
    confidence_level = checks.level(confidence_level)
    a, b = values[inside], values[~inside]
    effect_method = "Cliff's delta = 2A - 1 with Cliff's asymmetric interval"
    if a.size == 0 or b.size == 0:
        empty = "in the group" if a.size == 0 else "outside the group"
        return TwoGroups(
            method=effect_method,
            estimate=None,
            interval=None,
            confidence_level=confidence_level,
            auc=None,
            auc_interval=None,
            u=None,
            p=None,
            exact=False,
            median_in_group=float(np.median(a)) if a.size else None,
            median_outside=float(np.median(b)) if b.size else None,
            n_in_group=a.size,
            n_outside=b.size,
            n_missing=n_missing,
            warnings=(f"The groups cannot be compared: no rated image lies {empty}.",),
        )
    warnings: list[str] = []
    dominance = np.sign(np.subtract.outer(a, b))
    delta = float(dominance.mean())
    interval = _cliff_interval(dominance, confidence_level)
    if interval is None:
        warnings.append(
            "The interval is not defined: it needs two images in each group, and groups that "
            "overlap."
            if min(a.size, b.size) < 2 or abs(delta) == 1
            else "The interval is not defined: the estimated variance of delta is not positive."
        )
    exact = max(a.size, b.size) < EXACT_BELOW and np.unique(values).size == values.size
    if np.unique(values).size == 1:
        p = 1.0
        warnings.append("All values are equal; the groups do not differ.")
    else:
        p = float(
            stats.mannwhitneyu(
                a, b, alternative="two-sided", method="exact" if exact else "asymptotic"
            ).pvalue
        )
    test = (
        "exact Mann-Whitney test"
        if exact
        else "Mann-Whitney test by the normal approximation, corrected for ties and continuity"
    )
    return TwoGroups(
        method=f"{effect_method}; {test}, two-sided",
        estimate=delta,
        interval=interval,
        confidence_level=confidence_level,
        auc=(delta + 1) / 2,
        auc_interval=interval and ((interval[0] + 1) / 2, (interval[1] + 1) / 2),
        u=float(dominance.sum() + a.size * b.size) / 2,
        p=p,
        exact=bool(exact),
        median_in_group=float(np.median(a)),
        median_outside=float(np.median(b)),
        n_in_group=a.size,
        n_outside=b.size,
        n_missing=n_missing,
        warnings=tuple(warnings),
    )


def auc(scores: ArrayLike, labels: ArrayLike, confidence_level: float = 0.95) -> Auc:
    """Area under the ROC curve of `scores` for true `labels`, with DeLong's interval.

    Parameters
    ----------
    scores : array_like, (images,)
        NaN marks a missing value; such images are dropped and counted.
    labels : array_like of bool or 0/1, (images,)
        True for the class that high scores should find.

    Returns
    -------
    Auc
        Ties count half. The interval is estimate +- z SE, cut to [0, 1]; it is None where a
        class has fewer than two images. `estimate` is None where a class is empty.

    Raises
    ------
    ValueError
        If lengths differ, scores are infinite or not numeric, or labels are not boolean.

    Notes
    -----
    DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44, by mid-ranks as in Sun and Xu
    (2014), IEEE Signal Processing Letters 21: cost O(n log n).

    Examples
    --------
    >>> result = auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    >>> result.estimate, round(result.standard_error, 4)
    (0.75, 0.3536)
    """
    values, positive, n_missing = _present(scores, labels, "scores", "labels")
    confidence_level = checks.level(confidence_level)
    a, b = values[positive], values[~positive]
    estimate = standard_error = None
    interval: Interval | None = None
    warnings: list[str] = []
    if a.size == 0 or b.size == 0:
        empty = "positive" if a.size == 0 else "negative"
        warnings.append(f"The area is not defined: there is no {empty} image.")
    else:
        ranks = stats.rankdata(np.concatenate([a, b]))
        # The share of the other class below each image: DeLong's structural components.
        above_negatives = (ranks[: a.size] - stats.rankdata(a)) / b.size
        above_positives = (ranks[a.size :] - stats.rankdata(b)) / a.size
        estimate = float(above_negatives.mean())
        if min(a.size, b.size) < 2:
            warnings.append("The interval is not defined: a class has a single image.")
        else:
            standard_error = float(
                np.sqrt(above_negatives.var(ddof=1) / a.size + above_positives.var(ddof=1) / b.size)
            )
            margin = float(stats.norm.ppf((1 + confidence_level) / 2)) * standard_error
            interval = (max(0.0, estimate - margin), min(1.0, estimate + margin))
            if standard_error == 0:
                warnings.append(
                    f"{'All scores are tied' if estimate == 0.5 else 'The classes do not overlap'}"
                    ", so the interval has no width; it understates the uncertainty."
                )
    return Auc(
        method="Area under the ROC curve, ties half; DeLong's interval",
        estimate=estimate,
        interval=interval,
        confidence_level=confidence_level,
        standard_error=standard_error,
        n_positive=a.size,
        n_negative=b.size,
        n_missing=n_missing,
        warnings=tuple(warnings),
    )


def _present(
    values: ArrayLike, members: ArrayLike, values_name: str, members_name: str
) -> tuple[FloatArray, np.ndarray, int]:
    vector = checks.numeric_vector(values, values_name)
    inside = checks.membership(members, members_name)
    checks.same_length(**{values_name: vector, members_name: inside})
    present = ~np.isnan(vector)
    return vector[present], inside[present], int(np.sum(~present))


def _cliff_interval(dominance: FloatArray, confidence_level: float) -> Interval | None:
    """Cliff's asymmetric interval from the matrix of signs, (in group, outside)."""
    n1, n0 = dominance.shape
    delta = dominance.mean()
    if min(n1, n0) < 2 or abs(delta) == 1:
        return None
    rows = np.sum((dominance.mean(axis=1) - delta) ** 2)
    cols = np.sum((dominance.mean(axis=0) - delta) ** 2)
    cells = np.sum((dominance - delta) ** 2)
    variance = (n0**2 * rows + n1**2 * cols - cells) / (n1 * n0 * (n1 - 1) * (n0 - 1))
    if variance <= 0:
        return None
    z = stats.t.ppf((1 + confidence_level) / 2, n1 + n0 - 2)
    half = z * np.sqrt(variance * ((1 - delta**2) ** 2 + z**2 * variance))
    centre, scale = delta - delta**3, 1 - delta**2 + z**2 * variance
    return float((centre - half) / scale), float((centre + half) / scale)
