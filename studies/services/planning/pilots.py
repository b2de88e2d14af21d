"""What the ratings of a study say to the plan of another."""

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from studies import queries
from studies.errors import DomainError
from studies.models import ParticipantKind, Question, Study
from studies.services import plans
from studies.services.analysis import RATERS
from studies.stats import PilotEstimates, pilot_estimates, quantile_categories

PREDICTORS = ("size", "score")
# Answers that are ordered: what a cumulative link model is for. Places on a line are put in
# categories, of which there are so many.
ORDERED = ("likert", "categorical", "slider")
N_CATEGORIES = 11
ON_A_LINE = (
    "Answers on the line are simulated as {n} places, about equally frequent in the pilot, and "
    "analysed by the linear mixed model as such answers are reported; the width of its interval "
    "is in points of the line per SD."
)
# A pilot is meant for planning; simulated raters are the last to be asked.
KINDS = (ParticipantKind.PILOT, ParticipantKind.PERSON, ParticipantKind.SIMULATED)


@dataclass(frozen=True, kw_only=True)
class Pilot:
    """Whose ratings of which question a plan is fed by, and what they say.

    `analysis` is the model that reports the answers, with the numbers that they stand for where
    it takes them as numbers (`values`); `rater_slopes` what the study's analysis plan names, None
    where it names nothing.
    """

    study: str
    raters: str
    question: str
    predictor: str
    estimates: PilotEstimates
    analysis: str = "clmm"
    values: tuple[float, ...] | None = None
    rater_slopes: bool | None = None

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "estimates": self.estimates.to_dict()}


def pilot_of_study(
    *,
    study: Study,
    raters: str | None = None,
    question: str | None = None,
    predictor: str | None = None,
    link: str = "logit",
) -> Pilot:
    """What the ratings of one kind of participants say; kinds are never mixed.

    By default pilot participants', else people's, else those of simulated raters, and question
    and predictor of the study's analysis plan, else the first question that can be planned with.
    DomainError where there is none, or no model can be fitted.
    """
    asked = pilot_source(study=study, raters=raters, question=question, predictor=predictor)
    frame = queries.ratings_frame(study, asked.raters)
    frame = frame[frame["question"] == asked.question]
    images = queries.images_frame(study).set_index("image")
    frame = frame.assign(predictor=frame["image"].map(images[asked.predictor].astype(float)))
    answers = frame["number"]
    on_a_line = study.questions.get(key=asked.question).kind == "slider"
    try:
        if on_a_line:
            frame = frame.assign(number=quantile_categories(answers, N_CATEGORIES))
        estimates = pilot_estimates(
            frame,
            response="number",
            link=link,
            simulated=asked.raters == ParticipantKind.SIMULATED,
        )
    except ValueError as error:
        raise DomainError("pilot", f"“{study.title}” cannot be planned with: {error}") from error
    if on_a_line:
        said = ON_A_LINE.format(n=len(estimates.thresholds) + 1)
        estimates = replace(estimates, warnings=(*estimates.warnings, said))
    analysis = "lmm" if on_a_line else model_of_plan(study, asked.question)
    return Pilot(
        study=study.slug,
        raters=asked.raters,
        question=asked.question,
        predictor=asked.predictor,
        estimates=estimates,
        analysis=analysis,
        values=numbers_of(answers, frame["number"]) if analysis == "lmm" else None,
        rater_slopes=slopes_of_plan(study),
    )


def numbers_of(answers: pd.Series, categories: pd.Series) -> tuple[float, ...]:
    """The mean answer of each category, in order."""
    return tuple(answers.groupby(categories).mean().sort_index().tolist())


def model_of_plan(study: Study, question: str) -> str:
    """The mixed model by which the study's plan analyses `question`."""
    primary = primary_of_plan(study)
    is_linear = primary.get("question") == question and primary.get("model") == "lmm"
    return "lmm" if is_linear else "clmm"


def slopes_of_plan(study: Study) -> bool | None:
    primary = primary_of_plan(study)
    return primary["rater_slopes"] if primary.get("model") in ("clmm", "lmm") else None


def primary_of_plan(study: Study) -> dict[str, Any]:
    """The primary test of the study's analysis plan; empty where none is fixed."""
    plan = plans.plan_of(study)
    return {} if plan is None else plan.content["primary"]


@dataclass(frozen=True, kw_only=True)
class PilotSource:
    """Whose ratings of which question of `study` are taken, and with what they are compared."""

    study: Study
    raters: str
    question: str
    predictor: str


def pilot_source(
    *,
    study: Study,
    raters: str | None = None,
    question: str | None = None,
    predictor: str | None = None,
) -> PilotSource:
    """As `pilot_of_study`, without reading or fitting anything."""
    if study.scan is None:
        raise DomainError("no_scan", f"“{study.title}” has no scan to compare ratings with.")
    planned = primary_of_plan(study)
    predictor = predictor or planned.get("predictor") or PREDICTORS[0]
    if question is None and planned.get("question") in {q.key for q in plannable_questions(study)}:
        question = planned["question"]
    if predictor not in PREDICTORS:
        allowed = " or ".join(PREDICTORS)
        raise DomainError("predictor", f"predictor must be {allowed}; got {predictor!r}")
    kinds = queries.kinds_with_ratings(study)
    if raters is None:
        raters = next((kind.value for kind in KINDS if kind in kinds), None)
    if raters is None or raters not in kinds:
        whose = RATERS[ParticipantKind(raters)][1] if raters else "anybody"
        raise DomainError("no_ratings", f"“{study.title}” has no ratings by {whose} to plan with.")
    asked = plannable_question(study, question)
    return PilotSource(study=study, raters=raters, question=asked.key, predictor=predictor)


def plannable_questions(study: Study) -> list[Question]:
    """Those whose answers a plan can be fed by."""
    return [asked for asked in study.questions.all() if asked.kind in ORDERED]


def plannable_question(study: Study, key: str | None) -> Question:
    """The question called `key`, or the first that can be planned with."""
    ordered = {asked.key: asked for asked in plannable_questions(study)}
    if not ordered:
        raise DomainError(
            "question",
            f"“{study.title}” has no question that can be planned with: one of the kinds "
            f"{', '.join(ORDERED)}.",
        )
    if key is None:
        return next(iter(ordered.values()))
    if key not in ordered:
        raise DomainError("question", f"question must be one of {', '.join(ordered)}; got {key!r}")
    return ordered[key]
