"""Reliability of ratings: intraclass correlations, complete and incomplete designs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from . import checks
from ._crossed import crossed_design
from ._threads import one_blas_thread
from .checks import FloatArray
from .lmm import RemlCriterion, minimise, variance_covariance
from .results import Interval, Result

COMPLETE_KINDS = {
    "ICC(1)": "one-way random, a single rating",
    "ICC(1,k)": "one-way random, mean of k ratings",
    "ICC(2,1)": "two-way random, absolute agreement, a single rating",
    "ICC(2,k)": "two-way random, absolute agreement, mean of k ratings",
    "ICC(3,1)": "two-way mixed, consistency, a single rating",
    "ICC(3,k)": "two-way mixed, consistency, mean of k ratings",
}
INCOMPLETE_KINDS = {
    "ICC(A,1)": "absolute agreement of a single rating",
    "ICC(A,k)": "absolute agreement of the mean of k ratings, k their harmonic mean per image",
}
KINDS = ("auto", *COMPLETE_KINDS, *INCOMPLETE_KINDS)
N_DRAWS = 20_000


@dataclass(frozen=True, kw_only=True)
class Icc(Result):
    """An intraclass correlation; `estimate` is None where it is not defined.

    `kind` is the coefficient given and `reason` why it was chosen. `k` is the number of ratings
    behind an image's mean: all raters in a complete design, else the harmonic mean over images.
    `single` is the same convention for one rating. `coefficients` has every kind that the design
    allows, each with estimate and interval. `variance_components` holds image, rater and
    residual variances of an incomplete design. `p` tests that images do not differ (complete
    designs only).
    """

    kind: str
    reason: str
    estimate: float | None
    interval: Interval | None
    confidence_level: float
    single: float | None
    k: float | None
    p: float | None
    coefficients: dict[str, dict[str, Any]]
    variance_components: dict[str, float] | None
    n_images: int
    n_raters: int
    n_ratings: int
    n_missing: int
    seed: int | None


def icc(
    frame: pd.DataFrame,
    rating: str = "rating",
    rater: str = "rater",
    image: str = "image",
    kind: str = "auto",
    seed: int = 0,
) -> Icc:
    """Intraclass correlation of a long frame of ratings, with a 95% interval.

    Parameters
    ----------
    frame : DataFrame
        One row per rating; rows with a missing value are dropped and counted.
    kind : {"auto", "ICC(1)", "ICC(1,k)", "ICC(2,1)", "ICC(2,k)", "ICC(3,1)", "ICC(3,k)", \
"ICC(A,1)", "ICC(A,k)"}
        "auto" takes ICC(2,k) where every rater rated every image, else ICC(A,k) from the
        variance components of the crossed mixed model.
    seed : int
        For the Monte-Carlo interval of incomplete designs.

    Returns
    -------
    Icc
        `estimate` is None, with a warning that says why, where there are fewer than two raters or
        images, all ratings are equal, or a kind for complete designs is asked of an incomplete
        one.

    Raises
    ------
    ValueError
        If a column is missing, ratings are not finite numbers, a rater rated an image twice, or
        the kind is unknown.

    Notes
    -----
    Complete designs: mean squares and intervals of Shrout and Fleiss (1979), Psychological
    Bulletin 86; McGraw and Wong (1996), Psychological Methods 1, write ICC(A,.) for ICC(2,.) and
    ICC(C,.) for ICC(3,.). The interval of ICC(2,k) is the Spearman-Brown image of that of
    ICC(2,1). The usual package for this, pingouin, agrees, and is not used because it loads
    matplotlib, drops incomplete rows in silence and rounds its intervals.

    Incomplete designs: V_image / (V_image + (V_rater + V_residual) / k), REML estimates; the
    interval draws standard deviations from their asymptotic normal distribution: ten Hove,
    Jorgensen and van der Ark (2022), Psychological Methods, doi 10.1037/met0000516.

    Examples
    --------
    >>> table = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8],
    ...          [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> frame = pd.DataFrame(table).rename_axis("image").reset_index().melt(
    ...     "image", var_name="rater", value_name="rating")
    >>> result = icc(frame)
    >>> result.kind, round(result.estimate, 2), round(result.single, 2)
    ('ICC(2,k)', 0.62, 0.29)
    """
    checks.one_of(kind, KINDS, "kind")
    checks.columns(frame, [rating, rater, image])
    used = frame.loc[:, [rating, rater, image]].dropna()
    used = used.set_axis(["rating", "rater", "image"], axis=1)
    values = checks.numeric_vector(used["rating"], rating)
    used = used.assign(rating=values)
    repeated = int(used.duplicated(["rater", "image"]).sum())
    if repeated:
        raise ValueError(
            f"frame must have one rating per {rater} and {image}; got {repeated} repeated pairs"
        )
    n_raters, n_images = used["rater"].nunique(), used["image"].nunique()
    complete = len(used) == n_raters * n_images
    chosen = kind if kind != "auto" else ("ICC(2,k)" if complete else "ICC(A,k)")
    if kind != "auto":
        reason = "asked for"
    elif complete:
        reason = "every rater rated every image, and raters stand for others like them"
    else:
        reason = (
            f"{len(used)} of {n_raters * n_images} possible ratings were given, so the design "
            "is incomplete"
        )
    words = (COMPLETE_KINDS | INCOMPLETE_KINDS)[chosen]
    common: dict[str, Any] = {
        "kind": chosen,
        "reason": reason,
        "confidence_level": 0.95,
        "n_images": n_images,
        "n_raters": n_raters,
        "n_ratings": len(used),
        "n_missing": len(frame) - len(used),
    }
    problem = None
    if min(n_raters, n_images) < 2:
        problem = f"it needs two raters and two images; there are {n_raters} and {n_images}."
    elif np.unique(values).size == 1:
        problem = "all ratings are equal, so there is no variance to share."
    elif chosen in COMPLETE_KINDS and not complete:
        problem = (
            f"{chosen} needs every rater to rate every image; "
            f"{n_raters * n_images - len(used)} ratings are missing. ICC(A,k) can do without them."
        )
    elif chosen in INCOMPLETE_KINDS and len(used) <= n_raters + n_images:
        problem = (
            f"{len(used)} ratings by {n_raters} raters of {n_images} images are too few to "
            "separate raters, images and noise."
        )
    if problem:
        return Icc(
            method=f"{chosen}: {words}",
            estimate=None,
            interval=None,
            single=None,
            k=None,
            p=None,
            coefficients={},
            variance_components=None,
            seed=None,
            warnings=(f"The coefficient is not defined: {problem}",),
            **common,
        )
    if chosen in COMPLETE_KINDS:
        return _complete(used, chosen, common)
    with one_blas_thread():
        return _incomplete(used, chosen, seed, common)


def _complete(used: pd.DataFrame, kind: str, common: dict[str, Any]) -> Icc:
    table = used.pivot(index="image", columns="rater", values="rating").to_numpy()
    squares = _MeanSquares.of(table)
    coefficients: dict[str, dict[str, Any]] = {
        name: {"estimate": estimate, "interval": interval}
        for name, (estimate, interval) in squares.coefficients(table.shape).items()
    }
    estimate, interval = coefficients[kind]["estimate"], coefficients[kind]["interval"]
    warnings: tuple[str, ...] = ()
    if estimate is None:
        warnings = ("The coefficient is not defined: images do not differ in their means.",)
    elif interval is None:
        warnings = ("The interval is not defined: raters agree perfectly.",)
    elif estimate < 0:
        warnings = (
            "The estimate is negative: images differ less than chance would have them differ; "
            "read it as no reliability.",
        )
    single = "ICC(1)" if kind.startswith("ICC(1") else f"{kind[:5]},1)"
    return Icc(
        method=f"{kind}: {COMPLETE_KINDS[kind]}; mean squares, F interval",
        estimate=estimate,
        interval=interval,
        single=coefficients[single]["estimate"],
        k=float(common["n_raters"]) if kind.endswith("k)") else 1.0,
        p=squares.p(table.shape, one_way=kind.startswith("ICC(1")),
        coefficients=coefficients,
        variance_components=None,
        seed=None,
        warnings=warnings,
        **common,
    )


@dataclass(frozen=True)
class _MeanSquares:
    """Of the two-way table without repeats: images, raters, within images, and residual."""

    images: float
    raters: float
    within: float
    residual: float

    @classmethod
    def of(cls, table: FloatArray) -> "_MeanSquares":
        n, k = table.shape
        by_image, by_rater = table.mean(axis=1), table.mean(axis=0)
        rest = table - by_image[:, None] - by_rater + table.mean()
        return cls(
            images=k * float(by_image.var(ddof=1)),
            raters=n * float(by_rater.var(ddof=1)),
            within=float(np.sum((table - by_image[:, None]) ** 2)) / (n * (k - 1)),
            residual=float(np.sum(rest**2)) / ((n - 1) * (k - 1)),
        )

    def p(self, shape: tuple[int, ...], one_way: bool) -> float | None:
        """F test that images do not differ."""
        n, k = shape
        noise, freedom = (
            (self.within, n * (k - 1)) if one_way else (self.residual, (n - 1) * (k - 1))
        )
        if self._no_noise(noise):
            return None
        return float(stats.f.sf(self.images / noise, n - 1, freedom))

    def coefficients(
        self, shape: tuple[int, ...]
    ) -> dict[str, tuple[float | None, Interval | None]]:
        """All six coefficients and intervals; None where a ratio is 0 / 0 or F is infinite."""
        n, k = shape
        result: dict[str, tuple[float | None, Interval | None]] = {}
        for one, many, noise, freedom in (
            ("ICC(1)", "ICC(1,k)", self.within, n * (k - 1)),
            ("ICC(3,1)", "ICC(3,k)", self.residual, (n - 1) * (k - 1)),
        ):
            estimate = _ratio(self.images - noise, self.images + (k - 1) * noise)
            interval: Interval | None = None
            if not self._no_noise(noise):
                f = self.images / noise
                low = f / stats.f.ppf(0.975, n - 1, freedom)
                high = f * stats.f.ppf(0.975, freedom, n - 1)
                interval = (
                    float((low - 1) / (low + k - 1)),
                    float((high - 1) / (high + k - 1)),
                )
            result |= _single_and_mean(one, many, estimate, interval, k)
        estimate = _ratio(
            self.images - self.residual,
            self.images + (k - 1) * self.residual + k * (self.raters - self.residual) / n,
        )
        result |= _single_and_mean(
            "ICC(2,1)", "ICC(2,k)", estimate, self._agreement_interval(estimate, n, k), k
        )
        return {kind: result[kind] for kind in COMPLETE_KINDS}

    def _agreement_interval(self, estimate: float | None, n: int, k: int) -> Interval | None:
        """Shrout and Fleiss's (1979) interval of ICC(2,1), by Satterthwaite's freedom."""
        if estimate is None or self._no_noise(self.residual):
            return None
        f = self.raters / self.residual
        first, second = k * estimate * f, n * (1 + (k - 1) * estimate) - k * estimate
        freedom = (n - 1) * (k - 1) * (first + second) ** 2 / ((n - 1) * first**2 + second**2)
        other = k * self.raters + (k * n - k - n) * self.residual
        low = stats.f.ppf(0.975, n - 1, freedom)
        high = stats.f.ppf(0.975, freedom, n - 1)
        return (
            float(n * (self.images - low * self.residual) / (low * other + n * self.images)),
            float(n * (high * self.images - self.residual) / (other + n * high * self.images)),
        )

    def _no_noise(self, noise: float) -> bool:
        """Whether a mean square is zero but for rounding."""
        return noise <= 1e-12 * (self.images + self.raters)


def _ratio(above: float, below: float) -> float | None:
    return above / below if below > 0 else None


def _single_and_mean(
    one: str, many: str, estimate: float | None, interval: Interval | None, k: int
) -> dict[str, tuple[float | None, Interval | None]]:
    """A single rating's coefficient with that of a mean of k, by Spearman and Brown."""

    def of_mean(value: float) -> float | None:
        return _ratio(k * value, 1 + (k - 1) * value)

    mean = None if estimate is None else of_mean(estimate)
    limits = None if interval is None else (of_mean(interval[0]), of_mean(interval[1]))
    if limits is None or limits[0] is None or limits[1] is None:
        return {one: (estimate, interval), many: (mean, None)}
    return {one: (estimate, interval), many: (mean, (limits[0], limits[1]))}


def _incomplete(used: pd.DataFrame, kind: str, seed: int, common: dict[str, Any]) -> Icc:
    criterion = RemlCriterion(crossed_design(used, "rating", (), "rater", "image", ()))
    theta, converged = minimise(criterion)
    sigma = criterion.sigma(theta)
    # Standard deviations of rater, image and residual, as theta is in units of sigma.
    deviations = np.append(np.abs(theta), 1.0) * sigma
    drawn = _drawn_deviations(criterion, theta, sigma, np.random.default_rng(seed))
    k = float(stats.hmean(used["image"].value_counts().to_numpy()))
    coefficients: dict[str, dict[str, Any]] = {}
    for name, n_ratings in (("ICC(A,1)", 1.0), ("ICC(A,k)", k)):
        low, high = np.quantile(_share(drawn, n_ratings), [0.025, 0.975])
        coefficients[name] = {
            "estimate": float(_share(deviations, n_ratings)),
            # Draws are absolute values: at the boundary none falls on the zero they surround.
            "interval": (float(low) if theta[-1] > 0 else 0.0, float(high)),
        }
    warnings = []
    if not converged:
        warnings.append("The mixed model did not reach a clear optimum; do not rely on this.")
    for name, value in zip(("rater", "image"), theta, strict=True):
        if value == 0:
            warnings.append(f"The variance of {name} is estimated as zero; the interval is rough.")
    return Icc(
        method=f"{kind}: {INCOMPLETE_KINDS[kind]}; crossed variance components by REML, "
        f"Monte-Carlo interval from {N_DRAWS} draws",
        estimate=coefficients[kind]["estimate"],
        interval=coefficients[kind]["interval"],
        single=coefficients["ICC(A,1)"]["estimate"],
        k=k if kind == "ICC(A,k)" else 1.0,
        p=None,
        coefficients=coefficients,
        variance_components=dict(
            zip(("rater", "image", "residual"), (deviations**2).tolist(), strict=True)
        ),
        seed=int(seed),
        warnings=tuple(warnings),
        **common,
    )


def _drawn_deviations(
    criterion: RemlCriterion, theta: FloatArray, sigma: float, rng: np.random.Generator
) -> FloatArray:
    """Draws of the rater's, image's and residual standard deviations, (draws, 3)."""
    # The criterion is even in a scale, so it has curvature, and a half-normal, at zero too.
    covariance = variance_covariance(criterion, theta, np.ones(theta.size, dtype=bool))
    centre = np.append(theta, 1.0) * sigma
    jacobian = np.diag(np.append(np.full(theta.size, sigma), 1.0))
    jacobian[:-1, -1] = theta
    covariance = jacobian @ covariance @ jacobian.T
    values, vectors = np.linalg.eigh(covariance)
    noise = rng.standard_normal((N_DRAWS, centre.size)) * np.sqrt(np.maximum(values, 0))
    return np.asarray(np.abs(centre + noise @ vectors.T))


def _share(deviations: FloatArray, n_ratings: float) -> FloatArray:
    """The ICC of a mean of `n_ratings` from standard deviations (..., rater/image/residual)."""
    rater, image, residual = np.moveaxis(np.square(deviations), -1, 0)
    return np.asarray(image / (image + (rater + residual) / n_ratings))
