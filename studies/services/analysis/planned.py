"""What was planned, or what is computed where nothing was."""

from dataclasses import dataclass
from typing import Any

from studies.models import AnalysisPlan, Scan, Study
from studies.services import plans
from studies.services.plans.content import MODELS as PLANNABLE
from studies.services.quality import limits_of

# The model of a test for each kind of question, where no plan says another.
MODELS = {kind: models[0] for kind, models in PLANNABLE.items()}


@dataclass(frozen=True)
class Test:
    """Which question, predictor, scan and model; a mixed model has more to say."""

    __test__ = False

    question: str
    predictor: str
    scan: str
    model: str
    slopes: bool = True
    link: str = "logit"
    covariates: tuple[str, ...] = ()

    @property
    def cell(self) -> tuple[str, str, str]:
        return self.question, self.scan, self.predictor


def content_of(plan: AnalysisPlan | None, study: Study) -> dict[str, Any]:
    """The plan's content; where there is none the default, which has no confirmatory family."""
    if plan is not None:
        return dict(plan.content)
    if not plans.is_analysable(study):
        return {**NOTHING, "exclusions": {**NOTHING["exclusions"], "limits": limits_of(study)}}
    content = plans.default_content(study)
    return {
        **content,
        "family": [],
        "exclusions": {**content["exclusions"], "limits": limits_of(study)},
    }


# For a study that asks for words alone.
NOTHING: dict[str, Any] = {
    "primary": None,
    "family": [],
    "alpha": 0.05,
    "correction": "holm",
    "exploratory_correction": "fdr_bh",
    "exclusions": {"rules": [], "decisions": True},
    "seed": 0,
}


def primary_test(content: dict[str, Any]) -> Test | None:
    """The primary analysis; None where a study asks nothing that has numbers."""
    primary = content["primary"]
    if primary is None:
        return None
    return Test(
        question=primary["question"],
        predictor=primary["predictor"],
        scan=primary["scan"],
        model=primary["model"],
        slopes=primary["rater_slopes"],
        link=primary["link"] or "logit",
        covariates=tuple(primary["covariates"]),
    )


def planned_tests(content: dict[str, Any]) -> list[Test]:
    """The confirmatory family, the primary test first, each once."""
    primary = primary_test(content)
    tests: list[Test] = []
    for each in content["family"]:
        test = Test(each["question"], each["predictor"], each["scan"], each["model"])
        same = primary is not None and (test.cell, test.model) == (primary.cell, primary.model)
        tests.append(primary if same and primary is not None else test)
    return list(dict.fromkeys(tests))


def default_test(kind: str, question: str, predictor: str, scan: str, own: Scan) -> Test:
    """By the model for such answers at the study's own scan, by image-level ranks elsewhere."""
    model = MODELS.get(kind, "spearman") if scan == own.name else "spearman"
    return Test(question, predictor, scan, model)
