"""What pilot ratings tell a plan, and how far they may be trusted."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from . import checks
from .clmm import CumulativeLinkMixedModel, fit_clmm
from .lmm import boundary_warnings
from .rating_model import RatingModel
from .results import Interval, Result

X = "predictor (z)"
# Below these a standard deviation of raters or images is hardly more than a guess.
FEW_RATERS, FEW_IMAGES = 20, 20


@dataclass(frozen=True, kw_only=True)
class PilotEstimates(Result):
    """A rating model estimated from pilot ratings; the effect is per SD over the pilot's images.

    `slope_fitted` says whether raters' slopes were in the model, `simulated` that no person gave
    these ratings.
    """

    effect: float
    standard_error: float
    degrees_of_freedom: float
    interval: Interval
    confidence_level: float
    thresholds: dict[str, float]
    rater_sd: float
    image_sd: float
    slope_sd: float
    slope_fitted: bool
    link: str
    n_ratings: int
    n_raters: int
    n_images: int
    n_missing: int
    simulated: bool

    def model(self, effect: float | None = None) -> RatingModel:
        """The rating model to plan with, with another effect where one is given."""
        return RatingModel(
            effect=self.effect if effect is None else effect,
            thresholds=tuple(self.thresholds.values()),
            rater_sd=self.rater_sd,
            image_sd=self.image_sd,
            slope_sd=self.slope_sd,
            link=self.link,
        )

    def safeguard_effect(self, level: float = 0.6) -> float:
        """The limit nearer to zero of the two-sided t interval of the effect at `level`.

        With 0.6, as its authors propose, the true effect is smaller in one of five pilots.

        Raises
        ------
        ValueError
            If that interval holds zero: such a pilot cannot rule out that there is no effect.

        Notes
        -----
        Perugini, Gallucci and Costantini (2014), Safeguard power as a protection against
        imprecise power estimates, Perspectives on Psychological Science 9.
        """
        tail = (1 + checks.level(level, "safeguard")) / 2
        reach = float(stats.t.ppf(tail, self.degrees_of_freedom))
        nearest = abs(self.effect) - reach * self.standard_error
        if nearest <= 0:
            raise ValueError(
                f"safeguard must leave an effect to plan for: the pilot's {level:.0%} interval, "
                f"{self.effect:.2f} ± {reach * self.standard_error:.2f}, holds zero; plan for the "
                "smallest effect that matters, or gather a larger pilot"
            )
        return nearest if self.effect > 0 else -nearest


def quantile_categories(values: ArrayLike, n: int = 7) -> pd.Series:
    """Numbers from a line as at most `n` ordered categories, about equally frequent.

    Equal numbers fall into one category, so there are fewer where many answers are one number;
    missing ones stay missing. Categories are numbered from 1.

    Raises
    ------
    ValueError
        If fewer than two different numbers are given: they make no categories.

    Examples
    --------
    >>> quantile_categories([0, 0, 0, 10, 40, 70, 100, None], n=3).tolist()
    [1.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, nan]
    """
    numbers = pd.Series(values, dtype=float)
    if numbers.nunique() < 2:
        raise ValueError(
            f"values must hold at least two different numbers; got {numbers.nunique()}"
        )
    # Where the middle of its ties stands in the order, from 0 to 1, in n equal parts.
    place = (numbers.rank(method="average") - 0.5) / numbers.count()
    return (place * n).floordiv(1).rank(method="dense")


def pilot_estimates(
    frame: pd.DataFrame,
    response: str = "rating",
    predictor: str = "predictor",
    rater: str = "rater",
    image: str = "image",
    link: str = "logit",
    simulated: bool = False,
    confidence_level: float = 0.95,
) -> PilotEstimates:
    """Estimates of a cumulative link mixed model from pilot ratings.

    Parameters
    ----------
    frame : DataFrame
        One row per rating; `predictor` has one value per image and is standardised over the
        images rated. Rows with a missing value are dropped and counted.
    simulated : bool
        That no person gave these ratings; kept with the result and said.

    Returns
    -------
    PilotEstimates
        Fitted with a rater slope of the predictor; without one, which is said, where that model
        does not converge.

    Raises
    ------
    ValueError
        As `fit_clmm`; if an image has two values of the predictor; or if the model converges
        neither with nor without the slope.

    Notes
    -----
    Costs one or two fits (`fit_clmm`).

    Examples
    --------
    >>> from studies.stats.rating_model import rating_model
    >>> from studies.stats.simulated_ratings import RatingDesign, simulate_ratings
    >>> design = RatingDesign(n_images=40, n_raters=25, ratings_per_image=10)
    >>> ratings = simulate_ratings(design, rating_model(0.8, slope_sd=0.3), seed=3)
    >>> pilot = pilot_estimates(ratings, simulated=True)
    >>> 0 < pilot.safeguard_effect() < pilot.effect
    True
    """
    checks.level(confidence_level)
    checks.columns(frame, [response, predictor, rater, image])
    used = frame.dropna(subset=[response, predictor, rater, image])
    if used.empty:
        raise ValueError(f"frame must have complete ratings; got none in {len(frame)} rows")
    values = used.groupby(image)[predictor].agg(["first", "nunique"])
    if (values["nunique"] > 1).any():
        raise ValueError(
            f"{predictor} must have one value per image; got several for "
            f"{values.index[values['nunique'] > 1][0]}"
        )
    spread = float(values["first"].std(ddof=0))
    if not spread > 0:
        raise ValueError(f"{predictor} must vary over the pilot's images; got no spread")
    scaled = used.assign(**{X: (used[predictor] - values["first"].mean()) / spread})
    columns: dict[str, Any] = {"rater": rater, "image": image, "link": link, "fixed": [X]}
    model = fit_clmm(scaled, response, rater_slopes=[X], **columns)
    dropped: tuple[str, ...] = ()
    if not model.converged:
        model = fit_clmm(scaled, response, **columns)
        dropped = (
            "The model with a rater slope did not converge: the plan takes all raters to go "
            "with the predictor alike, which is optimistic.",
        )
    if not model.converged:
        raise ValueError(f"the pilot's ratings must allow a model; {' '.join(model.warnings)}")
    reported = model.small_sample(confidence_level)
    error, freedom = reported.standard_errors[X], reported.degrees_of_freedom[X]
    limits = reported.intervals[X]
    if error is None or freedom is None or limits is None:
        raise ValueError(f"the pilot must have more images; {' '.join(reported.warnings)}")
    return PilotEstimates(
        method=f"{model.method}; fitted to pilot ratings: {model.formula}",
        effect=model.estimates[X],
        standard_error=error,
        degrees_of_freedom=freedom,
        interval=limits,
        confidence_level=confidence_level,
        thresholds=model.thresholds,
        rater_sd=model.random_sd["rater"],
        image_sd=model.random_sd["image"],
        slope_sd=model.random_sd.get(f"rater:{X}", 0.0),
        slope_fitted=not dropped,
        link=link,
        n_ratings=model.n_ratings,
        n_raters=model.n_raters,
        n_images=model.n_images,
        n_missing=len(frame) - len(used),
        simulated=simulated,
        warnings=(*_caution(model, simulated), *model.warnings, *dropped),
    )


def _caution(model: CumulativeLinkMixedModel, simulated: bool) -> tuple[str, ...]:
    said = [
        f"Estimates from {model.n_raters} raters and {model.n_images} images are uncertain, and "
        "a pilot that is followed up because it looked good overstates its effect: plan with "
        "the safeguard effect, or with the smallest effect that matters."
    ]
    if simulated:
        said.insert(0, "The pilot's raters are simulated: nothing here comes from people.")
    if boundary_warnings(model.random_sd, model.random_correlations):
        said.append(
            "What a pilot estimates as zero, or at its limit, may well not be: plan also with "
            "standard deviations that are given."
        )
    if model.n_raters < FEW_RATERS or model.n_images < FEW_IMAGES:
        said.append(
            f"With fewer than {FEW_RATERS} raters or {FEW_IMAGES} images the standard deviations "
            "of raters and images are rough, and often too small."
        )
    return tuple(said)
