"""p-values of scan scores from the scores of normal images.

The activations of one image depend strongly on one another, so the score of a scan has no
null distribution that could be written down. It is taken from normal held-out images instead:
images generated like those of the background, in neither the background nor the test.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

from scanning._validation import one_of, proportion, whole_number
from scanning.cluster import (
    Progress,
    PValueMatrix,
    fan_out,
    join_images,
    pvalue_matrix,
    scan_image_blocks,
    take_images,
)
from scanning.group import scan_group
from scanning.pvalues import RankedPvalues
from scanning.results import GroupScan, ImageScan
from scanning.statistics import STATISTICS

NULLS = ("held-out", "pooled")
# With fewer null scores no p-value could be as small as 0.05.
MIN_NULL_SCORES = 19
# A null of subsets of H held-out images is too narrow the larger their share of H is: measured,
# 27 %, 12 % and 8 % of normal groups had p <= 0.05 at shares of 1/2, 1/5 and 1/10.
MIN_GROUPS_HELD_OUT = 10
# Scores are sums in floating point; equal ones may differ in the last digits.
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class GroupCalibration:
    """How often groups of normal images score as high as the observed group.

    Attributes
    ----------
    score : float
        Of the observed group.
    pvalue : float
        (1 + n_exceeding) / (R + 1).
    interval : tuple of float
        Clopper–Pearson interval, at `confidence`, of the probability that a group drawn as
        the null groups were scores at least `score`.
    n_exceeding : int
        Null scores at or above `score`.
    null_scores : ndarray of float64, (R,)
        In the order drawn.
    null : {"held-out", "pooled"}
    group_size : int
        M, images in the observed and in every null group.
    n_held_out : int
        Normal images.
    confidence : float
    statistic : str
    alpha_max : float
    n_restarts : int
    max_images, max_nodes : int or None
    scan_seed : int
        Of the random starts, the same in every search.
    seed : int
        Of the draws of null groups.
    """

    score: float
    pvalue: float
    interval: tuple[float, float]
    n_exceeding: int
    null_scores: NDArray[np.float64]
    null: str
    group_size: int
    n_held_out: int
    confidence: float
    statistic: str
    alpha_max: float
    n_restarts: int
    max_images: int | None
    max_nodes: int | None
    scan_seed: int
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain numbers, strings and lists."""
        return {**vars(self), "interval": list(self.interval), **_lists(self, "null_scores")}


