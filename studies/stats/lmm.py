"""Linear mixed model with crossed raters and images, by REML."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import linalg, optimize, stats

from . import checks
from ._crossed import CrossedDesign, CrossedSystem, Factor, crossed_design
from ._threads import one_blas_thread
from .checks import FloatArray
from .results import Interval, Result
from .small_sample import SmallSample

# A relative standard deviation below this is tried at exactly zero.
NEAR_ZERO = 1e-3
# Standard deviations, of the residual and per SD of a predictor, of effects that hardly vary.
NEGLIGIBLE = 0.01
# Decrease of the deviance that a Newton step may still promise at a converged optimum.
CONVERGED = 1e-6
# Residual standard deviation over that of the response.
PERFECT = 1e-6
# Of differences of the exact gradient.
STEP = 1e-4
SAME = 1e-3
# Relative standard deviations where the search starts.
START = 0.5


@dataclass(frozen=True, kw_only=True)
class LinearMixedModel(Result):
    """A fitted linear mixed model; dicts are keyed by term.

    `random_sd` has "rater", "image" and one "rater:<slope>" per rater slope;
    `random_correlations` the correlations of a rater's effects, None where one has no variance.
    `p_values` are two-sided, from t with Satterthwaite's `degrees_of_freedom`.
    """

    formula: str
    estimates: dict[str, float]
    standard_errors: dict[str, float]
    degrees_of_freedom: dict[str, float]
    p_values: dict[str, float]
    random_sd: dict[str, float]
    random_correlations: dict[str, float | None]
    residual_sd: float
    log_likelihood: float
    converged: bool
    n_ratings: int
    n_raters: int
    n_images: int
    n_missing: int
    covariance: FloatArray = field(repr=False)

    def interval(self, confidence_level: float = 0.95) -> dict[str, Interval]:
        """Interval of each fixed effect, estimate +- t SE with Satterthwaite's freedom."""
        tail = (1 + checks.level(confidence_level)) / 2
        result = {}
        for name, estimate in self.estimates.items():
            margin = stats.t.ppf(tail, self.degrees_of_freedom[name]) * self.standard_errors[name]
            result[name] = (float(estimate - margin), float(estimate + margin))
        return result

    def small_sample(self, confidence_level: float = 0.95) -> SmallSample:
        """What the model says already: REML, and t with Satterthwaite's degrees of freedom."""
        return SmallSample(
            method="t tests with Satterthwaite's degrees of freedom; REML",
            estimates=self.estimates,
            standard_errors=dict(self.standard_errors),
            degrees_of_freedom=dict(self.degrees_of_freedom),
            p_values=dict(self.p_values),
            intervals=dict(self.interval(confidence_level)),
            confidence_level=confidence_level,
        )

    def to_dict(self) -> dict[str, Any]:
        """Fields as JSON values, with the 95% intervals."""
        intervals = {name: list(limits) for name, limits in self.interval(0.95).items()}
        return super().to_dict() | {"confidence_level": 0.95, "intervals": intervals}


