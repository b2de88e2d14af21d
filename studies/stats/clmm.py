"""Cumulative link mixed model with crossed raters and images, by Laplace's approximation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, stats

from . import checks
from ._crossed import crossed_design
from ._laplace import LaplaceCriterion
from ._links import LINKS
from ._separation import separating_predictors
from ._threads import one_blas_thread
from .checks import FloatArray
from .lmm import (
    CONVERGED,
    NEAR_ZERO,
    boundary_warnings,
    random_correlations,
    random_sd,
    standardised_sd,
)
from .results import Interval, Result
from .small_sample import SmallSample, between_within, predictor_levels

# On the link's scale, standard errors per SD of a predictor and standard deviations of raters or
# images that nothing finite has.
SEPARATED = 15.0
# Condition number of the standardised predictors.
COLLINEAR = 1e3
STEP = 1e-4


@dataclass(frozen=True, kw_only=True)
class CumulativeLinkMixedModel(Result):
    """A fitted cumulative link mixed model; dicts are keyed by term.

    P(y <= k) = F(threshold_k - x'b - rater - image): a positive estimate raises ratings.
    `thresholds` are keyed "1|2", "2|3" and so on. `random_sd` has "rater", "image" and one
    "rater:<slope>" per rater slope; `random_correlations` the correlations of a rater's effects.
    `p_values` are two-sided Wald tests, which reject too often with few images; `small_sample`
    gives those to report. `predictor_levels` says what each predictor is a property of: "image",
    "rater" or "rating".
    """

    link: str
    formula: str
    estimates: dict[str, float]
    standard_errors: dict[str, float]
    p_values: dict[str, float]
    thresholds: dict[str, float]
    threshold_standard_errors: dict[str, float]
    random_sd: dict[str, float]
    random_correlations: dict[str, float | None]
    log_likelihood: float
    n_parameters: int
    converged: bool
    n_ratings: int
    n_raters: int
    n_images: int
    n_missing: int
    predictor_levels: dict[str, str]
    covariance: FloatArray = field(repr=False)

    def interval(self, confidence_level: float = 0.95) -> dict[str, Interval]:
        """Wald interval of each fixed effect, on the scale of the link."""
        z = float(stats.norm.ppf((1 + checks.level(confidence_level)) / 2))
        return {
            name: (
                estimate - z * self.standard_errors[name],
                estimate + z * self.standard_errors[name],
            )
            for name, estimate in self.estimates.items()
        }

    def small_sample(self, confidence_level: float = 0.95) -> SmallSample:
        """t tests and intervals that allow for few images and raters; see `between_within`."""
        sizes = {"rater": self.n_raters, "image": self.n_images, "rating": self.n_ratings}
        return between_within(
            self.estimates,
            self.standard_errors,
            self.random_sd,
            self.predictor_levels,
            sizes,
            confidence_level,
        )

    def to_dict(self) -> dict[str, Any]:
        """Fields as JSON values, with Wald's 95% intervals and the small-sample results."""
        intervals = {name: list(limits) for name, limits in self.interval(0.95).items()}
        return super().to_dict() | {
            "confidence_level": 0.95,
            "intervals": intervals,
            "small_sample": self.small_sample().to_dict(),
        }


def fit_clmm(
    frame: pd.DataFrame,
    response: str = "rating",
    fixed: Sequence[str] = (),
    rater: str = "rater",
    image: str = "image",
    rater_slopes: Sequence[str] = (),
    link: str = "logit",
) -> CumulativeLinkMixedModel:
    """Fit ordered ratings ~ fixed + (1 + rater_slopes | rater) + (1 | image).

    Parameters
    ----------
    frame : DataFrame
        One row per rating; rows with a missing value in a used column are dropped and counted.
    response : str
        Column of numbers or of an ordered categorical. Two categories make a binomial model.
        Categories that nobody used are left out, and said.
    fixed : sequence of str
        Numeric predictors; the thresholds take the place of an intercept.
    rater_slopes : sequence of str
        Predictors, among `fixed`, whose slope varies by rater, correlated with the intercept.
    link : {"logit", "probit"}

    Returns
    -------
    CumulativeLinkMixedModel
        A variance of zero, separation and a failed convergence are said in `warnings`;
        `converged` is False in the last two cases.

    Raises
    ------
    ValueError
        If a column is missing or not numeric, predictors are collinear, or there are fewer than
        two raters, images or categories.

    Notes
    -----
    Laplace's approximation with its exact gradient; standard errors from the inverse of the full
    Hessian, obtained by central differences of that gradient. Agresti (2010), Analysis of
    Ordinal Categorical Data, chapter 10; Christensen (2022), ordinal: Regression Models for
    Ordinal Data. A step costs O(smaller factor cubed + ratings * smaller factor).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame([(r, i) for r in range(8) for i in range(20)],
    ...                      columns=["rater", "image"])
    >>> frame["size_z"] = rng.normal(size=20)[frame.image]
    >>> latent = frame.size_z + rng.normal(size=8)[frame.rater] + rng.logistic(size=160)
    >>> frame["rating"] = np.digitize(latent, [-1, 0, 1]) + 1
    >>> model = fit_clmm(frame, fixed=["size_z"])
    >>> list(model.thresholds), model.converged
    (['1|2', '2|3', '3|4'], True)
    """
    checks.one_of(link, tuple(LINKS), "link")
    checks.columns(frame, [response])
    frame, names = _numbered(frame, response)
    design = crossed_design(frame, response, fixed, rater, image, rater_slopes)
    levels, codes = np.unique(design.response, return_inverse=True)
    if levels.size < 2:
        raise ValueError(f"{response} must take at least two values; got {levels.size}")
    labels = [names.get(level, f"{level:g}") for level in levels.tolist()]
    predictors = design.fixed[:, 1:]
    centre, scale = predictors.mean(axis=0), predictors.std(axis=0)
    criterion = LaplaceCriterion(design, (predictors - centre) / scale, codes, levels.size, link)
    with one_blas_thread():
        parameters, covariance, free, converged = _fit(criterion)
    # Back to the predictors' own units: beta over the scale, thresholds moved by the centres.
    n_cuts, n_fixed = levels.size - 1, len(fixed)
    back = np.eye(n_cuts + n_fixed)
    back[n_cuts:, n_cuts:] = np.diag(1 / scale)
    back[:n_cuts, n_cuts:] = centre / scale
    effects = back @ parameters[: n_cuts + n_fixed]
    standardised = covariance[: n_cuts + n_fixed, : n_cuts + n_fixed]
    covariance = back @ standardised @ back.T
    variances = np.diag(covariance)
    # Where the search ends on no maximum, a variance may be negative: nothing is known then.
    errors = np.sqrt(np.where(variances > 0, variances, np.inf))
    _, _, theta_rater, theta_image = criterion.split(parameters)
    deviations = random_sd(design.rater, theta_rater) | random_sd(design.image, theta_image)
    correlations = random_correlations(design.rater, theta_rater)
    standard = standardised_sd(design.rater, theta_rater) | standardised_sd(
        design.image, theta_image
    )
    warnings = _unused(frame, response, levels, names) + boundary_warnings(standard, correlations)
    for factor in (design.rater, design.image):
        if factor.size >= design.n:
            warnings += (
                f"There are as many random effects of {factor.name} as ratings: its variance "
                "rests on the form of the link alone.",
            )
    said = _trouble(criterion, fixed, np.diag(standardised), standard, converged)
    converged = converged and not said
    warnings += said
    cuts = [f"{low}|{high}" for low, high in pairwise(labels)]
    beta, beta_errors = effects[n_cuts:], errors[n_cuts:]
    with np.errstate(divide="ignore", invalid="ignore"):
        z = beta / beta_errors
    return CumulativeLinkMixedModel(
        method=f"Cumulative link mixed model ({link}), crossed random effects of raters and "
        "images, Laplace approximation; Wald tests",
        link=link,
        formula=f"{response} ~ {' + '.join(fixed) or '1'} + "
        f"({' + '.join(['1', *rater_slopes])} | rater) + (1 | image)",
        estimates=_named(fixed, beta),
        standard_errors=_named(fixed, beta_errors),
        p_values=_named(fixed, 2 * stats.norm.sf(np.abs(z))),
        thresholds=_named(cuts, effects[:n_cuts]),
        threshold_standard_errors=_named(cuts, errors[:n_cuts]),
        random_sd=deviations,
        random_correlations=correlations,
        log_likelihood=-criterion.value_and_gradient(parameters)[0],
        n_parameters=int(free.size),
        converged=converged,
        n_ratings=design.n,
        n_raters=design.rater.n_levels,
        n_images=design.image.n_levels,
        n_missing=design.n_missing,
        predictor_levels=predictor_levels(design),
        covariance=covariance,
        warnings=warnings,
    )


@dataclass(frozen=True, kw_only=True)
class LikelihoodRatio(Result):
    """Twice the difference of two log likelihoods against a chi-squared distribution."""

    statistic: float
    degrees_of_freedom: int
    p: float


def likelihood_ratio(
    larger: CumulativeLinkMixedModel, smaller: CumulativeLinkMixedModel
) -> LikelihoodRatio:
    """Likelihood-ratio test of a fitted model against one nested in it.

    Raises
    ------
    ValueError
        If the models differ in link or number of ratings, or the first is not the larger one.
    """
    for name in ("link", "n_ratings"):
        ours, theirs = getattr(larger, name), getattr(smaller, name)
        if ours != theirs:
            raise ValueError(f"models must have the same {name}; got {ours} and {theirs}")
    freedom = larger.n_parameters - smaller.n_parameters
    if freedom < 1:
        raise ValueError(
            f"larger must have more parameters than smaller; got {larger.n_parameters} and "
            f"{smaller.n_parameters}"
        )
    statistic = max(0.0, 2 * (larger.log_likelihood - smaller.log_likelihood))
    doubtful = not (larger.converged and smaller.converged)
    return LikelihoodRatio(
        method="Likelihood-ratio test of nested models, chi-squared",
        statistic=statistic,
        degrees_of_freedom=freedom,
        p=float(stats.chi2.sf(statistic, freedom)),
        warnings=("One of the models did not converge.",) if doubtful else (),
    )


def _numbered(frame: pd.DataFrame, response: str) -> tuple[pd.DataFrame, dict[float, str]]:
    """An ordered categorical as numbers, with the names of its categories."""
    column = frame[response]
    if not isinstance(column.dtype, pd.CategoricalDtype):
        try:
            pd.to_numeric(column)
        except (ValueError, TypeError):
            raise ValueError(
                f"{response} must hold numbers or an ordered categorical; got "
                f"{sorted(map(str, column.dropna().unique()))[:5]}"
            ) from None
        return frame, {}
    if not column.cat.ordered:
        raise ValueError(f"{response} must be an ordered categorical; got an unordered one")
    codes = column.cat.codes.astype(float).where(column.notna())
    names = {float(code): str(name) for code, name in enumerate(column.cat.categories)}
    return frame.assign(**{response: codes}), names


def _unused(
    frame: pd.DataFrame, response: str, levels: FloatArray, names: dict[float, str]
) -> tuple[str, ...]:
    """Which categories, of a categorical or between whole numbers, nobody used."""
    if names:
        absent = [name for code, name in names.items() if code not in levels]
    elif np.all(levels == np.round(levels)) and levels[-1] - levels[0] < 2 * levels.size:
        absent = [f"{value:g}" for value in np.arange(levels[0], levels[-1]) if value not in levels]
    else:
        absent = []
    return (f"No rating is {', '.join(absent)}: left out of the scale.",) if absent else ()


def _trouble(
    criterion: LaplaceCriterion,
    fixed: Sequence[str],
    variances: FloatArray,
    deviations: dict[str, float],
    converged: bool,
) -> tuple[str, ...]:
    """Why the estimates are not to be relied on; empty where they are."""
    finite = bool(np.all((variances > 0) & (variances < SEPARATED**2)))
    unbounded = [name for name, value in deviations.items() if not value < SEPARATED]
    if finite and converged and not unbounded:
        return ()
    predictors = criterion.fixed
    separating = separating_predictors(predictors, criterion.codes, criterion.n_thresholds + 1)
    by = [*(fixed[place] for place in separating), *unbounded]
    if by:
        return (
            f"Some categories are predicted perfectly by {', '.join(by)} (separation): effects "
            "have no finite estimate; do not rely on these numbers.",
        )
    if predictors.shape[1] > 1 and np.linalg.cond(predictors) > COLLINEAR:
        return (
            f"The predictors {', '.join(fixed)} are nearly collinear: their effects cannot be "
            "told apart; do not rely on these numbers.",
        )
    return ("The search did not reach a clear optimum; do not rely on these numbers.",)


def _named(names: Sequence[str], values: FloatArray) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))


