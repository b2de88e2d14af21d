"""Ordered groups: the Jonckheere-Terpstra and Page tests."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from . import checks
from .checks import FloatArray
from .results import Interval, Result


@dataclass(frozen=True, kw_only=True)
class OrderedTrend(Result):
    """Whether `y` rises with the order of groups; `estimate` is None where not defined.

    Jonckheere: `estimate` is the chance that of two images from different groups the one in the
    higher group is rated higher, ties half (0.5 without a trend). Page: the mean over blocks of
    the rank correlation with the order (0 without a trend). `statistic` is J or L, with its
    `expected` value and `variance` under the null; `p` is two-sided, `p_increasing` one-sided.
    """

    test: str
    estimate: float | None
    interval: Interval | None
    confidence_level: float
    statistic: float | None
    expected: float | None
    variance: float | None
    z: float | None
    p: float | None
    p_increasing: float | None
    n: int
    n_groups: int
    n_blocks: int | None
    n_missing: int


def ordered_trend(
    y: ArrayLike,
    group: ArrayLike,
    block: ArrayLike | None = None,
    confidence_level: float = 0.95,
) -> OrderedTrend:
    """Test a trend over ordered groups: Jonckheere-Terpstra, or Page within blocks.

    Parameters
    ----------
    y : array_like, (values,)
        NaN marks a missing value; such rows are dropped and counted.
    group : array_like, (values,)
        Numbers that order the groups.
    block : array_like, optional
        For example the rater of each value: then the values of each block and group are averaged
        and Page's test is used on the blocks that have every group.

    Returns
    -------
    OrderedTrend
        Normal approximations: Jonckheere's with correction for ties (equal to the test of
        Kendall's S between group and y), Page's without.

    Raises
    ------
    ValueError
        If lengths differ, or values are infinite or not numbers.

    Notes
    -----
    Hollander, Wolfe and Chicken (2014), Nonparametric Statistical Methods, 3rd edition, sections
    6.2 and 7.2. The interval of Jonckheere's estimate uses the projection of J on single values,
    which for two groups is DeLong's; that of Page's a t interval over blocks.

    Examples
    --------
    >>> result = ordered_trend([1, 3, 2, 4, 6, 5, 7], [1, 1, 2, 2, 3, 3, 3])
    >>> result.statistic, round(result.p, 4)
    (15.0, 0.0244)
    """
    values = checks.numeric_vector(y, "y")
    groups = checks.numeric_vector(group, "group")
    checks.same_length(y=values, group=groups)
    confidence_level = checks.level(confidence_level)
    present = ~(np.isnan(values) | np.isnan(groups))
    if block is None:
        return _jonckheere(
            values[present], groups[present], int(np.sum(~present)), confidence_level
        )
    blocks = np.asarray(block)
    checks.same_length(y=values, block=blocks)
    present &= ~pd.isna(blocks)
    table = (
        pd.DataFrame({"y": values, "group": groups, "block": blocks})[present]
        .pivot_table(index="block", columns="group", values="y", aggfunc="mean")
        .dropna()
        .to_numpy(float)
    )
    return _page(table, int(present.sum()), int(np.sum(~present)), confidence_level)


def _jonckheere(
    values: FloatArray, groups: FloatArray, n_missing: int, confidence_level: float
) -> OrderedTrend:
    levels, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    n = values.size
    method = (
        "Jonckheere-Terpstra test by the normal approximation, corrected for ties; J over its "
        "maximum, with the interval of its projection"
    )
    if levels.size < 2 or np.unique(values).size < 2:
        reason = "there are fewer than two groups" if levels.size < 2 else "all values are equal"
        return OrderedTrend(
            method=method,
            test="jonckheere",
            estimate=None,
            interval=None,
            confidence_level=confidence_level,
            statistic=None,
            expected=None,
            variance=None,
            z=None,
            p=None,
            p_increasing=None,
            n=n,
            n_groups=levels.size,
            n_blocks=None,
            n_missing=n_missing,
            warnings=(f"The trend is not defined: {reason}.",),
        )
    order = np.sign(np.subtract.outer(codes, codes))
    concordance = order * np.sign(np.subtract.outer(values, values))
    n_pairs = (n**2 - np.sum(sizes**2)) / 2
    statistic = float(n_pairs / 2 + concordance.sum() / 4)
    expected = float(n_pairs / 2)
    variance = _variance_of_kendalls_s(sizes, np.unique(values, return_counts=True)[1]) / 4
    z = (statistic - expected) / np.sqrt(variance)
    estimate = statistic / n_pairs
    interval = None
    warnings: tuple[str, ...] = ()
    if sizes.min() < 2:
        warnings = ("The interval is not defined: a group has a single value.",)
    else:
        # What each value adds to J over all pairs with other groups.
        shares = (concordance.sum(axis=1) + np.abs(order).sum(axis=1)) / 2
        error = 0.0
        for place, size in enumerate(sizes):
            error += size * float(shares[codes == place].var(ddof=1))
        margin = float(stats.norm.ppf((1 + confidence_level) / 2)) * np.sqrt(error) / n_pairs
        interval = (max(0.0, float(estimate - margin)), min(1.0, float(estimate + margin)))
    return OrderedTrend(
        method=method,
        test="jonckheere",
        estimate=float(estimate),
        interval=interval,
        confidence_level=confidence_level,
        statistic=statistic,
        expected=expected,
        variance=variance,
        z=float(z),
        p=float(2 * stats.norm.sf(abs(z))),
        p_increasing=float(stats.norm.sf(z)),
        n=n,
        n_groups=levels.size,
        n_blocks=None,
        n_missing=n_missing,
        warnings=warnings,
    )


def _variance_of_kendalls_s(first_ties: np.ndarray, second_ties: np.ndarray) -> float:
    """Null variance of Kendall's S given the tie counts of both variables (Kendall 1970, 4.4)."""
    n = float(first_ties.sum())
    t, u = first_ties.astype(float), second_ties.astype(float)

    def cubic(m: FloatArray | float) -> FloatArray | float:
        return m * (m - 1) * (2 * m + 5)

    variance = (cubic(n) - np.sum(cubic(t)) - np.sum(cubic(u))) / 18
    variance += np.sum(t * (t - 1)) * np.sum(u * (u - 1)) / (2 * n * (n - 1))
    if n > 2:
        variance += (
            np.sum(t * (t - 1) * (t - 2))
            * np.sum(u * (u - 1) * (u - 2))
            / (9 * n * (n - 1) * (n - 2))
        )
    return float(variance)


