"""Abilities of compared images against a predictor: in ranks, and as a regression."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy import optimize, stats

from .checks import FloatArray
from .results import Interval


class Slope(NamedTuple):
    """Of abilities on a predictor, with the standard deviation of what it leaves."""

    estimate: float
    standard_error: float
    intercept: float
    image_sd: float
    degrees_of_freedom: int


def slope_of_abilities(abilities: FloatArray, covariance: FloatArray, x: FloatArray) -> Slope:
    """Random-effects regression: abilities differ by what x explains, by images, and by error.

    `covariance` is that of the centred abilities' errors; the variance between images is by
    REML, the slope by generalised least squares. Exact up to the search in one dimension.
    Hartung, Knapp and Sinha (2008), Statistical Meta-Analysis with Applications, chapter 10.
    """
    n = len(abilities)
    design = np.column_stack([np.ones(n), x])
    # Centred errors have no spread in common; whatever it is, only the intercept takes it up.
    errors = covariance + 1.0

    def fitted(deviation: float) -> tuple[float, FloatArray, FloatArray]:
        factor = np.linalg.cholesky(errors + deviation**2 * np.eye(n))
        white = np.linalg.solve(factor, np.column_stack([design, abilities]))
        information = white[:, :2].T @ white[:, :2]
        beta = np.linalg.solve(information, white[:, :2].T @ white[:, 2])
        residual = white[:, 2] - white[:, :2] @ beta
        criterion = 2 * np.log(np.diag(factor)).sum() + np.linalg.slogdet(information)[1]
        return float(criterion + residual @ residual), beta, np.linalg.inv(information)

    widest = 3 * float(np.std(abilities)) + 1e-6
    found = optimize.minimize_scalar(
        lambda deviation: fitted(deviation)[0], bounds=(1e-6, widest), method="bounded"
    )
    _, beta, variance = fitted(float(found.x))
    return Slope(float(beta[1]), math.sqrt(variance[1, 1]), float(beta[0]), float(found.x), n - 2)


def rank_interval(rho: float | None, n: int, level: float) -> Interval | None:
    """Interval of Spearman's rho by Fisher's z, with Bonett and Wright's (2000) variance."""
    if rho is None or n < 4 or abs(rho) >= 1:
        return None
    reach = stats.norm.ppf((1 + level) / 2) * math.sqrt((1 + rho**2 / 2) / (n - 3))
    low, high = (math.tanh(math.atanh(rho) + sign * reach) for sign in (-1, 1))
    return low, high


def finite_abilities(abilities: Mapping) -> dict:
    """Those that have an estimate: images that always won or lost have none."""
    return {image: value for image, value in abilities.items() if value is not None}
