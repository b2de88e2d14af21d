"""The cumulative link mixed model that planned ratings are drawn from, and its reliability."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

from . import checks
from .checks import FloatArray
from .results import json_safe

# Variance of a rating around raters, images and predictor, on the latent scale.
RESIDUAL_VARIANCE = {"logit": math.pi**2 / 3, "probit": 1.0}
# Probabilists' Gauss-Hermite nodes: the integrands are smooth, 61 nodes are exact to 1e-9.
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(61)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


@dataclass(frozen=True, kw_only=True)
class RatingModel:
    """P(y <= k) = F(threshold_k - (effect + slope) x - rater - image), for a standardised x.

    `effect` is in units of the link per standard deviation of the predictor over images (log
    odds for the logit). `rater_sd`, `image_sd` and `slope_sd` are the standard deviations of
    normal and independent effects of raters, of images beyond the predictor, and of raters'
    departures from the effect. `thresholds` rise.

    Examples
    --------
    >>> model = RatingModel(effect=0.5, thresholds=(-1.0, 0.0, 1.0), rater_sd=1.0, image_sd=0.8)
    >>> round(model.reliability(10), 2)
    0.67
    >>> model.proportions().round(2).tolist()
    [0.32, 0.18, 0.18, 0.32]
    """

    effect: float
    thresholds: tuple[float, ...]
    rater_sd: float
    image_sd: float
    slope_sd: float = 0.0
    link: str = "logit"

    def __post_init__(self) -> None:
        checks.one_of(self.link, tuple(RESIDUAL_VARIANCE), "link")
        _finite(self.effect, "effect")
        for name in ("rater_sd", "image_sd", "slope_sd"):
            _deviation(getattr(self, name), name)
        cuts = checks.numeric_vector(self.thresholds, "thresholds")
        if cuts.size < 1 or np.isnan(cuts).any() or np.any(np.diff(cuts) <= 0):
            raise ValueError(f"thresholds must be one or more rising numbers; got {cuts.tolist()}")

    @property
    def n_categories(self) -> int:
        return len(self.thresholds) + 1

    def reliability(self, ratings_per_image: float) -> float:
        """ICC of the mean of that many ratings, each by another rater; see `image_sd_for`."""
        between = self.effect**2 + self.image_sd**2
        return between / (between + _error_variance(self) / ratings_per_image)

    def proportions(self) -> FloatArray:
        """Share of each category over raters, images and a normal predictor, (categories,).

        Exact up to Gauss-Hermite quadrature.
        """
        below = [_share_below(cut, self) for cut in self.thresholds]
        return np.diff([0.0, *below, 1.0])

    def to_dict(self) -> dict[str, Any]:
        """Fields as JSON values, with the share of each category."""
        fields = {name: json_safe(value) for name, value in vars(self).items()}
        return fields | {"proportions": self.proportions().tolist()}


def rating_model(
    effect: float,
    *,
    proportions: ArrayLike | None = None,
    thresholds: Sequence[float] | None = None,
    rater_sd: float = 1.0,
    image_sd: float | None = None,
    reliability: tuple[float, float] | None = None,
    slope_sd: float = 0.0,
    link: str = "logit",
) -> RatingModel:
    """A rating model from what planners know: shares of categories, and reliability.

    Parameters
    ----------
    effect : float
        Units of the link (log odds for the logit) per SD of the predictor over images.
    proportions : array_like, (categories,), optional
        Expected share of each category over all ratings; they are scaled to sum to one. Give
        these or `thresholds`, by default seven equal shares.
    thresholds : sequence of float, optional
        On the latent scale, for a typical rater, image and predictor.
    rater_sd, image_sd, slope_sd : float
        Standard deviations on the latent scale; 0 for none. `image_sd` is 0.8 by default.
    reliability : (float, float), optional
        In place of `image_sd`: the ICC of the mean of k ratings, and that k.
    link : {"logit", "probit"}

    Raises
    ------
    ValueError
        If both of two alternatives are given, or a value is out of range.

    Examples
    --------
    >>> model = rating_model(0.5, proportions=[1, 2, 4, 2, 1], reliability=(0.7, 10))
    >>> round(model.image_sd, 3), round(model.reliability(10), 3)
    (0.867, 0.7)
    >>> model.proportions().round(3).tolist()
    [0.1, 0.2, 0.4, 0.2, 0.1]
    """
    if proportions is not None and thresholds is not None:
        raise ValueError("proportions or thresholds must be given, not both")
    if image_sd is not None and reliability is not None:
        raise ValueError("image_sd or reliability must be given, not both")
    if reliability is not None:
        image_sd = image_sd_for(
            *reliability, effect=effect, rater_sd=rater_sd, slope_sd=slope_sd, link=link
        )
    # Thresholds follow from everything else.
    model = RatingModel(
        effect=effect,
        thresholds=(0.0,) if thresholds is None else tuple(map(float, thresholds)),
        rater_sd=rater_sd,
        image_sd=0.8 if image_sd is None else image_sd,
        slope_sd=slope_sd,
        link=link,
    )
    if thresholds is not None:
        return model
    shares = _shares([1.0] * 7 if proportions is None else proportions)
    spread = math.sqrt(effect**2 + model.image_sd**2 + _error_variance(model))
    cuts = tuple(
        float(optimize.brentq(_excess, -60 * spread, 60 * spread, (share, model), xtol=1e-10))
        for share in np.cumsum(shares)[:-1]
    )
    return RatingModel(**{**vars(model), "thresholds": cuts})


def image_sd_for(
    reliability: float,
    ratings_per_image: float,
    *,
    effect: float = 0.0,
    rater_sd: float = 1.0,
    slope_sd: float = 0.0,
    link: str = "logit",
) -> float:
    """The image SD at which the mean of k ratings has a given reliability.

    Notes
    -----
    On the latent scale, for images each rated by raters of their own,

        ICC(A, k) = V / (V + (rater_sd^2 + slope_sd^2 + V_link) / k),  V = effect^2 + image_sd^2,

    with V_link = pi^2 / 3 for the logit and 1 for the probit (Nakagawa, Johnson and Schielzeth
    2017, Journal of the Royal Society Interface 14; ten Hove, Jorgensen and van der Ark
    2022, Psychological Methods). V is all that differs between images, what the predictor
    explains included, as in an ICC that was computed without a predictor. The ICC of means of
    categories is somewhat lower than this one of the latent scale. Exact.

    Raises
    ------
    ValueError
        If the reliability is not between 0 and 1, or so low that the predictor alone, with
        variance effect^2, makes images differ more.

    Examples
    --------
    >>> round(image_sd_for(0.7, 10, effect=0.5), 3)
    0.867
    """
    checks.level(reliability, "reliability")
    if not ratings_per_image >= 1:
        raise ValueError(f"ratings_per_image must be 1 or more; got {ratings_per_image!r}")
    checks.one_of(link, tuple(RESIDUAL_VARIANCE), "link")
    _finite(effect, "effect")
    error = _deviation(rater_sd, "rater_sd") ** 2 + _deviation(slope_sd, "slope_sd") ** 2
    error = (error + RESIDUAL_VARIANCE[link]) / ratings_per_image
    variance = reliability / (1 - reliability) * error - effect**2
    if variance < 0:
        least = effect**2 / (effect**2 + error)
        raise ValueError(
            f"reliability must be at least {least:.3f} with {ratings_per_image:g} ratings per "
            f"image and an effect of {effect:g}, which alone makes images differ so much; got "
            f"{reliability!r}"
        )
    return math.sqrt(variance)


def _error_variance(model: RatingModel) -> float:
    """Variance of one rating around its image. A standardised x has a mean square of one."""
    return model.rater_sd**2 + model.slope_sd**2 + RESIDUAL_VARIANCE[model.link]


def _share_below(cut: float, model: RatingModel) -> float:
    """P(latent <= cut) over raters, images and a standard normal predictor."""
    spread = np.sqrt(model.rater_sd**2 + model.image_sd**2 + model.slope_sd**2 * NODES**2)
    above = cut - model.effect * NODES
    if model.link == "probit":
        return float(WEIGHTS @ special.ndtr(above / np.sqrt(1 + spread**2)))
    return float(WEIGHTS @ special.expit(above[:, None] - np.outer(spread, NODES)) @ WEIGHTS)


def _excess(cut: float, share: float, model: RatingModel) -> float:
    return _share_below(cut, model) - share


def _shares(proportions: ArrayLike) -> FloatArray:
    shares = checks.numeric_vector(proportions, "proportions")
    if shares.size < 2 or not np.all(shares > 0):
        raise ValueError(f"proportions must be two or more positive numbers; got {shares.tolist()}")
    return shares / shares.sum()


def _finite(value: float, name: str) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number; got {value!r}")
    return value


def _deviation(value: float, name: str) -> float:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} must be a finite number, 0 or more; got {value!r}")
    return value
