"""What the ratings of a study say to the plan of another."""

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from studies import queries
from studies.errors import DomainError
from studies.models import ParticipantKind, Study
from studies.services.planning.pilot_sources import PilotSource, pilot_source, primary_of_plan
from studies.stats import (
    PilotEstimates,
    choice_pilot_estimates,
    pilot_estimates,
    quantile_categories,
)

# Places on a line are put in so many categories.
N_CATEGORIES = 11
ON_A_LINE = (
    "Answers on the line are simulated as {n} places, about equally frequent in the pilot, and "
    "analysed by the linear mixed model as such answers are reported; the width of its interval "
    "is in points of the line per SD."
)


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

    @property
    def compares(self) -> bool:
        """Whether the plan is one of comparisons between two images."""
        return self.analysis == "ranks"

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
    source = pilot_source(study=study, raters=raters, question=question, predictor=predictor)
    return pilot_from(source, link=link)


def pilot_from(source: PilotSource, *, link: str = "logit") -> Pilot:
    """What the ratings of `source` say; DomainError where they allow no model."""
    study = source.study
    images = queries.images_frame(study).set_index("image")
    predictor = images[source.predictor].astype(float)
    simulated = source.raters == ParticipantKind.SIMULATED
    try:
        found = (
            of_choices(source, predictor, simulated=simulated)
            if source.compares
            else of_ratings(source, predictor, link=link, simulated=simulated)
        )
    except ValueError as error:
        raise DomainError("pilot", f"“{study.title}” cannot be planned with: {error}") from error
    return Pilot(
        study=study.slug,
        raters=source.raters,
        question=source.question,
        predictor=source.predictor,
        rater_slopes=slopes_of_plan(study),
        **found,
    )


def of_choices(source: PilotSource, predictor: pd.Series, *, simulated: bool) -> dict[str, Any]:
    rows = queries.comparisons_frame(source.study, source.raters)
    rows = rows[rows["question"] == source.question]
    images = rows.pivot(index="trial", columns="place", values="image")
    choices = rows.drop_duplicates("trial").set_index("trial")[["rater", "value"]]
    frame = choices.rename(columns={"value": "choice"}).join(
        images.rename(columns={1: "left", 2: "right"})
    )
    estimates = choice_pilot_estimates(frame, predictor.to_dict(), simulated=simulated)
    return {"estimates": estimates, "analysis": "ranks"}


def of_ratings(
    source: PilotSource, predictor: pd.Series, *, link: str, simulated: bool
) -> dict[str, Any]:
    frame = queries.ratings_frame(source.study, source.raters)
    frame = frame[frame["question"] == source.question]
    answers = frame["number"]
    on_a_line = source.kind == "slider"
    if on_a_line:
        frame = frame.assign(number=quantile_categories(answers, N_CATEGORIES))
    estimates = pilot_estimates(
        frame.assign(predictor=frame["image"].map(predictor)),
        response="number",
        link=link,
        simulated=simulated,
    )
    if on_a_line:
        said = ON_A_LINE.format(n=len(estimates.thresholds) + 1)
        estimates = replace(estimates, warnings=(*estimates.warnings, said))
    if not on_a_line and model_of_plan(source.study, source.question) == "clmm":
        return {"estimates": estimates}
    values = numbers_of(answers, frame["number"])
    return {"estimates": estimates, "analysis": "lmm", "values": values}


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
