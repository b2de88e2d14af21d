"""The plan that a study has if nobody writes another: what its design asks for."""

from typing import Any

from studies.errors import DomainError
from studies.models import Question, Study
from studies.services.plans.content import LINKS_OF, MODELS, PREDICTORS, WITH_RATERS
from studies.services.plans.subject import Subject, analysable


def default_content(study: Study) -> dict[str, Any]:
    """Subset size against the first question on a scale, by the model for such answers.

    The family is that one test; researchers' decisions leave people out, and no rule does.
    DomainError where the study has no scan, or no question whose answers can be analysed.
    """
    questions = analysable(study.questions.all())
    if study.scan is None or not questions:
        raise no_subject(study)
    question = first_question(questions)
    model = MODELS[question.kind][0]
    test = {
        "question": question.key,
        "predictor": "size",
        "layer": study.scan.layer,
        "scan": study.scan.name,
        "model": model,
    }
    return {
        "format": 1,
        "primary": {
            **test,
            "link": LINKS_OF[model][0] if model in LINKS_OF else None,
            # Without it, raters who differ in their slopes pass for evidence.
            "rater_slopes": model in WITH_RATERS,
            "covariates": [],
        },
        "family": [test],
        "alpha": 0.05,
        "correction": "holm",
        "exploratory_correction": "fdr_bh",
        "exclusions": {"rules": [], "decisions": True},
        "seed": 0,
        "n_target": None,
        "smallest_effect": None,
        "notes": "",
    }


def first_question(questions: list[Question]) -> Question:
    """The first on an ordered scale, else the first there is."""
    return next((each for each in questions if each.kind == "likert"), questions[0])


def no_subject(study: Study) -> DomainError:
    lacking = "a scan" if study.scan is None else "a question whose answers are not words"
    return DomainError(
        "nothing_to_plan", f"“{study.title}” needs {lacking} before its analysis can be planned."
    )


def family_of_design(study: Study) -> list[dict[str, str]]:
    """Every test that could be confirmatory: questions × predictors × scans of the images.

    Each by the usual model of its question.
    """
    if study.scan is None:
        return []
    subject = Subject(study, study.scan)
    return [
        {
            "question": key,
            "predictor": predictor,
            "layer": layer,
            "scan": scan,
            "model": MODELS[question.kind][0],
        }
        for key, question in subject.questions.items()
        for predictor in PREDICTORS
        for layer, scans in subject.layers.items()
        for scan in scans
    ]
