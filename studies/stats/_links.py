"""Category probabilities of cumulative link models, with derivatives.

A rating in category k has probability F(a) - F(b), where a = alpha_k - eta is its upper and
b = alpha_(k-1) - eta its lower cut, infinite at the ends of the scale.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from .checks import FloatArray


@dataclass(frozen=True)
class Cells:
    """Per rating: log probability, and derivatives with respect to eta, a and b.

    `score` = d log p / d eta, `weight` = -d score / d eta; `_upper` and `_lower` are derivatives
    with respect to a and b of the named quantity at fixed eta. The derivative of the weight with
    respect to eta is minus the sum of its other two, as all three shift the same cuts.
    """

    log_probability: FloatArray
    score: FloatArray
    weight: FloatArray
    log_upper: FloatArray
    log_lower: FloatArray
    score_upper: FloatArray
    score_lower: FloatArray
    weight_upper: FloatArray
    weight_lower: FloatArray


def logit_cells(upper: FloatArray, lower: FloatArray) -> Cells:
    """Cells of the logistic distribution, whose score is F(a) + F(b) - 1."""
    above, left_above, log_above = _logistic(upper)
    left_below, below, log_below = _logistic(-lower)
    width = -np.expm1(lower - upper)
    # log F(a) + log(1 - F(b)) + log(1 - exp(b - a)), each without cancellation.
    log_probability = log_above + log_below + np.log(width)
    density_above, density_below = above * left_above, below * left_below
    return Cells(
        log_probability=log_probability,
        score=above - left_below,
        weight=density_above + density_below,
        log_upper=left_above / (left_below * width),
        log_lower=-below / (above * width),
        score_upper=density_above,
        score_lower=density_below,
        weight_upper=density_above * (left_above - above),
        weight_lower=density_below * (left_below - below),
    )


def probit_cells(upper: FloatArray, lower: FloatArray) -> Cells:
    """Cells of the normal distribution."""
    # In the upper tail both cuts are mirrored, so that small probabilities are not differences
    # of numbers near one.
    mirrored = (upper > 0) & (lower > 0)
    high = np.where(mirrored, -lower, upper)
    low = np.where(mirrored, -upper, lower)
    log_probability = log_ndtr(high) + np.log(-np.expm1(log_ndtr(low) - log_ndtr(high)))
    a = np.where(np.isfinite(upper), upper, 0.0)
    b = np.where(np.isfinite(lower), lower, 0.0)
    root = 0.5 * np.log(2 * np.pi)
    # Ratios of the density to the probability, and of its first two derivatives.
    pa = np.where(np.isfinite(upper), np.exp(-0.5 * a**2 - root - log_probability), 0.0)
    pb = np.where(np.isfinite(lower), np.exp(-0.5 * b**2 - root - log_probability), 0.0)
    ra, rb = -a * pa, -b * pb
    ta, tb = (a**2 - 1) * pa, (b**2 - 1) * pb
    aa, ab, bb = ra - pa**2, pa * pb, -rb - pb**2
    aaa = ta - 3 * ra * pa + 2 * pa**3
    aab = ra * pb - 2 * pa**2 * pb
    abb = rb * pa + 2 * pb**2 * pa
    bbb = -tb - 3 * rb * pb - 2 * pb**3
    return Cells(
        log_probability=log_probability,
        score=pb - pa,
        weight=-(aa + 2 * ab + bb),
        log_upper=pa,
        log_lower=-pb,
        score_upper=-(aa + ab),
        score_lower=-(ab + bb),
        weight_upper=-(aaa + 2 * aab + abb),
        weight_lower=-(aab + 2 * abb + bbb),
    )


def logit_slopes(
    cuts: FloatArray, codes: NDArray[np.int64], eta: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log probability, score and weight alone, from one exponential and one logarithm a rating.

    exp(eta - alpha) is a product of exp(eta) with one number per category. Beyond 700 that
    overflows, and the result is not finite.
    """
    raised = np.exp(eta)
    above = 1 / (1 + raised * np.exp(-cuts[1:])[codes])
    left_below = 1 / (1 + np.exp(cuts[:-1])[codes] / raised)
    log_probability = np.log(above * left_below * -np.expm1(cuts[:-1] - cuts[1:])[codes])
    return (
        log_probability,
        above - left_below,
        above * (1 - above) + left_below * (1 - left_below),
    )


def probit_slopes(
    cuts: FloatArray, codes: NDArray[np.int64], eta: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log probability, score and weight alone."""
    cells = probit_cells(cuts[codes + 1] - eta, cuts[codes] - eta)
    return cells.log_probability, cells.score, cells.weight


def _logistic(x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """F(x), 1 - F(x) and log F(x) from a single exponential."""
    small = np.exp(-np.abs(x))
    larger = 1 / (1 + small)
    smaller = small * larger
    positive = x >= 0
    return (
        np.where(positive, larger, smaller),
        np.where(positive, smaller, larger),
        np.minimum(x, 0) - np.log1p(small),
    )


LINKS: dict[str, Callable[[FloatArray, FloatArray], Cells]] = {
    "logit": logit_cells,
    "probit": probit_cells,
}
SLOPES = {"logit": logit_slopes, "probit": probit_slopes}
