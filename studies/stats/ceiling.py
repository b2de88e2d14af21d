"""How high a correlation with image means can be: split halves, and correction for attenuation."""

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import expit, logit

from . import checks
from .association import Ranked, rank_association, spearman_of_counts, weighted_correlation
from .checks import FloatArray
from .resampling import StatisticOfCounts, bca_interval, bootstrap, percentile_interval
from .results import Interval, Result

# Elements of one block of draws by splits.
BLOCK_ELEMENTS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class SplitHalf(Result):
    """Spearman-Brown reliability of image means; `estimate` is None where it is not defined.

    `estimate` is the mean over splits of 2 r / (1 + r), `correlation` the mean of r itself.
    `interval` is over images, `split_range` the central 95% of the values of single splits: how
    much hangs on which half a rater falls into.
    """

    estimate: float | None
    interval: Interval | None
    confidence_level: float
    correlation: float | None
    split_range: Interval | None
    n_splits: int
    all_splits: bool
    n_images: int
    n_raters: int
    n_ratings: int
    n_missing: int
    n_bootstrap: int
    seed: int


def split_half(
    frame: pd.DataFrame,
    rating: str = "rating",
    rater: str = "rater",
    image: str = "image",
    n_splits: int = 1000,
    n_bootstrap: int = 1999,
    seed: int = 0,
    confidence_level: float = 0.95,
) -> SplitHalf:
    """Split-half reliability of image means, stepped up to all ratings by Spearman-Brown.

    Parameters
    ----------
    frame : DataFrame
        One row per rating; rows with a missing value are dropped and counted.
    n_splits : int
        Where every rater rated every image, raters are split, in all ways if these are at most
        `n_splits`, else at random. In an incomplete design each image's own ratings are split at
        random; images with a single rating are left out.
    n_bootstrap : int
        Draws of images for the interval; 0 leaves it out.
    seed : int
        Splits and bootstrap use two independent streams of it.

    Returns
    -------
    SplitHalf
        With a BCa bootstrap interval over images. Not defined with fewer than two raters, three
        images, or ratings that do not vary; `warnings` say why.

    Raises
    ------
    ValueError
        If a column is missing, ratings are not finite numbers, a rater rated an image twice, or
        `n_splits` is 0.

    Notes
    -----
    Spearman (1910) and Brown (1910), British Journal of Psychology 3. With an odd number of
    ratings the halves differ by one, and the formula is slightly low. Cost O(splits * (ratings +
    draws * images)).

    Examples
    --------
    >>> table = [[1, 2, 1, 3], [4, 4, 5, 3], [2, 3, 2, 2], [5, 6, 7, 6]]
    >>> frame = pd.DataFrame(table).rename_axis("image").reset_index().melt(
    ...     "image", var_name="rater", value_name="rating")
    >>> result = split_half(frame, n_bootstrap=0)
    >>> result.n_splits, result.all_splits, round(result.estimate, 3)
    (3, True, 0.974)
    """
    checks.columns(frame, [rating, rater, image])
    if checks.draws(n_splits, "n_splits") == 0:
        raise ValueError("n_splits must be a positive whole number; got 0")
    n_bootstrap = checks.draws(n_bootstrap, "n_bootstrap")
    confidence_level = checks.level(confidence_level)
    used = frame[[rating, rater, image]].dropna().set_axis(["rating", "rater", "image"], axis=1)
    used = used.assign(rating=checks.numeric_vector(used["rating"], rating))
    repeated = int(used.duplicated(["rater", "image"]).sum())
    if repeated:
        raise ValueError(
            f"frame must have one rating per {rater} and {image}; got {repeated} repeated pairs"
        )
    n_raters = used["rater"].nunique()
    n_missing = len(frame) - len(used)
    complete = len(used) == n_raters * used["image"].nunique()
    warnings: tuple[str, ...] = ()
    given = used["image"].map(used["image"].value_counts())
    if (given < 2).any() and n_raters > 1:
        warnings = (f"{int((given < 2).sum())} images with a single rating are left out.",)
    used = used[given >= 2]
    n_images = used["image"].nunique()
    split_stream, bootstrap_stream = np.random.default_rng(seed).spawn(2)
    common: dict[str, Any] = {
        "method": "Split-half correlation of image means, mean over splits after Spearman-Brown; "
        "BCa bootstrap interval over images",
        "confidence_level": confidence_level,
        "n_images": n_images,
        "n_raters": n_raters,
        "n_ratings": len(used),
        "n_missing": n_missing,
        "n_bootstrap": n_bootstrap,
        "seed": int(seed),
    }
    problem = None
    if n_images < 3:
        problem = f"it needs three images with two ratings each; there are {n_images}"
    elif used["rating"].nunique() < 2:
        problem = "all ratings are equal"
    exhaustive = False
    if problem is None:
        if complete:
            table = used.pivot(index="rater", columns="image", values="rating").to_numpy(float)
            halves, exhaustive = _split_raters(table, n_splits, split_stream)
        else:
            halves = _split_ratings(used, n_splits, split_stream)
        correlations = _correlations(*halves)(np.ones((1, n_images)))[0]
        stepped_up = _spearman_brown(correlations)
        defined = stepped_up[np.isfinite(stepped_up)]
        if defined.size == 0:
            problem = "the image means of a half do not vary"
    if problem:
        return SplitHalf(
            estimate=None,
            interval=None,
            correlation=None,
            split_range=None,
            n_splits=0,
            all_splits=False,
            warnings=(*warnings, f"The coefficient is not defined: {problem}."),
            **common,
        )
    estimate = float(defined.mean())
    if defined.size < stepped_up.size:
        warnings += (
            f"The coefficient was undefined in {stepped_up.size - defined.size} of "
            f"{stepped_up.size} splits; they were left out.",
        )
    if estimate < 0:
        warnings += ("The coefficient is negative: halves agree less than by chance.",)
    interval, said = bca_interval(
        _mean_spearman_brown(*halves),
        estimate,
        n_images,
        n_bootstrap,
        bootstrap_stream,
        confidence_level,
    )
    return SplitHalf(
        estimate=estimate,
        interval=interval,
        correlation=float(correlations[np.isfinite(stepped_up)].mean()),
        split_range=percentile_interval(defined, 0.95),
        n_splits=stepped_up.size,
        all_splits=exhaustive,
        warnings=warnings + said,
        **common,
    )


