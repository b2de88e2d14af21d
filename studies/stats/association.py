"""Rank association over images: Spearman, Kendall's tau-b, partial Spearman."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from . import checks
from .checks import FloatArray
from .resampling import StatisticOfCounts, bca_interval, block_sizes
from .results import Interval, Result

METHODS = {
    "spearman": "Spearman's rho on mid-ranks, p from t(n - 2)",
    "kendall": "Kendall's tau-b, corrected for ties, p from the normal approximation",
    "partial_spearman": "Partial Spearman: Pearson correlation of the residuals of mid-ranks, "
    "p from t(n - 3)",
}
MIN_IMAGES = 3
ROUGH_BELOW = 20


@dataclass(frozen=True, kw_only=True)
class RankAssociation(Result):
    """A rank correlation over images; `estimate` is None where it is not defined.

    `p` is two-sided and asymptotic; `p_permutation` is two-sided, (b + 1) / (m + 1) over
    `n_permutations` = m random permutations. `n` counts the images used, `n_missing` the
    pairs dropped for a missing value.
    """

    coefficient: str
    estimate: float | None
    interval: Interval | None
    confidence_level: float
    p: float | None
    p_permutation: float | None
    n: int
    n_missing: int
    n_permutations: int
    n_bootstrap: int
    seed: int


class Ranked:
    """A variable's dense ranks, and its mid-ranks in any sample given by counts."""

    def __init__(self, values: FloatArray) -> None:
        _, self.codes, self.totals = np.unique(values, return_inverse=True, return_counts=True)
        self.order = np.argsort(self.codes, kind="stable")
        self.starts = np.concatenate([[0], np.cumsum(self.totals)[:-1]])

    @property
    def constant(self) -> bool:
        return self.totals.size < 2

    def group_counts(self, counts: FloatArray) -> FloatArray:
        """How often each distinct value occurs in each sample, (draws, distinct)."""
        ordered = counts[:, self.order]
        if self.totals.size == ordered.shape[1]:
            return ordered
        return np.add.reduceat(ordered, self.starts, axis=1)

    def centred_mid_ranks(self, counts: FloatArray) -> FloatArray:
        """Mid-ranks minus their mean, (draws, n); rows of `counts` sum to one n."""
        totals = self.group_counts(counts)
        ranks = np.cumsum(totals, axis=1)
        ranks -= totals / 2
        ranks -= counts[:1].sum() / 2
        return ranks[:, self.codes]


def rank_association(
    x: ArrayLike,
    y: ArrayLike,
    method: str = "spearman",
    n_permutations: int = 9999,
    n_bootstrap: int = 9999,
    seed: int = 0,
    confidence_level: float = 0.95,
    names: tuple[str, str] = ("x", "y"),
) -> RankAssociation:
    """Rank correlation of two variables over images.

    Parameters
    ----------
    x, y : array_like, (images,)
        NaN marks a missing value; such pairs are dropped and counted.
    method : {"spearman", "kendall"}
    n_permutations, n_bootstrap : int
        Random draws; 0 leaves out the permutation p or the interval.
    seed : int
        The permutations and the bootstrap use two independent streams of it.
    names : (str, str)
        What x and y are called in warnings.

    Returns
    -------
    RankAssociation
        With a BCa bootstrap interval over images. A coefficient that is not defined (constant
        input, fewer than 3 images) has `estimate` None and a warning that says why.

    Raises
    ------
    ValueError
        If lengths differ, a value is infinite or not a number, or the method is unknown.

    Notes
    -----
    Cost is O(draws * n) for Spearman; for Kendall O(draws * n^2) in matrix products plus
    O(draws * n log n) for the permutations. Draws are made in blocks; Kendall's bootstrap also
    holds a few n x n matrices.

    Sources: Kendall (1970), Rank Correlation Methods, for tau-b and its tie-corrected variance;
    Efron and Tibshirani (1993), chapter 14; Phipson and Smyth (2010) for the added one.

    Examples
    --------
    >>> result = rank_association([1, 2, 3, 4, 5], [2, 1, 4, 3, 5], n_permutations=999)
    >>> round(result.estimate, 3), round(result.p, 3), result.n
    (0.8, 0.104, 5)
    >>> rank_association([1, 1, 1], [1, 2, 3]).estimate is None
    True
    """
    checks.one_of(method, ("spearman", "kendall"), "method")
    vectors = {"x": checks.numeric_vector(x, "x"), "y": checks.numeric_vector(y, "y")}
    return _associate(method, vectors, n_permutations, n_bootstrap, seed, confidence_level, names)


