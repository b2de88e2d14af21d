"""p-values of individual scans."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scanning._matrices import pvalue_matrix
from scanning._plain import Plain
from scanning._search import Search
from scanning._validation import array_of, open_proportion
from scanning._workers import Progress, Workers
from scanning.calibration._counting import MIN_NULL_SCORES, compare, known_scores, same_search
from scanning.cluster import scan_image_blocks
from scanning.pvalues import RankedPvalues
from scanning.results import ImageScan


@dataclass(frozen=True, eq=False)
class ImageCalibration(Plain):
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
        If an argument is out of range, there are fewer than 19 held-out images, or both sides
        have nodes, but not equally many.

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
    search = Search(statistic, alpha_max)
    workers = Workers(n_workers, cluster, progress)
    confidence = open_proportion(confidence, "confidence")
    of_null = _Scored.of(null, "null", search, workers)
    of_observed = _Scored.of(observed, "observed", search, workers)
    if len({of_null.n_nodes, of_observed.n_nodes} - {None}) > 1:
        raise ValueError(
            f"observed must have the {of_null.n_nodes} nodes of null; got {of_observed.n_nodes}"
        )
    if len(of_null.scores) < MIN_NULL_SCORES:
        raise ValueError(
            f"null must hold at least {MIN_NULL_SCORES} images; got {len(of_null.scores)}"
        )
    n_exceeding, pvalues, intervals = compare(of_observed.scores, of_null.scores, confidence)
    were_scanned = of_observed.n_nodes is not None
    return ImageCalibration(
        scores=of_observed.scores,
        pvalues=pvalues,
        intervals=intervals,
        n_exceeding=n_exceeding,
        null_scores=of_null.scores,
        confidence=confidence,
        statistic=search.statistic if were_scanned else None,
        alpha_max=search.alpha_max if were_scanned else None,
    )


@dataclass(frozen=True, eq=False)
class _Scored:
    """Scores of images, and the nodes they were found in where that is known."""

    scores: NDArray[np.float64]
    n_nodes: int | None

    @classmethod
    def of(
        cls,
        values: ArrayLike | RankedPvalues | ImageScan,
        name: str,
        search: Search,
        workers: Workers,
    ) -> "_Scored":
        if isinstance(values, ImageScan):
            recorded = {"statistic": search.statistic, "alpha_max": search.alpha_max}
            same_search(values, name, recorded)
            return cls(values.scores, values.n_nodes)
        if not isinstance(values, RankedPvalues):
            array = array_of(values, name)
            if array.ndim == 1:
                return cls(known_scores(array, name), None)
        matrix = pvalue_matrix(values, name)
        scan = scan_image_blocks(
            matrix, statistic=search.statistic, alpha_max=search.alpha_max, **vars(workers)
        )
        return cls(scan.scores, scan.n_nodes)
