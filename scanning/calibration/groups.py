"""p-value of a group scan."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scanning._matrices import PValueMatrix, join_images, pvalue_matrix, same_nodes, take_images
from scanning._plain import Plain
from scanning._search import Search
from scanning._validation import array_of, one_of, open_proportion, whole_number
from scanning._workers import Progress, Workers
from scanning.calibration._counting import MIN_NULL_SCORES, compare, known_scores, same_search
from scanning.pvalues import RankedPvalues
from scanning.results import GroupScan

NULLS = ("auto", "pooled", "held-out")
# A null of subsets of H held-out images is too narrow the larger their share of H is: measured,
# 27 %, 12 % and 8 % of normal groups had p <= 0.05 at shares of 1/2, 1/5 and 1/10. Beyond that
# the pooled null, which is exact, is the only one offered.
MIN_GROUPS_HELD_OUT = 10


@dataclass(frozen=True, eq=False)
class GroupCalibration(Plain):
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
    null: str = "auto",
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
    null : {"auto", "pooled", "held-out"}
        Where null groups are drawn from: the held-out images and the observed group together,
        for which `observed` must be the matrix, or the held-out images alone. "auto" takes the
        first where it can be had. See Notes.
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
    of the equally likely draws, so P(p <= a) <= a holds exactly for any H. It loses a little
    power, since null groups contain M/(H + M) of the images in question; where H is only a few
    times M, also because groups that share the most anomalous images have equal scores, and
    ties count against anomaly.

    The held-out null has no such loss, but overlapping subsets of H images vary less than fresh
    groups do, by about the factor 1 − M/H in variance, so its p is too small: measured, 7 to 9 %
    of normal groups had p <= 0.05 at H = 10·M, the least allowed, and 5 to 7 % at 30·M. The
    interval tells the Monte-Carlo error of R draws only.

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
    search = Search(statistic, alpha_max, n_restarts, max_images, max_nodes, engine, seed)
    workers = Workers(n_workers, cluster, progress)
    one_of(null, NULLS, "null")
    n_replicates = whole_number(n_replicates, "n_replicates", minimum=MIN_NULL_SCORES)
    confidence = open_proportion(confidence, "confidence")
    normal = pvalue_matrix(normal_pvalues, "normal_pvalues")
    group = _Observed.of(observed, group_size, search, normal)
    if null == "auto":
        null = "held-out" if group.pvalues is None else "pooled"
    least = MIN_GROUPS_HELD_OUT * group.size if null == "held-out" else group.size
    if len(normal) < least:
        raise ValueError(
            f"normal_pvalues must hold at least {least} images for groups of {group.size} and "
            f"the {null} null; got {len(normal)}"
        )
    pool, matrix = normal, group.pvalues
    if null == "pooled":
        if matrix is None:
            raise ValueError(
                "observed must be a matrix of p-values for the pooled null; got "
                f"{type(observed).__name__}"
            )
        pool = join_images(normal, matrix)
        # As the null groups will hold it, should the two come in different precisions.
        matrix = take_images(pool, np.arange(len(normal), len(pool)))
    scores = np.array([group.score if matrix is None else group.search.group(matrix).score])
    null_scores = np.array(
        workers.map(
            _null_score,
            range(n_replicates),
            [pool, group.size, search.seed, group.search],
            "scanning null groups",
        )
    )
    n_exceeding, pvalues, intervals = compare(scores, null_scores, confidence)
    return GroupCalibration(
        score=float(scores[0]),
        pvalue=float(pvalues[0]),
        interval=(float(intervals[0, 0]), float(intervals[0, 1])),
        n_exceeding=int(n_exceeding[0]),
        null_scores=null_scores,
        null=null,
        group_size=group.size,
        n_held_out=len(normal),
        confidence=confidence,
        **search.recorded(),
        scan_seed=group.search.seed,
        seed=search.seed,
    )


def _null_score(replicate: int, pool: PValueMatrix, size: int, seed: int, search: Search) -> float:
    """Score of the null group with this number, whatever was drawn before."""
    rng = np.random.default_rng([seed, replicate])
    chosen = np.sort(rng.choice(len(pool), size, replace=False))
    return search.group(take_images(pool, chosen)).score


@dataclass(frozen=True, eq=False)
class _Observed:
    """The group in question: its p-values, or its score where only that is known."""

    pvalues: PValueMatrix | None
    score: float
    size: int
    search: Search  # with the seed of the observed scan

    @classmethod
    def of(
        cls,
        observed: ArrayLike | RankedPvalues | GroupScan,
        group_size: int | None,
        search: Search,
        normal: PValueMatrix,
    ) -> "_Observed":
        if group_size is not None:
            group_size = whole_number(group_size, "group_size", minimum=1)
        if isinstance(observed, GroupScan):
            same_search(observed, "observed", search.recorded())
            size = _given(group_size)
            _fits(observed, size, normal.shape[1])
            return cls(None, observed.score, size, replace(search, seed=observed.seed))
        if not isinstance(observed, RankedPvalues):
            array = array_of(observed, "observed")
            if array.ndim == 0:
                score = float(known_scores(array.reshape(1), "observed")[0])
                return cls(None, score, _given(group_size), search)
        matrix = pvalue_matrix(observed, "observed")
        same_nodes(matrix, "observed", normal, "normal_pvalues")
        if group_size not in (None, len(matrix)):
            raise ValueError(
                f"group_size must be the {len(matrix)} images of observed; got {group_size}"
            )
        return cls(matrix, float("nan"), len(matrix), search)


def _given(group_size: int | None) -> int:
    if group_size is None:
        raise ValueError("group_size must be given where observed is a scan or a score; got None")
    return group_size


def _fits(scan: GroupScan, group_size: int, n_nodes: int) -> None:
    """ValueError if the scan's subset lies outside the group or the nodes."""
    for members, length, rule in (
        (scan.images, group_size, "group_size must be above every image"),
        (scan.nodes, n_nodes, "normal_pvalues must have every node"),
    ):
        if len(members) and members[-1] >= length:
            raise ValueError(f"{rule} of observed, such as {members[-1]}; got {length}")