def fit_lmm(
    frame: pd.DataFrame,
    response: str = "rating",
    fixed: Sequence[str] = (),
    rater: str = "rater",
    image: str = "image",
    rater_slopes: Sequence[str] = (),
) -> LinearMixedModel:
    """Fit response ~ fixed + (1 + rater_slopes | rater) + (1 | image) by REML.

    Parameters
    ----------
    frame : DataFrame
        One row per rating; rows with a missing value in a used column are dropped and counted.
    response, rater, image : str
        Column names.
    fixed : sequence of str
        Numeric predictors; the intercept is always there.
    rater_slopes : sequence of str
        Predictors, among `fixed`, whose slope varies by rater, correlated with the intercept.

    Returns
    -------
    LinearMixedModel
        A variance of zero and a failed convergence are said in `warnings`.

    Raises
    ------
    ValueError
        If a column is missing or not numeric, predictors are collinear, there are too few
        raters, images or ratings, or the ratings are predicted perfectly.

    Notes
    -----
    The REML criterion is profiled over the fixed effects and the residual variance: Bates,
    Maechler, Bolker and Walker (2015), Journal of Statistical Software 67, equation 42. Degrees
    of freedom by Satterthwaite as in Kuznetsova, Brockhoff and Christensen (2017), the same
    journal 82. An evaluation costs O(smaller factor cubed + ratings).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame([(r, i) for r in range(8) for i in range(20)],
    ...                      columns=["rater", "image"])
    >>> frame["size_z"] = rng.normal(size=20)[frame.image]
    >>> frame["rating"] = (frame.size_z + rng.normal(size=8)[frame.rater]
    ...                    + rng.normal(size=20)[frame.image] + rng.normal(size=160))
    >>> model = fit_lmm(frame, fixed=["size_z"])
    >>> sorted(model.random_sd), model.converged
    (['image', 'rater'], True)
    """
    design = crossed_design(frame, response, fixed, rater, image, rater_slopes)
    for factor in (design.rater, design.image):
        if factor.size >= design.n:
            raise ValueError(
                f"{factor.name} must have fewer random effects than there are ratings; got "
                f"{factor.size} effects and {design.n} ratings"
            )
    left_over = design.response - design.fixed @ np.linalg.lstsq(design.fixed, design.response)[0]
    if np.linalg.norm(left_over) <= 1e-10 * max(1.0, float(np.linalg.norm(design.response))):
        raise ValueError(f"{response} must vary beyond what fixed predicts; got a perfect fit")
    spread = float(design.response.std())
    with one_blas_thread():
        try:
            criterion = RemlCriterion(design)
            theta, converged = minimise(criterion)
            perfect = criterion.sigma(theta) < PERFECT * spread
        except linalg.LinAlgError:
            # The crossproducts lose their rank as the residual variance goes to zero.
            perfect = True
        if perfect:
            raise ValueError(
                f"{response} must vary beyond what fixed, rater and image predict; got a perfect "
                "fit"
            )
        formula = _formula(response, fixed, rater_slopes)
        return _result(design, criterion, theta, converged, formula)