def partial_rank_association(
    x: ArrayLike,
    y: ArrayLike,
    given: ArrayLike,
    n_permutations: int = 9999,
    n_bootstrap: int = 9999,
    seed: int = 0,
    confidence_level: float = 0.95,
) -> RankAssociation:
    """Partial Spearman correlation of x and y given a third variable, over images.

    The Pearson correlation of what is left of the mid-ranks of `x` and `y` after a linear
    regression on the mid-ranks of `given`. The permutation p permutes those residuals of `x`.
    Arguments and result are otherwise as for `rank_association`.

    Examples
    --------
    >>> x, y, z = [1, 2, 3, 4, 5, 6], [1, 3, 2, 5, 4, 6], [2, 1, 4, 3, 6, 5]
    >>> round(partial_rank_association(x, y, z, 99, 99).estimate, 3)
    0.987
    """
    vectors = {
        "x": checks.numeric_vector(x, "x"),
        "y": checks.numeric_vector(y, "y"),
        "given": checks.numeric_vector(given, "given"),
    }
    return _associate(
        "partial_spearman",
        vectors,
        n_permutations,
        n_bootstrap,
        seed,
        confidence_level,
        ("x", "y", "given"),
    )


def _associate(
    coefficient: str,
    vectors: dict[str, FloatArray],
    n_permutations: int,
    n_bootstrap: int,
    seed: int,
    confidence_level: float,
    names: Sequence[str],
) -> RankAssociation:
    checks.same_length(**vectors)
    n_permutations = checks.draws(n_permutations, "n_permutations")
    n_bootstrap = checks.draws(n_bootstrap, "n_bootstrap")
    confidence_level = checks.level(confidence_level)
    present = ~np.any([np.isnan(vector) for vector in vectors.values()], axis=0)
    n = int(present.sum())
    common: dict[str, Any] = {
        "coefficient": coefficient,
        "confidence_level": confidence_level,
        "n": n,
        "n_missing": int(present.size - n),
        "n_permutations": n_permutations,
        "n_bootstrap": n_bootstrap,
        "seed": int(seed),
        "method": METHODS[coefficient]
        + "; BCa bootstrap interval over images; two-sided permutation p = (b + 1) / (m + 1)",
    }
    variables = {name: Ranked(vector[present]) for name, vector in vectors.items()}
    n_controlled = len(vectors) - 2
    problem = _why_undefined(variables.values(), names, n, MIN_IMAGES + n_controlled)
    statistic = _statistic(coefficient, variables)
    estimate = float("nan") if problem else float(statistic(np.ones((1, n)))[0])
    if problem is None and np.isnan(estimate):
        problem = (
            "x or y is a monotone copy of the given variable, so nothing is left to correlate."
        )
    if problem:
        return RankAssociation(
            estimate=None,
            interval=None,
            p=None,
            p_permutation=None,
            warnings=(f"The coefficient is not defined: {problem}",),
            **common,
        )
    bootstrap_stream, permutation_stream = (
        np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(2)
    )
    interval, warnings = bca_interval(
        statistic, estimate, n, n_bootstrap, bootstrap_stream, confidence_level
    )
    if n < ROUGH_BELOW:
        warnings += (f"Only {n} images: the interval and the asymptotic p are rough.",)
    if coefficient == "kendall":
        p = float(
            stats.kendalltau(variables["x"].codes, variables["y"].codes, method="asymptotic").pvalue
        )
    else:
        p = _p_from_t(estimate, n - 2 - n_controlled)
    return RankAssociation(
        estimate=estimate,
        interval=interval,
        p=p,
        p_permutation=_permutation_p(coefficient, variables, n_permutations, permutation_stream),
        warnings=warnings,
        **common,
    )


def _why_undefined(
    variables: Iterable[Ranked], names: Sequence[str], n: int, min_images: int
) -> str | None:
    if n < min_images:
        return f"{n} images with all values, and at least {min_images} are needed."
    constant = [name for name, each in zip(names, variables, strict=True) if each.constant]
    if constant:
        return f"{' and '.join(constant)} takes a single value in all {n} images."
    return None


def _statistic(coefficient: str, variables: dict[str, Ranked]) -> StatisticOfCounts:
    if coefficient != "partial_spearman":
        return rank_statistic(coefficient, variables["x"], variables["y"])
    return _partial_of_counts(variables["x"], variables["y"], variables["given"])


def rank_statistic(coefficient: str, x: Ranked, y: Ranked) -> StatisticOfCounts:
    """Spearman's or Kendall's coefficient in samples of images given by counts."""
    return _kendall_of_counts(x, y) if coefficient == "kendall" else spearman_of_counts(x, y)