def _fit(
    criterion: LaplaceCriterion,
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_], bool]:
    """Optimum, covariance (zero for entries on the boundary), free entries, and convergence."""
    diagonal = criterion.diagonal
    parameters = _search(criterion, _start(criterion))
    for place in np.flatnonzero(diagonal & (parameters < NEAR_ZERO)):
        # Zero is always stationary in a scale: make sure that it is not a trap.
        trial = parameters.copy()
        trial[place] = 0.2
        again = _search(criterion, trial)
        if _value(criterion, again) < _value(criterion, parameters) - 1e-8:
            parameters = again
    free = np.ones(parameters.size, dtype=bool)
    for place in np.flatnonzero(diagonal & (parameters < NEAR_ZERO)):
        trial = parameters.copy()
        trial[place] = 0.0
        if _value(criterion, trial) <= _value(criterion, parameters) + 1e-7:
            parameters, free[place] = trial, False
    parameters, hessian, converged = _polish(criterion, parameters, free)
    covariance = np.zeros((parameters.size, parameters.size))
    covariance[np.ix_(free, free)] = np.linalg.pinv(hessian, hermitian=True)
    return parameters, covariance, free, converged


def _value(criterion: LaplaceCriterion, parameters: FloatArray) -> float:
    return criterion.value_and_gradient(parameters)[0]