@dataclass(frozen=True, eq=False)
class ImageCalibration:
    """How often single normal images score as high as each of M images.

    Attributes
    ----------
    scores : ndarray of float64, (M,)
    pvalues : ndarray of float64, (M,)
        (1 + n_exceeding) / (H + 1).
    intervals : ndarray of float64, (M, 2)
        Clopper–Pearson interval of each, at `confidence`.
    n_exceeding : ndarray of int64, (M,)
        Null scores at or above each score.
    null_scores : ndarray of float64, (H,)
        One per held-out image.
    confidence : float
    statistic : str or None
        None where only scores were given, and so for `alpha_max`.
    alpha_max : float or None
    """

    scores: NDArray[np.float64]
    pvalues: NDArray[np.float64]
    intervals: NDArray[np.float64]
    n_exceeding: NDArray[np.int64]
    null_scores: NDArray[np.float64]
    confidence: float
    statistic: str | None
    alpha_max: float | None

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain numbers, strings and lists."""
        names = ("scores", "pvalues", "intervals", "n_exceeding", "null_scores")
        return {**vars(self), **_lists(self, *names)}


def calibrate_group(
    normal_pvalues: ArrayLike | RankedPvalues,
    observed: ArrayLike | RankedPvalues | GroupScan,
    *,
    group_size: int | None = None,
    n_replicates: int = 999,
    statistic: str = "berk_jones",
    alpha_max: float = 0.5,
    n_restarts: int = 10,
    max_images: int | None = None,
    max_nodes: int | None = None,
    engine: str = "numba",
    null: str = "held-out",
    confidence: float = 0.95,
    seed: int = 0,
    n_workers: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> GroupCalibration:
    """p-value of a group scan: how often M normal images score as high.

    Parameters
    ----------
    normal_pvalues : array_like or RankedPvalues, (H, J)
        p-values, against the same background and for the same tail, of held-out normal images:
        in neither the background nor the observed group.
    observed : array_like or RankedPvalues (M, J), GroupScan or float
        The group's p-values, which are scanned here; or its scan; or its score. A GroupScan
        brings its own seed of random starts, and its other parameters must be those given here.
    group_size : int, optional
        M. Needed unless `observed` is a matrix, whose rows it must be otherwise.
    n_replicates : int
        R, null groups; at least 19.
    statistic, alpha_max, n_restarts, max_images, max_nodes, engine
        As for :func:`scanning.scan_group`, the same for the observed and every null group.
    null : {"held-out", "pooled"}
        Where null groups are drawn from: the held-out images alone, or these and the observed
        group together, for which `observed` must be the matrix. See Notes.
    confidence : float
        Of the interval, in (0, 1).
    seed : int
        Of the draws and, unless `observed` is a GroupScan, of the random starts.
    n_workers, cluster, progress
        As for :func:`scanning.cluster.fan_out`; one task per null group. They change nothing
        in the result.

    Returns
    -------
    GroupCalibration

    Raises
    ------
    ValueError
        If an argument is out of range, or there are too few held-out images: fewer than 10·M
        for the held-out null, fewer than M for the pooled one.

    Notes
    -----
    The M images of one null group are drawn *without* replacement: an image drawn twice would
    be two equal rows, which a scan for common nodes takes for an anomaly. Every null group is
    drawn anew from all images, so that R is not limited by H, and groups overlap.

    The pooled null is a permutation test: under the null hypothesis the observed group is one
    of the equally likely draws, so P(p <= a) <= a holds exactly for any H. It loses a
    little power, since null groups contain M/(H + M) of the images in question. The held-out
    null has no such loss, but overlapping subsets of H images vary less than fresh groups do,
    by about the factor 1 − M/H in variance, so its p is slightly too small: the reason for the
    limit 10·M. The interval tells the Monte-Carlo error of R draws only.

    Costs R group scans. Phipson & Smyth (2010) for the added one; Clopper & Pearson (1934).

    Examples
    --------
    >>> normal = np.random.default_rng(0).integers(1, 101, (60, 20)) / 100
    >>> test = np.full((5, 20), 0.9)
    >>> test[:4, :6] = 0.01
    >>> found = calibrate_group(normal, test, n_replicates=99)
    >>> found.pvalue, found.n_exceeding
    (0.01, 0)
    """
    normal = pvalue_matrix(normal_pvalues, "normal_pvalues")
    one_of(statistic, STATISTICS, "statistic")
    one_of(null, NULLS, "null")
    search: dict[str, Any] = {
        "statistic": statistic,
        "alpha_max": proportion(alpha_max, "alpha_max"),
        "n_restarts": whole_number(n_restarts, "n_restarts"),
        "max_images": max_images,
        "max_nodes": max_nodes,
        "engine": engine,
        "seed": whole_number(seed, "seed"),
    }
    n_replicates = whole_number(n_replicates, "n_replicates", minimum=MIN_NULL_SCORES)
    confidence = open_proportion(confidence, "confidence")
    score, group, size = _observed_group(observed, group_size, search, normal.shape[1])
    least = MIN_GROUPS_HELD_OUT * size if null == "held-out" else size
    if len(normal) < least:
        raise ValueError(
            f"normal_pvalues must hold at least {least} images for groups of {size} and the "
            f"{null} null; got {len(normal)}"
        )
    pool: PValueMatrix = normal
    if null == "pooled":
        if group is None:
            raise ValueError(
                "observed must be a matrix of p-values for the pooled null; got "
                f"{type(observed).__name__}"
            )
        pool = join_images(normal, group)
    null_scores = np.array(
        fan_out(
            _null_score,
            range(n_replicates),
            shared=[pool, size, int(seed), search],
            n_workers=n_workers,
            cluster=cluster,
            progress=progress,
            message="scanning null groups",
        )
    )
    n_exceeding, pvalues, intervals = _compare(np.array([score]), null_scores, confidence)
    return GroupCalibration(
        score=score,
        pvalue=float(pvalues[0]),
        interval=(float(intervals[0, 0]), float(intervals[0, 1])),
        n_exceeding=int(n_exceeding[0]),
        null_scores=null_scores,
        null=null,
        group_size=size,
        n_held_out=len(normal),
        confidence=confidence,
        statistic=statistic,
        alpha_max=search["alpha_max"],
        n_restarts=search["n_restarts"],
        max_images=max_images,
        max_nodes=max_nodes,
        scan_seed=search["seed"],
        seed=int(seed),
    )


def calibrate_images(
    null: ArrayLike | RankedPvalues | ImageScan,
    observed: ArrayLike | RankedPvalues | ImageScan,
    *,
    statistic: str = "berk_jones",
    alpha_max: float = 0.5,
    confidence: float = 0.95,
    n_workers: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> ImageCalibration:
    """p-value of each individual scan: how often a single normal image scores as high.

    Parameters
    ----------
    null : array_like or RankedPvalues (H, J), array_like (H,) or ImageScan
        Held-out normal images, in neither the background nor the test: their p-values, which
        are scanned here, or their scores, or their scan. At least 19.
    observed : array_like or RankedPvalues (M, J), array_like (M,) or ImageScan
        The images in question, likewise.
    statistic, alpha_max
        As for :func:`scanning.scan_images`, where p-values are scanned; those of an ImageScan
        must be the same.
    confidence : float
        Of the intervals, in (0, 1).
    n_workers, cluster, progress
        As for :func:`scanning.cluster.fan_out`.

    Returns
    -------
    ImageCalibration

    Raises
    ------
    ValueError
        If an argument is out of range, or there are fewer than 19 held-out images.

    Notes
    -----
    Every held-out image is used exactly once; nothing is drawn, so there is no seed. For an
    image generated like the held-out ones P(p <= a) <= a holds exactly, over the
    choice of held-out images; p-values of several images share these and are positively
    dependent. Costs the individual scans. Vovk, Gammerman & Shafer (2005), section 2.

    Examples
    --------
    >>> found = calibrate_images(np.arange(99.0), [98.5, 50.0])
    >>> found.pvalues
    array([0.01, 0.5 ])
    >>> found.intervals.round(3)
    array([[0.   , 0.037],
           [0.393, 0.597]])
    """
    one_of(statistic, STATISTICS, "statistic")
    alpha_max = proportion(alpha_max, "alpha_max")
    confidence = open_proportion(confidence, "confidence")

    def scores_of(values: ArrayLike | RankedPvalues | ImageScan, name: str) -> NDArray[np.float64]:
        if isinstance(values, ImageScan):
            _same_search(name, values, {"statistic": statistic, "alpha_max": alpha_max})
            return values.scores
        if _are_scores(values):
            return _scores(np.asarray(values), name)
        return scan_image_blocks(
            pvalue_matrix(values, name),
            statistic=statistic,
            alpha_max=alpha_max,
            n_workers=n_workers,
            cluster=cluster,
            progress=progress,
        ).scores

    null_scores = scores_of(null, "null")
    scores = scores_of(observed, "observed")
    if len(null_scores) < MIN_NULL_SCORES:
        raise ValueError(
            f"null must hold at least {MIN_NULL_SCORES} images; got {len(null_scores)}"
        )
    n_exceeding, pvalues, intervals = _compare(scores, null_scores, confidence)
    were_scanned = not _are_scores(observed)
    return ImageCalibration(
        scores=scores,
        pvalues=pvalues,
        intervals=intervals,
        n_exceeding=n_exceeding,
        null_scores=null_scores,
        confidence=confidence,
        statistic=statistic if were_scanned else None,
        alpha_max=alpha_max if were_scanned else None,
    )


def _null_score(
    replicate: int, pool: PValueMatrix, size: int, seed: int, search: dict[str, Any]
) -> float:
    """Score of the null group with this number, whatever was drawn before."""
    rng = np.random.default_rng([seed, replicate])
    chosen = np.sort(rng.choice(len(pool), size, replace=False))
    return scan_group(take_images(pool, chosen), **search).score


def _observed_group(
    observed: ArrayLike | RankedPvalues | GroupScan,
    group_size: int | None,
    search: dict[str, Any],
    n_nodes: int,
) -> tuple[float, PValueMatrix | None, int]:
    """Score, p-values where they are known, and size; a scan's seed goes into `search`."""
    if group_size is not None:
        group_size = whole_number(group_size, "group_size", minimum=1)
    if isinstance(observed, GroupScan):
        _same_search(
            "observed", observed, {k: v for k, v in search.items() if k not in ("seed", "engine")}
        )
        search["seed"] = observed.seed
        score = observed.score
    elif not isinstance(observed, RankedPvalues) and np.ndim(observed) == 0:
        score = float(_scores(np.atleast_1d(observed), "observed")[0])
    else:
        matrix = pvalue_matrix(observed, "observed")
        if matrix.shape[1] != n_nodes:
            raise ValueError(
                f"observed must have the {n_nodes} nodes of normal_pvalues; got {matrix.shape[1]}"
            )
        if group_size not in (None, len(matrix)):
            raise ValueError(
                f"group_size must be the {len(matrix)} images of observed; got {group_size}"
            )
        return scan_group(matrix, **search).score, matrix, len(matrix)
    if group_size is None:
        raise ValueError("group_size must be given where observed is a scan or a score; got None")
    return score, None, group_size


