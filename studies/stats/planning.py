"""How large a rating study must be: power and width of intervals, by simulation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from . import checks
from ._replicates import Replicate, Task, replicates
from .costs import CostRates, StudyCost, study_cost
from .rating_model import RatingModel
from .results import Interval, Result, json_safe
from .simulated_choices import ChoiceDesign, ChoiceModel
from .simulated_ratings import RatingDesign

ANALYSES = {
    "clmm": "that model (Laplace, two-sided t test for few images and raters)",
    "lmm": "a linear mixed model of the answers as numbers (REML, Satterthwaite's t, two-sided)",
    "ranks": "Rao and Kupper's model",
}
METHOD = (
    "Simulated from a cumulative link mixed model with crossed raters and images; each study "
    "analysed by {analysis} and by Spearman's rho of image means with the predictor (p from "
    "t(n - 2)); Clopper-Pearson intervals of the shares"
)
CHOICES_METHOD = (
    "Choices between two images simulated from a cumulative link model with raters' slopes and "
    "images; each study analysed by Rao and Kupper's model and by Spearman's rho of the images' "
    "abilities with the predictor (p from t(n - 2), interval by Bonett and Wright); "
    "Clopper-Pearson intervals of the shares"
)
WIDTH_QUANTILES = (0.1, 0.5, 0.9)
# From this share on, studies without a usable fit change what a plan means.
MANY = 0.05


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share of simulated studies with its Monte-Carlo interval (Clopper-Pearson, 95%)."""

    count: int
    n: int
    estimate: float
    interval: Interval

    def to_dict(self) -> dict[str, Any]:
        return {name: json_safe(value) for name, value in vars(self).items()}


@dataclass(frozen=True, kw_only=True)
class PlannedDesign(Result):
    """What `n_replicates` simulated studies of one design under one rating model gave.

    `rejections` is the share with p below alpha: power, or type I error where the effect is
    zero. A study whose fit failed or did not converge counts as not rejecting. `coverage`,
    `bias` (estimate minus effect, in its units), `bias_error` (its Monte-Carlo standard error)
    and widths are over the `n_converged` others, those on the boundary of the parameters
    (`n_boundary`: a variance of zero, a correlation of one) among them. `n_failed` counts fits
    that gave nothing; `spearman` is the mean coefficient over studies where it is defined.
    A linear model and ranks estimate another quantity than the effect: widths are in units of
    the answers per SD, or of Spearman's rho, and there is neither coverage nor bias.
    """

    design: RatingDesign
    model: RatingModel
    analysis: str
    rater_slopes: bool
    reliability: float
    n_replicates: int
    n_converged: int
    n_boundary: int
    n_failed: int
    rejections: Share
    spearman_rejections: Share
    spearman: float | None
    coverage: Share | None
    bias: float | None
    bias_error: float | None
    width_mean: float | None
    width_quantiles: dict[float, float]
    cost: StudyCost

    @property
    def rejections_are(self) -> str:
        return "power" if self.model.effect != 0 else "type I error"

    def row(self) -> dict[str, Any]:
        """The cell in one row of plain values, for tables."""
        few, most = self.design.trials_per_rater
        row: dict[str, Any] = {
            "effect": self.model.effect,
            "n_images": self.design.n_images,
            "n_raters": self.design.n_raters,
            "ratings_per_image": self.design.ratings_per_image,
            "n_ratings": self.design.n_ratings,
            "trials_per_rater_min": few,
            "trials_per_rater_max": most,
            "rater_sd": self.model.rater_sd,
            "image_sd": self.model.image_sd,
            "slope_sd": self.model.slope_sd,
            "reliability": self.reliability,
            "analysis": self.analysis,
            "rater_slopes": self.rater_slopes,
            "n_replicates": self.n_replicates,
            "n_converged": self.n_converged,
            "n_boundary": self.n_boundary,
            "n_failed": self.n_failed,
            "rejections_are": self.rejections_are,
        }
        for name in ("rejections", "spearman_rejections", "coverage"):
            share = getattr(self, name)
            row[name] = None if share is None else share.estimate
            row[f"{name}_low"], row[f"{name}_high"] = (
                (None, None) if share is None else share.interval
            )
        row |= {name: getattr(self, name) for name in ("spearman", "bias", "bias_error")}
        row["width_mean"] = self.width_mean
        for quantile in WIDTH_QUANTILES:
            row[f"width_q{100 * quantile:.0f}"] = self.width_quantiles.get(quantile)
        return row | self.cost.to_dict() | {"simulated": True}

    def to_dict(self) -> dict[str, Any]:
        """Fields as plain JSON values."""
        few, most = self.design.trials_per_rater
        shares = {
            name: None if share is None else share.to_dict()
            for name, share in (
                ("rejections", self.rejections),
                ("spearman_rejections", self.spearman_rejections),
                ("coverage", self.coverage),
            )
        }
        return {
            **super().to_dict(),
            "design": {
                **vars(self.design),
                "n_ratings": self.design.n_ratings,
                "trials_per_rater": [few, most],
                "balanced": self.design.balanced,
            },
            "model": self.model.to_dict(),
            "rejections_are": self.rejections_are,
            **shares,
            "cost": self.cost.to_dict(),
        }