def _start(criterion: LaplaceCriterion) -> FloatArray:
    """Thresholds at the shares of the categories, no effects, middling variances."""
    counts = np.bincount(criterion.codes)
    shares = np.cumsum(counts)[:-1] / counts.sum()
    start = np.where(criterion.diagonal, 0.5, 0.0)
    start[: criterion.n_thresholds] = stats.logistic.ppf(shares)
    return start


def _search(criterion: LaplaceCriterion, start: FloatArray) -> FloatArray:
    """Quasi-Newton search in which log gaps keep the thresholds in order."""
    n_cuts = criterion.n_thresholds

    def natural(values: FloatArray) -> FloatArray:
        result = values.copy()
        result[1:n_cuts] = values[0] + np.cumsum(np.exp(values[1:n_cuts]))
        return result

    def objective(scaled: FloatArray) -> tuple[float, FloatArray]:
        values = scaled / scale
        value, slope = criterion.value_and_gradient(natural(values))
        moved = slope.copy()
        from_top = np.cumsum(slope[:n_cuts][::-1])[::-1]
        moved[0] = from_top[0]
        moved[1:n_cuts] = from_top[1:] * np.exp(values[1:n_cuts])
        return value, moved / scale

    values = start.copy()
    values[1:n_cuts] = np.log(np.diff(start[:n_cuts]))
    scale = criterion.information_scale()
    bounds = np.array([(0.0 if each else -np.inf, np.inf) for each in criterion.diagonal])
    # Logs of gaps stay where exp neither overflows nor closes a gap entirely.
    bounds[1:n_cuts] = (-20.0, 5.0)
    found = optimize.minimize(
        objective,
        values * scale,
        jac=True,
        method="L-BFGS-B",
        bounds=optimize.Bounds(bounds[:, 0] * scale, bounds[:, 1] * scale),
        options={"ftol": 1e-14, "gtol": 1e-5, "maxiter": 500, "maxcor": 30},
    )
    return natural(found.x / scale)