class RemlCriterion:
    """Minus twice the restricted log likelihood of a crossed design.

    Fixed effects are fitted on an orthonormal basis, so that neither the scale nor the origin of
    a predictor costs precision.
    """

    def __init__(self, design: CrossedDesign) -> None:
        self.design = design
        basis, self.to_basis = np.linalg.qr(design.fixed)
        self.centre = design.response.mean()
        columns = np.column_stack([basis, design.response - self.centre])
        self.system = CrossedSystem(design.rater, design.image, columns)
        self.freedom = design.n - basis.shape[1]
        self.constant = 2 * float(np.log(np.abs(np.diag(self.to_basis))).sum())
        self.diagonal = np.concatenate([design.rater.diagonal_places, design.image.diagonal_places])
        self.visited: dict[bytes, RemlPoint] = {}
        self.last_around: tuple[FloatArray, NDArray[np.bool_], list[Shifted]]
        self.last_around = np.empty(0), np.empty(0, dtype=bool), []

    def at(self, theta: FloatArray) -> "RemlPoint":
        """What the criterion is made of at relative Cholesky entries, with slopes.

        Kept for every point visited: a few numbers each, and the end of a search is asked for
        repeatedly.
        """
        key = theta.tobytes()
        if key not in self.visited:
            self.visited[key] = self._at(theta)
        return self.visited[key]

    def _at(self, theta: FloatArray) -> "RemlPoint":
        profile = self.system.profile(theta)
        cholesky = linalg.cholesky(profile.crossproduct, check_finite=False)
        root = linalg.solve_triangular(cholesky[:-1, :-1], np.eye(len(cholesky) - 1))
        on_basis = root @ cholesky[:-1, -1]
        slopes = profile.crossproduct_slope
        residual_contrast = np.append(-on_basis, 1.0)
        log_determinants = profile.log_determinant + self.constant
        log_determinants += 2 * float(np.log(np.diag(cholesky)[:-1]).sum())
        return RemlPoint(
            log_determinants=log_determinants,
            residual=float(cholesky[-1, -1] ** 2),
            log_determinants_slope=profile.log_determinant_slope
            + np.einsum("ij,pik,kj->p", root, slopes[:, :-1, :-1], root),
            residual_slope=np.einsum("i,pij,j->p", residual_contrast, slopes, residual_contrast),
            on_basis=on_basis,
            root=root,
        )

    def __call__(self, theta: FloatArray) -> float:
        """The criterion at its best residual variance."""
        return self.value_and_gradient(theta)[0]

    def value_and_gradient(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """The criterion at its best residual variance, and its slope."""
        point = self.at(theta)
        scaled = np.log(2 * np.pi * point.residual / self.freedom)
        slope = self.freedom * point.residual_slope / point.residual
        return (
            point.log_determinants + self.freedom * (1 + float(scaled)),
            point.log_determinants_slope + slope,
        )

    def sigma(self, theta: FloatArray) -> float:
        """The best residual standard deviation."""
        return float(np.sqrt(self.at(theta).residual / self.freedom))

    def fixed_effects(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Estimates, and their covariance over the residual variance."""
        point = self.at(theta)
        estimates = linalg.solve_triangular(self.to_basis, point.on_basis)
        estimates[0] += self.centre
        return estimates, self.covariance(point)

    def covariance(self, point: "RemlPoint") -> FloatArray:
        """Covariance of the fixed effects over the residual variance."""
        root = linalg.solve_triangular(self.to_basis, point.root)
        return root @ root.T

    def around(self, theta: FloatArray, free: NDArray[np.bool_]) -> "list[Shifted]":
        """The criterion a step above and below each free entry.

        A last Newton step that moves nothing by a thousandth of that step leaves differences
        what they were.
        """
        near, places, kept = self.last_around
        if near.size and np.array_equal(places, free) and np.abs(near - theta).max() < SAME * STEP:
            return kept
        result = []
        for place in np.flatnonzero(free):
            shift = np.zeros_like(theta)
            shift[place] = STEP * max(1.0, abs(theta[place]))
            result.append(
                Shifted(2 * float(shift[place]), self.at(theta + shift), self.at(theta - shift))
            )
        self.last_around = theta, free, result
        return result


@dataclass(frozen=True)
class RemlPoint:
    """Log determinants and penalised residual sum of squares with slopes; fixed effects.

    `on_basis` are the fixed effects on the orthonormal basis, `root` a square root of their
    covariance over the residual variance.
    """

    log_determinants: float
    residual: float
    log_determinants_slope: FloatArray
    residual_slope: FloatArray
    on_basis: FloatArray
    root: FloatArray


@dataclass(frozen=True)
class Shifted:
    """Points on both sides of an entry, `width` apart."""

    width: float
    up: RemlPoint
    down: RemlPoint

    def difference(self, quantity: Callable[[RemlPoint], FloatArray]) -> FloatArray:
        return (quantity(self.up) - quantity(self.down)) / self.width


def minimise(criterion: RemlCriterion) -> tuple[FloatArray, bool]:
    """The relative Cholesky entries at the optimum, and whether it is one.

    A quasi-Newton search, then Newton steps with the differenced gradient. Because the criterion
    is even in a factor's scale, zero is always stationary: a search that ends there is started
    again from a small positive value, and one that ends near there is tried at zero.
    """
    diagonal = criterion.diagonal
    bounds = [(0.0, None) if positive else (None, None) for positive in diagonal]
    # Curvature is about twice the number of levels over the square of a standard deviation: on
    # this scale the search's first steps have the right length in every direction.
    design = criterion.design
    scale = (
        np.sqrt(
            [2.0 * f.n_levels for f in (design.rater, design.image) for _ in range(f.n_parameters)]
        )
        / START
    )

    def search(start: FloatArray) -> FloatArray:
        def scaled(values: FloatArray) -> tuple[float, FloatArray]:
            value, slope = criterion.value_and_gradient(values / scale)
            return value, slope / scale

        found = optimize.minimize(
            scaled,
            start * scale,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"ftol": 1e-11, "gtol": 1e-4, "maxiter": 200},
        )
        return np.asarray(found.x / scale)

    theta = search(np.where(diagonal, START, 0.0))
    for place in np.flatnonzero(diagonal & (theta < NEAR_ZERO)):
        trial = theta.copy()
        trial[place] = 0.1
        again = search(trial)
        if criterion(again) < criterion(theta) - 1e-8:
            theta = again
    at_zero = diagonal & (theta < NEAR_ZERO)
    for place in np.flatnonzero(at_zero):
        trial = theta.copy()
        trial[place] = 0.0
        if criterion(trial) <= criterion(theta) + 1e-7:
            theta = trial
        else:
            at_zero[place] = False
    return _polish(criterion, theta, ~at_zero)


def _polish(
    criterion: RemlCriterion, theta: FloatArray, free: NDArray[np.bool_]
) -> tuple[FloatArray, bool]:
    if not free.any():
        return theta, True
    n = criterion.freedom

    def slope_at(point: RemlPoint) -> FloatArray:
        return (point.log_determinants_slope + n * point.residual_slope / point.residual)[free]

    promised = np.inf
    hessian = None
    for _ in range(8):
        value, slope = criterion.value_and_gradient(theta)
        if hessian is None:
            hessian = np.array([s.difference(slope_at) for s in criterion.around(theta, free)])
            hessian = (hessian + hessian.T) / 2
        if np.linalg.eigvalsh(hessian)[0] <= 0:
            break
        step = np.linalg.solve(hessian, slope[free])
        promised = float(slope[free] @ step) / 2
        if promised < 1e-13:
            break
        moved = theta.copy()
        moved[free] -= step
        if criterion(moved) > value + 1e-9:
            break
        theta = moved
        if promised > 1e-6:
            hessian = None
    return theta, bool(promised < CONVERGED)


def variance_covariance(
    criterion: RemlCriterion, theta: FloatArray, free: NDArray[np.bool_]
) -> FloatArray:
    """Asymptotic covariance of (free entries of theta, sigma)."""
    return _variance_covariance(criterion, theta, free, criterion.around(theta, free))


def _variance_covariance(
    criterion: RemlCriterion,
    theta: FloatArray,
    free: NDArray[np.bool_],
    around: "list[Shifted]",
) -> FloatArray:
    """Twice the inverse Hessian of log determinants + n log sigma^2 + residual / sigma^2."""
    n, centre = criterion.freedom, criterion.at(theta)
    variance = centre.residual / n
    sigma = np.sqrt(variance)

    def slope_at(point: RemlPoint) -> FloatArray:
        return (point.log_determinants_slope + point.residual_slope / variance)[free]

    size = int(free.sum())
    hessian = np.empty((size + 1, size + 1))
    if size:
        block = np.array([shifted.difference(slope_at) for shifted in around])
        hessian[:-1, :-1] = (block + block.T) / 2
    hessian[-1, :-1] = hessian[:-1, -1] = -2 * centre.residual_slope[free] / sigma**3
    hessian[-1, -1] = -2 * n / variance + 6 * centre.residual / variance**2
    return np.asarray(2 * np.linalg.pinv(hessian, hermitian=True))


def _satterthwaite(criterion: RemlCriterion, theta: FloatArray) -> FloatArray:
    # An entry at zero lies on the boundary, where the standard errors do not depend on it.
    free = ~(criterion.diagonal & (theta == 0))
    around = criterion.around(theta, free)
    covariance = _variance_covariance(criterion, theta, free, around)
    sigma = criterion.sigma(theta)
    relative = np.diag(criterion.fixed_effects(theta)[1])
    slopes = [
        sigma**2 * shifted.difference(lambda point: np.diag(criterion.covariance(point)))
        for shifted in around
    ]
    jacobian = np.array([*slopes, 2 * sigma * relative])
    spread = np.einsum("ij,ik,kj->j", jacobian, covariance, jacobian)
    return np.asarray(2 * (sigma**2 * relative) ** 2 / np.maximum(spread, 1e-300))


def random_sd(factor: Factor, theta: FloatArray) -> dict[str, float]:
    """Standard deviations of a factor's effects relative to the residual, by term."""
    return _by_term(factor, np.linalg.norm(factor.own_units(theta), axis=1))


def standardised_sd(factor: Factor, theta: FloatArray) -> dict[str, float]:
    """The same at the predictors' means, with slopes per standard deviation of their predictor."""
    return _by_term(factor, np.linalg.norm(factor.lower(theta), axis=1))


def _by_term(factor: Factor, lengths: FloatArray) -> dict[str, float]:
    names = (factor.name, *(f"{factor.name}:{column}" for column in factor.columns[1:]))
    return dict(zip(names, lengths.tolist(), strict=True))


def random_correlations(factor: Factor, theta: FloatArray) -> dict[str, float | None]:
    """Correlations among a factor's effects; None where one has no variance."""
    lower = factor.own_units(theta)
    lengths = np.linalg.norm(lower, axis=1)
    result: dict[str, float | None] = {}
    for i in range(factor.width):
        for j in range(i):
            scale = lengths[i] * lengths[j]
            key = f"{factor.name}:{factor.columns[j]},{factor.columns[i]}"
            result[key] = float(lower[i] @ lower[j] / scale) if scale > 0 else None
    return result


def _result(
    design: CrossedDesign,
    criterion: RemlCriterion,
    theta: FloatArray,
    converged: bool,
    formula: str,
) -> LinearMixedModel:
    sigma = criterion.sigma(theta)
    estimates, unscaled = criterion.fixed_effects(theta)
    covariance = sigma**2 * unscaled
    errors = np.sqrt(np.diag(covariance))
    freedom = _satterthwaite(criterion, theta)
    p_values = 2 * stats.t.sf(np.abs(estimates / errors), freedom)
    split = design.rater.n_parameters
    relative = random_sd(design.rater, theta[:split]) | random_sd(design.image, theta[split:])
    correlations = random_correlations(design.rater, theta[:split])
    standard = standardised_sd(design.rater, theta[:split])
    standard |= standardised_sd(design.image, theta[split:])
    warnings = boundary_warnings(standard, correlations)
    if not converged:
        warnings += ("The search did not reach a clear optimum; do not rely on these numbers.",)

    def named(values: FloatArray) -> dict[str, float]:
        return dict(zip(design.fixed_names, values.tolist(), strict=True))

    return LinearMixedModel(
        method="Linear mixed model, crossed random effects of raters and images, REML; "
        "t tests with Satterthwaite's degrees of freedom",
        formula=formula,
        estimates=named(estimates),
        standard_errors=named(errors),
        degrees_of_freedom=named(freedom),
        p_values=named(p_values),
        random_sd={name: value * sigma for name, value in relative.items()},
        random_correlations=correlations,
        residual_sd=sigma,
        log_likelihood=float(-criterion(theta) / 2),
        converged=converged,
        n_ratings=design.n,
        n_raters=design.rater.n_levels,
        n_images=design.image.n_levels,
        n_missing=design.n_missing,
        covariance=covariance,
        warnings=warnings,
    )


def _correlated(name: str) -> str:
    """The two effects of a correlation's name, in words."""
    factor, columns = name.split(":", 1)
    intercept, _, slope = columns.partition("(Intercept),")
    if not intercept and slope:
        return f"the {factor}s’ levels and their slopes of {slope}"
    return f"the {factor}s’ slopes ({columns})"


def _negligible(name: str, random_sd: dict[str, float]) -> bool:
    """Whether an effect varies so little that what it is correlated with says nothing."""
    factor, columns = name.split(":", 1)
    terms = [factor if each == "(Intercept)" else f"{factor}:{each}" for each in columns.split(",")]
    return any(random_sd.get(term, 1.0) < NEGLIGIBLE for term in terms)


def boundary_warnings(
    random_sd: dict[str, float], correlations: dict[str, float | None]
) -> tuple[str, ...]:
    """What to say of estimates on the edge of what is possible."""
    said = [
        f"The variance of {name} is estimated as zero."
        for name, value in random_sd.items()
        if value < 1e-4
    ]
    said += [
        f"The correlation between {_correlated(name)} is estimated at its limit ({value:+.2f})."
        for name, value in correlations.items()
        if value is not None and abs(value) > 1 - 1e-6 and not _negligible(name, random_sd)
    ]
    return tuple(said)


def _formula(response: str, fixed: Sequence[str], slopes: Sequence[str]) -> str:
    right = " + ".join(["1", *fixed])
    return f"{response} ~ {right} + ({' + '.join(['1', *slopes])} | rater) + (1 | image)"