@dataclass(frozen=True, kw_only=True)
class Plan(Result):
    """Every cell of a grid, models first, then designs, in the order that they were given."""

    alpha: float
    confidence_level: float
    seed: int
    cells: tuple[PlannedDesign, ...]
    simulated: bool = True

    def frame(self) -> pd.DataFrame:
        """A row per cell, as `PlannedDesign.row`."""
        return pd.DataFrame([cell.row() for cell in self.cells])

    def cheapest(self, power: float = 0.8) -> dict[float, PlannedDesign | None]:
        """For each effect but zero the cheapest design whose estimated power is at least that."""
        checks.level(power, "power")
        found: dict[float, PlannedDesign | None] = {}
        for cell in self.cells:
            effect = cell.model.effect
            if effect == 0:
                continue
            best = found.setdefault(effect, None)
            enough = cell.rejections.estimate >= power
            if enough and (best is None or _price(cell) < _price(best)):
                found[effect] = cell
        return found

    def to_dict(self) -> dict[str, Any]:
        return super().to_dict() | {"cells": [cell.to_dict() for cell in self.cells]}


def plan_study(
    models: Sequence[RatingModel],
    designs: Sequence[RatingDesign],
    *,
    n_replicates: int = 100,
    alpha: float = 0.05,
    confidence_level: float = 0.95,
    seed: int = 0,
    rater_slopes: bool | None = None,
    analysis: str = "clmm",
    values: Sequence[float] | None = None,
    cost: CostRates | None = None,
    n_workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Plan:
    """Power, interval width and cost of every design under every rating model.

    Parameters
    ----------
    models, designs : sequences
        All combinations are simulated. A model with effect 0 gives the type I error.
    n_replicates : int
        Simulated studies per combination. The Monte-Carlo error of a power of 0.8 is 0.04 with
        100, 0.013 with 1,000.
    alpha, confidence_level : float
        Of the test, and of the interval whose width and coverage are reported.
    seed : int
        The same seed gives the same numbers whatever `n_workers` is, and other designs and
        effects see the same random numbers as far as their sizes allow.
    rater_slopes : bool, optional
        Whether the analysis has a rater slope of the predictor; by default where the model has.
    analysis : {"clmm", "lmm", "ranks"}
        How each study is analysed: by the model that it is simulated from, by a linear mixed
        model of the answers as numbers, or, for designs of comparisons (`ChoiceDesign`,
        `ChoiceModel`) and only these, by ranks of the images' abilities.
    values : sequence of float, optional
        With "lmm", the number that each category stands for; 1, 2, ... without.
    cost : CostRates, optional
    n_workers : int
        Processes, each with one BLAS thread.
    progress : callable, optional
        Called with the number of studies done, and of all.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        If there is nothing to simulate, or a value is out of range.
    ChildProcessError
        If a worker process dies.

    Notes
    -----
    Exact up to Monte-Carlo error, given the model. The images' number bounds what more raters
    can bring, and the raters' where slopes vary: Westfall, Kenny and Judd (2014), Statistical
    power and optimal design in experiments in which samples of participants respond to samples
    of stimuli, Journal of Experimental Psychology: General 143. A study of 1,000 ratings costs
    about 0.1 s without and 0.2 s with slopes.

    Examples
    --------
    >>> from studies.stats.rating_model import rating_model
    >>> design = RatingDesign(n_images=20, n_raters=10, ratings_per_image=5)
    >>> plan = plan_study([rating_model(1.5)], [design], n_replicates=5, seed=1)
    >>> plan.cells[0].rejections.n, plan.cells[0].rejections_are, plan.cells[0].cost.currency
    (5, 'power', 'EUR')
    """
    for name, value in (("models", models), ("designs", designs)):
        if not value:
            raise ValueError(f"{name} must hold at least one; got none")
    for name, number in (("n_replicates", n_replicates), ("n_workers", n_workers)):
        if checks.draws(number, name) < 1:
            raise ValueError(f"{name} must be 1 or more; got {number!r}")
    checks.level(alpha, "alpha")
    checks.level(confidence_level)
    checks.draws(seed, "seed")
    checks.one_of(analysis, tuple(ANALYSES), "analysis")
    compares = {isinstance(design, ChoiceDesign) for design in designs}
    compares |= {isinstance(model, ChoiceModel) for model in models}
    if compares != {analysis == "ranks"}:
        raise ValueError(
            "analysis must be 'ranks' where all designs and models are of comparisons, and "
            f"only there; got {analysis!r}"
        )
    numbers = None if values is None else tuple(map(float, values))
    if numbers is not None and {len(numbers)} != {model.n_categories for model in models}:
        raise ValueError(
            f"values must be one number for each category; got {len(numbers)} for "
            f"{models[0].n_categories} categories"
        )
    grid = [
        (model, design, fits_slopes and analysis != "ranks")
        for model in models
        for fits_slopes in [model.slope_sd > 0 if rater_slopes is None else rater_slopes]
        for design in designs
    ]
    tasks = [
        Task(design, model, slopes, confidence_level, seed, number, analysis, numbers)
        for model, design, slopes in grid
        for number in range(n_replicates)
    ]
    found = replicates(tasks, n_workers, progress)
    rates = cost or CostRates()
    cells = tuple(
        _cell(
            *cell,
            found[place * n_replicates : (place + 1) * n_replicates],
            analysis=analysis,
            alpha=alpha,
            cost=rates,
        )
        for place, cell in enumerate(grid)
    )
    return Plan(
        method=method_of(analysis),
        alpha=alpha,
        confidence_level=confidence_level,
        seed=seed,
        cells=cells,
        warnings=_about(cells),
    )


def method_of(analysis: str) -> str:
    return CHOICES_METHOD if analysis == "ranks" else METHOD.format(analysis=ANALYSES[analysis])


def _cell(
    model: RatingModel,
    design: RatingDesign,
    rater_slopes: bool,
    studies: Sequence[Replicate],
    *,
    alpha: float,
    cost: CostRates,
    analysis: str = "clmm",
) -> PlannedDesign:
    n = len(studies)
    usable = [study for study in studies if study.converged]
    intervals = np.array([study.interval for study in usable], dtype=float).reshape(-1, 2)
    estimates = np.array([study.estimate for study in usable], dtype=float)
    widths = intervals[:, 1] - intervals[:, 0]
    covered = (intervals[:, 0] <= model.effect) & (model.effect <= intervals[:, 1])
    coefficients = [study.spearman for study in studies if study.spearman is not None]
    rejected = sum(study.p is not None and study.p < alpha for study in usable)
    by_rank = sum(study.spearman_p is not None and study.spearman_p < alpha for study in studies)
    n_failed = sum(study.estimate is None for study in studies)
    # Whether the analysis estimates the effect that was put in.
    same = analysis == "clmm"
    return PlannedDesign(
        method=method_of(analysis),
        design=design,
        model=model,
        analysis=analysis,
        rater_slopes=rater_slopes,
        reliability=model.reliability(design.ratings_per_image),
        n_replicates=n,
        n_converged=len(usable),
        n_boundary=sum(study.boundary for study in usable),
        n_failed=n_failed,
        rejections=_share(rejected, n),
        spearman_rejections=_share(by_rank, n),
        spearman=float(np.mean(coefficients)) if coefficients else None,
        coverage=_share(int(covered.sum()), len(usable)) if usable and same else None,
        bias=float(estimates.mean() - model.effect) if usable and same else None,
        bias_error=(
            float(estimates.std(ddof=1) / np.sqrt(len(usable))) if usable[1:] and same else None
        ),
        width_mean=float(widths.mean()) if usable else None,
        width_quantiles=(
            {q: float(np.quantile(widths, q)) for q in WIDTH_QUANTILES} if usable else {}
        ),
        cost=study_cost(design, cost),
        warnings=_said(design, n, n - len(usable)),
    )


def _share(count: int, n: int) -> Share:
    low, high = stats.binomtest(count, n).proportion_ci(0.95, method="exact")
    return Share(count=count, n=n, estimate=count / n, interval=(float(low), float(high)))


def _said(design: RatingDesign, n: int, n_unusable: int) -> tuple[str, ...]:
    said = []
    if n_unusable >= MANY * n:
        said.append(
            f"In {n_unusable} of {n} simulated studies the model did not converge; they count as "
            "not significant, and are not in coverage, bias and width."
        )
    if not design.balanced:
        few, most = design.trials_per_rater
        said.append(
            f"{design.n_ratings} ratings cannot be dealt equally to {design.n_raters} raters: "
            f"some have {few} trials and some {most}."
        )
    return tuple(said)


def _about(cells: Sequence[PlannedDesign]) -> tuple[str, ...]:
    """What concerns the plan as a whole."""
    said = []
    ranks = cells[0].analysis == "ranks"
    if any(cell.model.slope_sd > 0 and not cell.rater_slopes for cell in cells) and not ranks:
        said.append(
            "Raters' slopes vary and the analysis leaves them out: its type I error is above "
            "alpha, and its intervals are too narrow."
        )
    if any(cell.model.slope_sd > 0 for cell in cells) and ranks:
        said.append(
            "Ranks of abilities know no raters: where raters' slopes vary, they are significant "
            "too often without any effect. Plan the effect 0 as well to see how often."
        )
    elif any(cell.model.slope_sd > 0 for cell in cells):
        said.append(
            "Spearman's rho of image means knows no raters: where their slopes vary it is "
            "significant too often without any effect, and its share is no power."
        )
    return tuple(said)


def _price(cell: PlannedDesign) -> tuple[float, float]:
    """Money first; hours where nobody is paid."""
    return cell.cost.total, cell.cost.participant_hours
