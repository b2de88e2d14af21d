"""From assumptions, or from the ratings of a pilot, to a plan: power, interval width, cost."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from studies.errors import DomainError
from studies.services.planning.assumptions import rating_designs, rating_models
from studies.services.planning.pilots import Pilot
from studies.services.planning.request import PlanRequest, refusal
from studies.stats import Plan, plan_study
from studies.stats.results import json_safe

UNITS = {"logit": "log odds per SD", "probit": "probits per SD"}
WIDTH_UNITS = {"lmm": "points per SD", "ranks": "Spearman’s ρ"}


@dataclass(frozen=True, kw_only=True)
class StudyPlan:
    """A plan with where its assumptions come from, and the designs that are impossible.

    `sources` says "given", "pilot", "pilot, safeguard" or "default" of each assumption.
    """

    plan: Plan
    sources: dict[str, str]
    left_out: tuple[str, ...]
    pilot: Pilot | None

    def to_dict(self) -> dict[str, Any]:
        return {
            **self.plan.to_dict(),
            "sources": self.sources,
            "left_out": list(self.left_out),
            "pilot": None if self.pilot is None else self.pilot.to_dict(),
        }

    def rows(self) -> list[dict[str, Any]]:
        """A row of plain values per design and effect, with what all rows share."""
        shared = {
            "link": self.plan.cells[0].model.link,
            "alpha": self.plan.alpha,
            "confidence_level": self.plan.confidence_level,
            "seed": self.plan.seed,
            "pilot": self.pilot.study if self.pilot else None,
            "pilot_raters": self.pilot.raters if self.pilot else None,
        }
        return [json_safe(cell.row()) | shared for cell in self.plan.cells]


def make_plan(
    *,
    request: PlanRequest,
    pilot: Pilot | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> StudyPlan:
    """Simulate every design that is asked for; DomainError where a value is out of range."""
    try:
        models, sources = rating_models(request, pilot)
        designs, left_out = rating_designs(request, compares=pilot is not None and pilot.compares)
        plan = plan_study(
            models,
            designs,
            n_replicates=request.n_replicates,
            alpha=request.alpha,
            confidence_level=request.confidence_level,
            seed=request.seed,
            rater_slopes=slopes_fitted(request, pilot),
            analysis="clmm" if pilot is None else pilot.analysis,
            # Where the scale is another than the pilot's, its answers are numbered.
            values=pilot.values if pilot and sources.get("thresholds") == "pilot" else None,
            cost=request.cost,
            n_workers=request.n_workers,
            progress=progress,
        )
    except ValueError as error:
        raise refusal(error) from error
    except ChildProcessError as error:
        raise DomainError("plan", str(error)) from error
    return StudyPlan(plan=plan, sources=sources, left_out=left_out, pilot=pilot)


def slopes_fitted(request: PlanRequest, pilot: Pilot | None) -> bool:
    """Whether the analysis has a rater slope: as the analysis plan says, and usually it has.

    Unless a pilot's ratings could not be fitted with one, or it is asked for without.
    """
    if request.rater_slopes is not None:
        return request.rater_slopes
    if pilot is not None and pilot.rater_slopes is False:
        return False
    return pilot is None or request.slope_sd is not None or pilot.estimates.slope_fitted


def unit_of(result: StudyPlan) -> str:
    """The unit of the effect."""
    return UNITS[result.plan.cells[0].model.link]


def width_unit_of(result: StudyPlan) -> str:
    """The unit of the interval: another where the analysis estimates another quantity."""
    return WIDTH_UNITS.get(result.plan.cells[0].analysis) or unit_of(result)
