"""From assumptions, or from the ratings of a pilot, to a plan: power, interval width, cost."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from studies import queries
from studies.errors import DomainError
from studies.models import ParticipantKind, Question, Study
from studies.services.analysis import RATERS
from studies.stats import (
    CostRates,
    PilotEstimates,
    Plan,
    RatingDesign,
    RatingModel,
    pilot_estimates,
    plan_study,
    rating_model,
)
from studies.stats.results import json_safe

PREDICTORS = ("size", "score")
# Answers that are ordered and few: what a cumulative link model is for.
ORDERED = ("likert", "categorical")
# A pilot is meant for planning; simulated raters are the last to be asked.
KINDS = (ParticipantKind.PILOT, ParticipantKind.PERSON, ParticipantKind.SIMULATED)
# Assumed where neither the planner nor a pilot says otherwise, on the scale of log odds.
DEFAULTS: dict[str, Any] = {
    "effects": (0.4,),
    "rater_sd": 1.0,
    "image_sd": 0.8,
    "slope_sd": 0.3,
    "proportions": (1.0,) * 7,
}
TRIALS = 40
UNITS = {"logit": "log odds per SD", "probit": "probits per SD"}


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """What to plan for; None stands for the pilot's value, or the default.

    `raters` and `trials` (per rater, from which the number of raters follows) exclude each
    other. `reliability` is an ICC and the number of ratings that it is of the mean of.
    """

    images: tuple[int, ...] = (40, 80)
    ratings_per_image: tuple[int, ...] = (5, 10, 20)
    raters: tuple[int, ...] | None = None
    trials: int | None = None
    effects: tuple[float, ...] | None = None
    proportions: tuple[float, ...] | None = None
    thresholds: tuple[float, ...] | None = None
    rater_sd: float | None = None
    image_sd: float | None = None
    slope_sd: float | None = None
    reliability: tuple[float, float] | None = None
    link: str = "logit"
    rater_slopes: bool | None = None
    safeguard: float | None = None
    n_replicates: int = 100
    alpha: float = 0.05
    confidence_level: float = 0.95
    seed: int = 0
    n_workers: int = 1
    cost: CostRates = field(default_factory=CostRates)


@dataclass(frozen=True, kw_only=True)
class Pilot:
    """Whose ratings of which question a plan is fed by, and what they say."""

    study: str
    raters: str
    question: str
    predictor: str
    estimates: PilotEstimates

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "estimates": self.estimates.to_dict()}


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
        designs, left_out = rating_designs(request)
        slopes = request.rater_slopes
        if slopes is None and sources["slope_sd"] == "pilot" and pilot is not None:
            # The study will be analysed as its pilot, even where that found slopes alike.
            slopes = pilot.estimates.slope_fitted
        plan = plan_study(
            models,
            designs,
            n_replicates=request.n_replicates,
            alpha=request.alpha,
            confidence_level=request.confidence_level,
            seed=request.seed,
            rater_slopes=slopes,
            cost=request.cost,
            n_workers=request.n_workers,
            progress=progress,
        )
    except (ValueError, ChildProcessError) as error:
        raise DomainError("plan", str(error)) from error
    return StudyPlan(plan=plan, sources=sources, left_out=left_out, pilot=pilot)


def cost_rates(**rates: Any) -> CostRates:
    """`CostRates`; DomainError where a rate is out of range."""
    try:
        return CostRates(**rates)
    except ValueError as error:
        raise DomainError("cost", str(error)) from error


def unit_of(result: StudyPlan) -> str:
    """The unit of the effect and of its interval."""
    return UNITS[result.plan.cells[0].model.link]


def rating_models(
    request: PlanRequest, pilot: Pilot | None
) -> tuple[list[RatingModel], dict[str, str]]:
    """One model per effect, and the source of each assumption."""
    known: dict[str, Any] = dict(DEFAULTS)
    sources = dict.fromkeys(known, "default")
    link = request.link
    if pilot is not None:
        estimates = pilot.estimates
        link = estimates.link
        known |= {name: getattr(estimates, name) for name in ("rater_sd", "image_sd", "slope_sd")}
        known |= {"thresholds": tuple(estimates.thresholds.values()), "proportions": None}
        sources = dict.fromkeys(known, "pilot")
        known["effects"] = (estimates.effect,)
        # What is given takes the place of the safeguard, which may not exist.
        if request.safeguard is not None and request.effects is None:
            known["effects"] = (estimates.safeguard_effect(request.safeguard),)
            sources["effects"] = "pilot, safeguard"
    elif request.safeguard is not None:
        raise ValueError(
            f"safeguard must come with a pilot, whose interval it is of; got {request.safeguard:g}"
        )
    given = {
        name: getattr(request, name)
        for name in (
            "effects",
            "rater_sd",
            "image_sd",
            "slope_sd",
            "proportions",
            "thresholds",
            "reliability",
        )
        if getattr(request, name) is not None
    }
    # Of two ways to say one thing, the one that is given goes before the one that is known.
    for name, other in (
        ("proportions", "thresholds"),
        ("thresholds", "proportions"),
        ("reliability", "image_sd"),
    ):
        if name in given:
            known.pop(other, None)
            sources.pop(other, None)
    known |= given
    sources |= dict.fromkeys(given, "given")
    effects = known.pop("effects")
    sources["effect"] = sources.pop("effects")
    if known.get("proportions") is None:
        sources.pop("proportions", None)
    return [rating_model(effect, link=link, **known) for effect in effects], sources


def rating_designs(request: PlanRequest) -> tuple[list[RatingDesign], tuple[str, ...]]:
    """Every possible design of the grid, each once, and why the others are not."""
    if request.raters is not None and request.trials is not None:
        raise ValueError(
            f"raters or trials must be given, not both; got {request.raters} and {request.trials}"
        )
    designs: list[RatingDesign] = []
    left_out: list[str] = []
    for n_images in request.images:
        for k in request.ratings_per_image:
            for n_raters in request.raters or (None,):
                try:
                    design = one_design(n_images, k, n_raters, request.trials)
                except ValueError as error:
                    raters = "" if n_raters is None else f", {n_raters} raters"
                    left_out.append(f"{n_images} images, {k} ratings each{raters}: {error}")
                    continue
                if design not in designs:
                    designs.append(design)
    if not designs:
        raise ValueError(f"no design is possible; {left_out[0]}" if left_out else "no design given")
    return designs, tuple(left_out)


def one_design(n_images: int, k: int, n_raters: int | None, trials: int | None) -> RatingDesign:
    if n_raters is not None:
        return RatingDesign(n_images=n_images, n_raters=n_raters, ratings_per_image=k)
    # Nobody can rate more than all images: a default must not make small studies impossible.
    wanted = min(TRIALS, n_images) if trials is None else trials
    return RatingDesign.with_trials(n_images=n_images, ratings_per_image=k, trials_per_rater=wanted)


def pilot_of_study(
    *,
    study: Study,
    raters: str | None = None,
    question: str | None = None,
    predictor: str = "size",
    link: str = "logit",
) -> Pilot:
    """What the ratings of one kind of participants say; kinds are never mixed.

    By default pilot participants', else people's, else those of simulated raters, and the first
    question with ordered answers. DomainError where there is none, or no model can be fitted.
    """
    if study.scan is None:
        raise DomainError("no_scan", f"“{study.title}” has no scan to compare ratings with.")
    if predictor not in PREDICTORS:
        allowed = " or ".join(PREDICTORS)
        raise DomainError("predictor", f"predictor must be {allowed}; got {predictor!r}")
    kinds = queries.kinds_with_ratings(study)
    if raters is None:
        raters = next((kind.value for kind in KINDS if kind in kinds), None)
    if raters not in kinds:
        whose = RATERS[ParticipantKind(raters)][1] if raters else "anybody"
        raise DomainError("no_ratings", f"“{study.title}” has no ratings by {whose} to plan with.")
    asked = ordered_question(study, question)
    frame = queries.ratings_frame(study, raters)
    frame = frame[frame["question"] == asked.key]
    images = queries.images_frame(study).set_index("image")
    frame = frame.assign(predictor=frame["image"].map(images[predictor].astype(float)))
    try:
        estimates = pilot_estimates(
            frame,
            response="number",
            link=link,
            simulated=raters == ParticipantKind.SIMULATED,
        )
    except ValueError as error:
        raise DomainError("pilot", f"“{study.title}” cannot be planned with: {error}") from error
    return Pilot(
        study=study.slug,
        raters=raters,
        question=asked.key,
        predictor=predictor,
        estimates=estimates,
    )


def ordered_question(study: Study, key: str | None) -> Question:
    """The question called `key`, or the first whose answers are ordered categories."""
    ordered = {asked.key: asked for asked in study.questions.all() if asked.kind in ORDERED}
    if not ordered:
        kinds = " or ".join(ORDERED)
        raise DomainError("question", f"“{study.title}” has no {kinds} question to plan with.")
    if key is None:
        return next(iter(ordered.values()))
    if key not in ordered:
        raise DomainError("question", f"question must be one of {', '.join(ordered)}; got {key!r}")
    return ordered[key]