def spearman_of_counts(x: Ranked, y: Ranked) -> StatisticOfCounts:
    def statistic(counts: FloatArray) -> FloatArray:
        return weighted_correlation(
            counts, x.centred_mid_ranks(counts), y.centred_mid_ranks(counts)
        )

    return statistic


def _partial_of_counts(x: Ranked, y: Ranked, given: Ranked) -> StatisticOfCounts:
    def statistic(counts: FloatArray) -> FloatArray:
        a, b, c = (variable.centred_mid_ranks(counts) for variable in (x, y, given))
        ab, ac, bc = (weighted_correlation(counts, *pair) for pair in ((a, b), (a, c), (b, c)))
        left_over = (1 - ac**2) * (1 - bc**2)
        # Below rounding error the residuals are noise, not a correlation.
        return _ratio(ab - ac * bc, np.sqrt(np.maximum(left_over, 0)), smallest=1e-7)

    return statistic


def _kendall_of_counts(x: Ranked, y: Ranked) -> StatisticOfCounts:
    agreement = np.sign(np.subtract.outer(x.codes, x.codes)) * np.sign(
        np.subtract.outer(y.codes, y.codes)
    )
    # Sums of counts with signs are exact in single precision, which multiplies twice as fast.
    agreement = agreement.astype(np.float32)

    def statistic(counts: FloatArray) -> FloatArray:
        scores = np.einsum("ij,ij->i", counts.astype(np.float32) @ agreement, counts)
        squared = counts[:1].sum() ** 2
        distinct = [
            squared - np.sum(variable.group_counts(counts) ** 2, axis=1) for variable in (x, y)
        ]
        return _ratio(scores, np.sqrt(distinct[0] * distinct[1]))

    return statistic


def weighted_correlation(weights: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    """Pearson correlation of rows that are already centred under the weights."""
    weighted = weights * a
    covariance = np.einsum("ij,ij->i", weighted, b)
    variance_a = np.einsum("ij,ij->i", weighted, a)
    variance_b = np.einsum("ij,ij,ij->i", weights, b, b)
    return _ratio(covariance, np.sqrt(variance_a) * np.sqrt(variance_b))


def _ratio(above: FloatArray, below: FloatArray, smallest: float = 0.0) -> FloatArray:
    result = np.full(above.shape, np.nan)
    np.divide(above, below, out=result, where=below > smallest)
    return np.clip(result, -1, 1)


def _p_from_t(correlation: float, freedom: int) -> float:
    if abs(correlation) >= 1:
        return 0.0
    t = correlation * np.sqrt(freedom / (1 - correlation**2))
    return float(2 * stats.t.sf(abs(t), freedom))


def _permutation_p(
    coefficient: str,
    variables: dict[str, Ranked],
    n_permutations: int,
    rng: np.random.Generator,
) -> float | None:
    if n_permutations == 0:
        return None
    if coefficient == "kendall":
        statistic, permuted = _kendall_permutations(
            variables["x"], variables["y"], n_permutations, rng
        )
    else:
        a, b = _residual_ranks(variables)
        statistic = float(a @ b)
        permuted = np.concatenate(
            [
                rng.permuted(np.broadcast_to(a, (size, a.size)), axis=1) @ b
                for size in block_sizes(n_permutations, a.size)
            ]
        )
    # Equal statistics may differ by rounding; they must count as equally extreme.
    as_extreme = np.abs(permuted) >= abs(statistic) * (1 - 1e-12)
    return float((as_extreme.sum() + 1) / (n_permutations + 1))


def _residual_ranks(variables: dict[str, Ranked]) -> tuple[FloatArray, FloatArray]:
    """Centred mid-ranks of x and y, less their regression on those of the given variable."""
    ones = np.ones((1, variables["x"].codes.size))
    ranks = {name: variable.centred_mid_ranks(ones)[0] for name, variable in variables.items()}
    x, y = ranks["x"], ranks["y"]
    if "given" in ranks:
        z = ranks["given"] / np.linalg.norm(ranks["given"])
        x, y = x - (x @ z) * z, y - (y @ z) * z
    return x, y


def _kendall_permutations(
    x: Ranked, y: Ranked, n_permutations: int, rng: np.random.Generator
) -> tuple[float, NDArray[np.int64]]:
    from ._kendall_numba import concordance

    group_starts = np.append(x.starts, x.codes.size)
    codes = y.codes[x.order].astype(np.int32)
    n_codes = y.totals.size
    observed = float(concordance(group_starts, codes[None, :], n_codes)[0])
    permuted = [
        concordance(
            group_starts, rng.permuted(np.broadcast_to(codes, (size, codes.size)), axis=1), n_codes
        )
        for size in block_sizes(n_permutations, codes.size)
    ]
    return observed, np.concatenate(permuted)