def _page(table: FloatArray, n: int, n_missing: int, confidence_level: float) -> OrderedTrend:
    n_blocks, k = table.shape
    method = (
        "Page's test by the normal approximation; mean rank correlation with the order over "
        "blocks, t interval"
    )
    problem = None
    if n_blocks < 2:
        problem = f"{n_blocks} blocks have every group, and two are needed."
    elif k < 2:
        problem = "there are fewer than two groups."
    if problem:
        return OrderedTrend(
            method=method,
            test="page",
            estimate=None,
            interval=None,
            confidence_level=confidence_level,
            statistic=None,
            expected=None,
            variance=None,
            z=None,
            p=None,
            p_increasing=None,
            n=n,
            n_groups=k,
            n_blocks=n_blocks,
            n_missing=n_missing,
            warnings=(f"The trend is not defined: {problem}",),
        )
    per_block = stats.rankdata(table, axis=1) @ np.arange(1.0, k + 1)
    statistic = float(per_block.sum())
    expected = n_blocks * k * (k + 1) ** 2 / 4
    variance = n_blocks * k**2 * (k + 1) ** 2 * (k - 1) / 144
    z = (statistic - expected) / np.sqrt(variance)
    correlations = (per_block - k * (k + 1) ** 2 / 4) / (k * (k**2 - 1) / 12)
    estimate = float(correlations.mean())
    margin = float(
        stats.t.ppf((1 + confidence_level) / 2, n_blocks - 1)
        * correlations.std(ddof=1)
        / np.sqrt(n_blocks)
    )
    return OrderedTrend(
        method=method,
        test="page",
        estimate=estimate,
        interval=(max(-1.0, estimate - margin), min(1.0, estimate + margin)),
        confidence_level=confidence_level,
        statistic=statistic,
        expected=float(expected),
        variance=float(variance),
        z=float(z),
        p=float(2 * stats.norm.sf(abs(z))),
        p_increasing=float(stats.norm.sf(z)),
        n=n,
        n_groups=k,
        n_blocks=n_blocks,
        n_missing=n_missing,
    )