def _split_raters(
    table: FloatArray, n_splits: int, rng: np.random.Generator
) -> tuple[tuple[FloatArray, FloatArray], bool]:
    """Image means of both halves of raters, each (splits, images), and whether these are all."""
    n_raters = len(table)
    half = n_raters // 2
    # With equal halves the first rater stays on one side, so that no split comes twice.
    pinned = n_raters % 2 == 0
    n_distinct = comb(n_raters - 1, half - 1) if pinned else comb(n_raters, half)
    if n_distinct <= n_splits:
        members = (
            [(0, *rest) for rest in combinations(range(1, n_raters), half - 1)]
            if pinned
            else list(combinations(range(n_raters), half))
        )
    else:
        members = [tuple(rng.permutation(n_raters)[:half]) for _ in range(n_splits)]
    first = np.zeros((len(members), n_raters))
    np.put_along_axis(first, np.array(members), 1, axis=1)
    centred = table - table.mean()
    halves = first @ centred / half, (1 - first) @ centred / (n_raters - half)
    return halves, n_distinct <= n_splits


def _split_ratings(
    used: pd.DataFrame, n_splits: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Image means of random halves of each image's ratings, each (splits, images)."""
    codes, images = pd.factorize(used["image"])
    n_images = len(images)
    values = used["rating"].to_numpy() - used["rating"].mean()
    values = values[np.argsort(codes, kind="stable")]
    sizes = np.bincount(codes, minlength=n_images)
    starts = np.cumsum(sizes) - sizes
    by_image = np.repeat(np.arange(n_images), sizes)
    place = np.arange(codes.size) - starts[by_image]
    first, second = np.empty((2, n_splits, n_images))
    for split in range(n_splits):
        # Sorted by image, and at random within.
        order = np.argsort(by_image + rng.random(codes.size))
        # Which half an odd rating falls into is drawn too.
        in_first = (place + rng.integers(2, size=n_images)[by_image]) % 2 == 0
        for half, chosen in ((first, in_first), (second, ~in_first)):
            totals = np.bincount(by_image[chosen], values[order][chosen], n_images)
            half[split] = totals / np.bincount(by_image[chosen], minlength=n_images)
    return first, second


def _correlations(first: FloatArray, second: FloatArray) -> StatisticOfCounts:
    """Correlations of both halves in samples of images given by counts, (draws, splits)."""
    products = (first.T, second.T, (first**2).T, (second**2).T, (first * second).T)

    def statistic(counts: FloatArray) -> FloatArray:
        n = counts.sum(axis=1, keepdims=True)
        a, b, aa, bb, ab = (counts @ product / n for product in products)
        spread_a, spread_b = aa - a**2, bb - b**2
        defined = (spread_a > 1e-12 * aa) & (spread_b > 1e-12 * bb)
        result = np.full(a.shape, np.nan)
        scale = np.sqrt(np.where(defined, spread_a * spread_b, 1))
        np.divide(ab - a * b, scale, out=result, where=defined)
        return np.clip(result, -1, 1)

    return statistic


def _spearman_brown(correlations: FloatArray) -> FloatArray:
    possible = correlations > -1 + 1e-12
    safe = np.where(possible, correlations, 0.0)
    return np.where(possible, 2 * safe / (1 + safe), np.nan)


def _mean_spearman_brown(first: FloatArray, second: FloatArray) -> StatisticOfCounts:
    """The mean over splits in each sample of images, (draws,)."""

    def statistic(counts: FloatArray) -> FloatArray:
        size = max(1, BLOCK_ELEMENTS // len(counts))
        total, number = np.zeros((2, len(counts)))
        for start in range(0, len(first), size):
            part = slice(start, start + size)
            values = _spearman_brown(_correlations(first[part], second[part])(counts))
            total += np.nansum(values, axis=1)
            number += np.isfinite(values).sum(axis=1)
        return np.where(number > 0, total / np.maximum(number, 1), np.nan)

    return statistic


@dataclass(frozen=True, kw_only=True)
class Disattenuated(Result):
    """A correlation with what ratings measure; `estimate` is None where it is not defined.

    `estimate` = `correlation` / sqrt(`reliability`). It is not cut at 1: `above_one` says that
    the estimate, `interval_above_one` that its interval, goes beyond.
    """

    coefficient: str
    estimate: float | None
    interval: Interval | None
    confidence_level: float
    correlation: float | None
    reliability: float
    above_one: bool
    interval_above_one: bool
    n: int
    n_missing: int
    n_bootstrap: int
    seed: int


def disattenuated(
    x: ArrayLike,
    y: ArrayLike,
    reliability: float,
    reliability_interval: Interval | None = None,
    method: str = "spearman",
    n_bootstrap: int = 9999,
    seed: int = 0,
    confidence_level: float = 0.95,
) -> Disattenuated:
    """Correlation of x with y, corrected for the unreliability of y.

    Parameters
    ----------
    x, y : array_like, (images,)
        A predictor without error, and image means. Pairs with NaN are dropped and counted.
    reliability : float
        Of `y`, in (0, 1]: for image means ICC(2,k), ICC(A,k) or a split-half coefficient.
    reliability_interval : (float, float), optional
        Interval of the reliability at `confidence_level`: the interval then counts its
        uncertainty too.
    method : {"spearman", "pearson"}
    n_bootstrap : int
        Draws of images for the interval; 0 leaves it out.

    Returns
    -------
    Disattenuated
        With a known reliability the BCa bootstrap interval of the correlation over images,
        divided by the root of the reliability; else the percentile interval of bootstrapped
        correlations over the roots of reliabilities drawn from a normal distribution on the
        logit scale. An estimate or interval above 1 is flagged.

    Raises
    ------
    ValueError
        If the reliability is not in (0, 1], its interval does not hold it, or x and y differ in
        length or are not finite numbers.

    Notes
    -----
    Spearman (1904), American Journal of Psychology 15. For ranks the correction is an
    approximation.

    Examples
    --------
    >>> result = disattenuated([1, 2, 3, 4, 5], [2, 1, 4, 3, 5], 0.8, n_bootstrap=0)
    >>> round(result.correlation, 3), round(result.estimate, 3)
    (0.8, 0.894)
    """
    checks.one_of(method, ("spearman", "pearson"), "method")
    first, second = checks.numeric_vector(x, "x"), checks.numeric_vector(y, "y")
    checks.same_length(x=first, y=second)
    n_bootstrap = checks.draws(n_bootstrap, "n_bootstrap")
    confidence_level = checks.level(confidence_level)
    if not 0 < reliability <= 1:
        raise ValueError(f"reliability must be in (0, 1]; got {reliability!r}")
    if reliability_interval is not None:
        low, high = reliability_interval
        if not 0 < low <= reliability <= high <= 1:
            raise ValueError(
                "reliability_interval must lie in (0, 1] and hold the reliability; got "
                f"{reliability_interval!r}"
            )
    present = ~(np.isnan(first) | np.isnan(second))
    first, second = first[present], second[present]
    raw = rank_association(first, second, n_permutations=0, n_bootstrap=0)
    correlation: float | None = None
    estimate: float | None = None
    interval: Interval | None = None
    warnings: tuple[str, ...] = ()
    if raw.estimate is None:
        warnings = raw.warnings
    else:
        if method == "spearman":
            statistic = spearman_of_counts(Ranked(first), Ranked(second))
        else:
            statistic = _pearson_of_counts(first, second)
        correlation = float(statistic(np.ones((1, first.size)))[0])
        estimate = correlation / float(np.sqrt(reliability))
        rng = np.random.default_rng(seed)
        if reliability_interval is None:
            limits, said = bca_interval(
                statistic, correlation, first.size, n_bootstrap, rng, confidence_level
            )
            warnings += (*said, "The interval takes the reliability as known.")
            if limits is not None:
                root = float(np.sqrt(reliability))
                interval = limits[0] / root, limits[1] / root
        elif n_bootstrap:
            drawn = bootstrap(statistic, first.size, n_bootstrap, rng)
            roots = np.sqrt(
                _drawn_reliability(
                    reliability, reliability_interval, confidence_level, n_bootstrap, rng
                )
            )
            interval = percentile_interval(drawn / roots, confidence_level)
    above = estimate is not None and abs(estimate) > 1
    interval_above = interval is not None and max(abs(limit) for limit in interval) > 1
    if above:
        warnings += (
            "The corrected correlation is above 1: the reliability is too low for the observed "
            "correlation, by chance or because its assumptions fail.",
        )
    elif interval_above:
        warnings += ("The interval of the corrected correlation reaches above 1.",)
    return Disattenuated(
        method=f"{method.capitalize()} correlation corrected for attenuation in y",
        coefficient=method,
        estimate=estimate,
        interval=interval,
        confidence_level=confidence_level,
        correlation=correlation,
        reliability=float(reliability),
        above_one=above,
        interval_above_one=interval_above,
        n=int(first.size),
        n_missing=int(np.sum(~present)),
        n_bootstrap=n_bootstrap,
        seed=int(seed),
        warnings=warnings,
    )


def _pearson_of_counts(x: FloatArray, y: FloatArray) -> StatisticOfCounts:
    def statistic(counts: FloatArray) -> FloatArray:
        n = counts.sum(axis=1, keepdims=True)
        centred = (values - counts @ values[:, None] / n for values in (x, y))
        return weighted_correlation(counts, *centred)

    return statistic


def _drawn_reliability(
    reliability: float,
    interval: Interval,
    confidence_level: float,
    n_draws: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Draws around the reliability, normal on the logit scale with the interval's width."""
    low, high = logit(np.clip(interval, 1e-9, 1 - 1e-9))
    spread = (high - low) / (2 * stats.norm.ppf((1 + confidence_level) / 2))
    centre = logit(min(reliability, 1 - 1e-9))
    return np.asarray(expit(centre + spread * rng.standard_normal(n_draws)))
