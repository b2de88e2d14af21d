"""What the ratings of a study say to the plan of another."""

from dataclasses import dataclass
from typing import Any

from studies import queries
from studies.errors import DomainError
from studies.models import ParticipantKind, Question, Study
from studies.services.analysis import RATERS
from studies.stats import PilotEstimates, pilot_estimates

PREDICTORS = ("size", "score")
# Answers that are ordered and few: what a cumulative link model is for.
ORDERED = ("likert", "categorical")
# A pilot is meant for planning; simulated raters are the last to be asked.
KINDS = (ParticipantKind.PILOT, ParticipantKind.PERSON, ParticipantKind.SIMULATED)


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
    question that can be planned with. DomainError where there is none, or no model can be fitted.
    """
    asked = pilot_source(study=study, raters=raters, question=question, predictor=predictor)
    frame = queries.ratings_frame(study, asked.raters)
    frame = frame[frame["question"] == asked.question]
    images = queries.images_frame(study).set_index("image")
    frame = frame.assign(predictor=frame["image"].map(images[predictor].astype(float)))
    try:
        estimates = pilot_estimates(
            frame,
            response="number",
            link=link,
            simulated=asked.raters == ParticipantKind.SIMULATED,
        )
    except ValueError as error:
        raise DomainError("pilot", f"“{study.title}” cannot be planned with: {error}") from error
    return Pilot(
        study=study.slug,
        raters=asked.raters,
        question=asked.question,
        predictor=predictor,
        estimates=estimates,
    )


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
    predictor: str = "size",
) -> PilotSource:
    """As `pilot_of_study`, without reading or fitting anything."""
    if study.scan is None:
        raise DomainError("no_scan", f"“{study.title}” has no scan to compare ratings with.")
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
    """The question called `key`, or the first whose answers are ordered categories."""
    ordered = {asked.key: asked for asked in plannable_questions(study)}
    if not ordered:
        kinds = " or ".join(ORDERED)
        raise DomainError("question", f"“{study.title}” has no {kinds} question to plan with.")
    if key is None:
        return next(iter(ordered.values()))
    if key not in ordered:
        raise DomainError("question", f"question must be one of {', '.join(ordered)}; got {key!r}")
    return ordered[key]
