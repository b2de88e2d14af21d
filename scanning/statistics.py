"""Scan statistics: how far a share of small p-values exceeds what chance gives.

All three are functions of a level alpha, the number of p-values N in a subset and the number
of them, N_alpha, that are at most alpha. They are 0 unless N_alpha > N·alpha, rise with
N_alpha, and fall as alpha rises. McFowland, Speakman & Neill (2013), section 3.2.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import rel_entr


def berk_jones(alpha: ArrayLike, n_alpha: ArrayLike, n: ArrayLike) -> NDArray[np.float64]:
    """Berk–Jones statistic, N·KL(N_alpha/N ‖ alpha).

    Parameters
    ----------
    alpha : array_like
        Level in (0, 1].
    n_alpha : array_like
        Number of p-values at or below `alpha`.
    n : array_like
        Number of p-values; broadcast together with the others.

    Returns
    -------
    ndarray
        The log-likelihood ratio of the observed share against alpha, one-sided; N·ln(1/alpha)
        where every p-value is at most alpha.

    Notes
    -----
    Exact up to rounding; Berk & Jones (1979), in the form of McFowland et al. (2013), eq. 5.

    Examples
    --------
    >>> float(berk_jones(0.1, 3, 3).round(4))
    6.9078
    >>> float(berk_jones(0.5, 1, 4))
    0.0
    """
    alpha, n_alpha, n, above = _prepare(alpha, n_alpha, n)
    divergence = rel_entr(n_alpha, n * alpha) + rel_entr(n - n_alpha, n * (1.0 - alpha))
    return np.where(above, np.maximum(divergence, 0.0), 0.0)


def higher_criticism(alpha: ArrayLike, n_alpha: ArrayLike, n: ArrayLike) -> NDArray[np.float64]:
    """Higher criticism, (N_alpha − N·alpha) / sqrt(N·alpha·(1 − alpha)).

    Parameters
    ----------
    alpha, n_alpha, n : array_like
        As in :func:`berk_jones`.

    Returns
    -------
    ndarray
        The excess in standard deviations of a binomial count; 0 at alpha = 1, where that
        deviation vanishes.

    Notes
    -----
    Donoho & Jin (2004), eq. 1.4, with alpha as the level.

    Examples
    --------
    >>> float(higher_criticism(0.5, 4, 4))
    2.0
    """
    alpha, n_alpha, n, above = _prepare(alpha, n_alpha, n)
    deviation = np.sqrt(n * alpha * (1.0 - alpha))
    ratio = np.divide(
        n_alpha - n * alpha, deviation, out=np.zeros(above.shape), where=deviation > 0.0
    )
    return np.where(above, ratio, 0.0)


def kolmogorov_smirnov(alpha: ArrayLike, n_alpha: ArrayLike, n: ArrayLike) -> NDArray[np.float64]:
    """One-sided Kolmogorov–Smirnov statistic, (N_alpha − N·alpha) / sqrt(N).

    Parameters
    ----------
    alpha, n_alpha, n : array_like
        As in :func:`berk_jones`.

    Returns
    -------
    ndarray
        The excess share times sqrt(N).

    Notes
    -----
    McFowland et al. (2013), section 3.2.

    Examples
    --------
    >>> float(kolmogorov_smirnov(0.5, 4, 4))
    1.0
    """
    alpha, n_alpha, n, above = _prepare(alpha, n_alpha, n)
    root = np.sqrt(np.maximum(n, 1.0))
    return np.where(above, (n_alpha - n * alpha) / root, 0.0)


STATISTICS: dict[str, Callable[[ArrayLike, ArrayLike, ArrayLike], NDArray[np.float64]]] = {
    "berk_jones": berk_jones,
    "higher_criticism": higher_criticism,
    "kolmogorov_smirnov": kolmogorov_smirnov,
}
"""The statistics by name; the kernels know them by their position here."""


def _prepare(
    alpha: ArrayLike, n_alpha: ArrayLike, n: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    level, count, total = np.broadcast_arrays(
        np.asarray(alpha, float), np.asarray(n_alpha, float), np.asarray(n, float)
    )
    return level, count, total, (count > total * level) & (level < 1.0)
