"""Tests and intervals of fixed effects when there are few images or raters."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from . import checks
from ._crossed import CrossedDesign
from .checks import FloatArray
from .results import Interval, Result


@dataclass(frozen=True, kw_only=True)
class SmallSample(Result):
    """t tests and intervals of a model's fixed effects; dicts are keyed by term.

    An effect without a degree of freedom left has None everywhere but for its estimate.
    """

    estimates: dict[str, float]
    standard_errors: dict[str, float | None]
    degrees_of_freedom: dict[str, float | None]
    p_values: dict[str, float | None]
    intervals: dict[str, Interval | None]
    confidence_level: float


def predictor_levels(design: CrossedDesign) -> dict[str, str]:
    """What each predictor is a property of: "image", "rater", or the single "rating"."""
    levels = {}
    for name, column in zip(design.fixed_names[1:], design.fixed[:, 1:].T, strict=True):
        levels[name] = "rating"
        for factor in (design.rater, design.image):
            if _constant_within(factor.codes, factor.n_levels, column):
                levels[name] = factor.name
    return levels


def _constant_within(codes: np.ndarray, n_levels: int, column: FloatArray) -> bool:
    by_level = np.empty(n_levels)
    by_level[codes] = column
    return bool(np.array_equal(by_level[codes], column))


def between_within(
    estimates: Mapping[str, float],
    standard_errors: Mapping[str, float],
    random_sd: Mapping[str, float],
    levels: Mapping[str, str],
    sizes: Mapping[str, int],
    confidence_level: float = 0.95,
) -> SmallSample:
    """t tests of a model fitted by maximum likelihood, its standard errors corrected for that.

    Parameters
    ----------
    levels : mapping
        What each predictor is a property of, as `predictor_levels` says.
    sizes : mapping
        Numbers of "rater", "image" and "rating".

    Notes
    -----
    Which images there are decides most of what is known of a property of images, and maximum
    likelihood takes the variance between I images over I, not over the I - 1 - q degrees of
    freedom that q such predictors leave. The squared standard error is split into what rater
    slopes add to it, s^2 / R for R raters with slopes of SD s, and the rest; the rest is
    multiplied by I / (I - 1 - q), the slopes' part by R / (R - 1), and both are put together with
    Satterthwaite's (1946) degrees of freedom from I - 1 - q and R - 1. Properties of raters are
    treated alike with raters for images; for properties of single ratings the ratings left after
    all raters and images count, and nothing is corrected.

    Degrees of freedom by the level of a predictor: Li and Redden (2015), BMC Medical Research
    Methodology 15:38; Elff, Heisig, Schaeffer and Shikano (2021), British Journal of Political
    Science 51, also on why maximum likelihood needs the correction. The split is ours, by
    simulation: tests/benchmarks/inference prints its error and coverage beside Wald's.

    Examples
    --------
    >>> found = between_within({"size": 0.5}, {"size": 0.2}, {"rater": 1.0, "image": 0.7},
    ...                        {"size": "image"}, {"rater": 20, "image": 40, "rating": 800})
    >>> found.degrees_of_freedom, round(found.p_values["size"], 4)
    ({'size': 38.0}, 0.0196)
    """
    tail = (1 + checks.level(confidence_level)) / 2
    n = {level: sum(each == level for each in levels.values()) for level in sizes}
    between = {level: sizes[level] - 1 - n[level] for level in ("rater", "image")}
    within = sizes["rating"] - sizes["rater"] - sizes["image"] + 1 - n["rating"]
    errors: dict[str, float | None] = {}
    freedoms: dict[str, float | None] = {}
    p_values: dict[str, float | None] = {}
    intervals: dict[str, Interval | None] = {}
    for name, estimate in estimates.items():
        level = levels[name]
        left = within if level == "rating" else between[level]
        errors[name] = freedoms[name] = p_values[name] = intervals[name] = None
        if left < 1:
            continue
        variance = standard_errors[name] ** 2
        slopes = min(random_sd.get(f"rater:{name}", 0.0) ** 2 / sizes["rater"], variance)
        own = variance - slopes
        if level != "rating":
            own *= sizes[level] / left
        slopes *= sizes["rater"] / (sizes["rater"] - 1)
        if np.isfinite(variance):
            freedom = (own + slopes) ** 2 / (own**2 / left + slopes**2 / (sizes["rater"] - 1))
        else:
            freedom = float(left)
        error = float(np.sqrt(own + slopes))
        margin = float(stats.t.ppf(tail, freedom)) * error
        errors[name], freedoms[name] = error, float(freedom)
        p_values[name] = float(2 * stats.t.sf(abs(estimate) / error, freedom))
        intervals[name] = (estimate - margin, estimate + margin)
    return SmallSample(
        method="t tests with degrees of freedom from the images (raters) that a predictor is a "
        "property of and from raters' slopes; standard errors corrected for maximum likelihood",
        estimates=dict(estimates),
        standard_errors=errors,
        degrees_of_freedom=freedoms,
        p_values=p_values,
        intervals=intervals,
        confidence_level=confidence_level,
        warnings=tuple(
            f"Too few levels of {levels[name]} to test {name}."
            for name, freedom in freedoms.items()
            if freedom is None
        ),
    )