def _same_search(name: str, scan: GroupScan | ImageScan, search: dict[str, Any]) -> None:
    for parameter, value in search.items():
        used = getattr(scan, parameter)
        if used != value:
            raise ValueError(f"{parameter} must be that of {name}, {used!r}; got {value!r}")


def _are_scores(values: object) -> bool:
    return not isinstance(values, RankedPvalues | ImageScan) and np.ndim(values) == 1  # type: ignore[arg-type]


def _scores(values: NDArray[Any], name: str) -> NDArray[np.float64]:
    if values.dtype.kind not in "fiu" or len(values) == 0:
        raise ValueError(
            f"{name} must hold at least one score; got dtype {values.dtype}, shape {values.shape}"
        )
    if not (np.isfinite(values) & (values >= 0)).all():
        bad = values[~(np.isfinite(values) & (values >= 0))][0]
        raise ValueError(f"{name} must hold finite scores of at least 0; got {bad}")
    return values.astype(np.float64)


def open_proportion(value: float, name: str) -> float:
    """`value` as a float in (0, 1)."""
    number = proportion(value, name)
    if number == 1.0:
        raise ValueError(f"{name} must be in (0, 1); got 1.0")
    return number


def _compare(
    scores: NDArray[np.float64], null_scores: NDArray[np.float64], confidence: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Null scores at or above each score, p-values, and their intervals (M, 2)."""
    n_null = len(null_scores)
    below = np.searchsorted(np.sort(null_scores), scores * (1.0 - ROUNDING), side="left")
    n_exceeding = (n_null - below).astype(np.int64)
    outside = (1.0 - confidence) / 2.0
    k = n_exceeding.astype(np.float64)
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), n_null - k + 1, outside), 0.0)
    high = np.where(k < n_null, betaincinv(k + 1, np.maximum(n_null - k, 1), 1.0 - outside), 1.0)
    return n_exceeding, (1 + n_exceeding) / (n_null + 1), np.stack([low, high], axis=1)


def _lists(result: object, *names: str) -> dict[str, list[Any]]:
    return {name: getattr(result, name).tolist() for name in names}
