"""Which ratings of a study a plan is fed by."""

from dataclasses import dataclass
from typing import Any

from studies import queries
from studies.errors import DomainError
from studies.models import ParticipantKind, Question, Study
from studies.services import plans
from studies.services.analysis import RATERS

PREDICTORS = ("size", "score")
# Answers that are ordered, what a cumulative link model is for; and choices between two images.
ORDERED = ("likert", "categorical", "slider")
PAIRS = ("forced_choice",)
PLANNED = (*ORDERED, *PAIRS)
# A pilot is meant for planning; simulated raters are the last to be asked.
KINDS = (ParticipantKind.PILOT, ParticipantKind.PERSON, ParticipantKind.SIMULATED)


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
    kind: str

    @property
    def compares(self) -> bool:
        """Whether its answers compare images, so that its plan is one of comparisons."""
        return self.kind in PAIRS


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
    return PilotSource(
        study=study, raters=raters, question=asked.key, predictor=predictor, kind=asked.kind
    )


def plannable_questions(study: Study) -> list[Question]:
    """Those whose answers a plan can be fed by."""
    return [asked for asked in study.questions.all() if asked.kind in PLANNED]


def plannable_question(study: Study, key: str | None) -> Question:
    """The question called `key`, or the first that can be planned with."""
    ordered = {asked.key: asked for asked in plannable_questions(study)}
    if not ordered:
        raise DomainError(
            "question",
            f"“{study.title}” has no question that can be planned with: one of the kinds "
            f"{', '.join(PLANNED)}.",
        )
    if key is None:
        return next(iter(ordered.values()))
    if key not in ordered:
        raise DomainError(
            "question",
            f"question must be one of {', '.join(ordered)}; got {key!r} (others are of kinds that "
            "nothing is planned for)",
        )
    return ordered[key]