def _polish(
    criterion: LaplaceCriterion, parameters: FloatArray, free: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray, bool]:
    """Newton steps with the differenced gradient; also the Hessian at the end."""
    parameters = parameters.copy()
    levels = min(criterion.rater.n_levels, criterion.image.n_levels)
    hessian = _hessian(criterion, parameters, free)
    promised = np.inf
    for _ in range(8):
        value, slope = criterion.value_and_gradient(parameters)
        if np.linalg.eigvalsh(hessian)[0] <= 0:
            break
        step = np.linalg.solve(hessian, slope[free])
        promised = float(slope[free] @ step) / 2
        if promised < 1e-13:
            break
        trial = parameters.copy()
        trial[free] -= step
        if _value(criterion, trial) > value + 1e-9:
            break
        parameters = trial
        # With 2 levels / variance as the curvature, this moved no standard deviation by more than
        # 1e-5 of itself: what the Hessian was a step ago it still is.
        if promised > 1e-10 * levels:
            hessian = _hessian(criterion, parameters, free)
    return parameters, hessian, bool(promised < CONVERGED)


def _hessian(
    criterion: LaplaceCriterion, parameters: FloatArray, free: NDArray[np.bool_]
) -> FloatArray:
    rows = []
    for place in np.flatnonzero(free):
        shift = np.zeros_like(parameters)
        shift[place] = STEP * max(1.0, abs(parameters[place]))
        difference = criterion.gradient(parameters + shift) - criterion.gradient(parameters - shift)
        rows.append(difference[free] / (2 * shift[place]))
    hessian = np.array(rows)
    return np.asarray((hessian + hessian.T) / 2)
