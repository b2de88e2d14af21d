"""What was planned, or what is computed where nothing was."""

from dataclasses import dataclass
from typing import Any

from studies.models import AnalysisPlan, Scan, Study
from studies.services.analysis.names import PREDICTORS

# The model of the headline for each kind of question, where no plan says another.
MODELS = {"likert": "clmm", "categorical": "clmm", "slider": "lmm", "forced_choice": "rao_kupper"}


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


def plan_of(study: Study) -> AnalysisPlan | None:
    """The fixed plan that counts."""
    fixed = study.analysis_plans.filter(fixed_at__isnull=False)
    return fixed.order_by("-version").first()


def content_of(plan: AnalysisPlan | None, study: Study) -> dict[str, Any]:
    """The plan's content, or the default where there is none."""
    if plan is not None:
        return dict(plan.content)
    scan = study.scan
    assert scan is not None, "analyse() has checked"
    asked = [each for each in study.questions.all() if each.kind != "text"]
    first = next((each for each in asked if each.kind in MODELS), next(iter(asked), None))
    primary = first and {
        "question": first.key,
        "predictor": "size",
        "layer": scan.layer,
        "scan": scan.name,
        "model": MODELS.get(first.kind, "spearman"),
        "link": "logit",
        "rater_slopes": True,
        "covariates": [],
    }
    return {
        "format": 1,
        "primary": primary,
        "family": [],
        "alpha": 0.05,
        "correction": "holm",
        "exploratory_correction": "fdr_bh",
        "exclusions": {"rules": [], "decisions": True},
        "seed": 0,
    }


def primary_test(content: dict[str, Any], scan: Scan) -> Test | None:
    """The planned primary analysis; None where a study asks nothing that has numbers."""
    primary = content["primary"]
    if primary is None:
        return None
    return Test(
        question=primary["question"],
        predictor=primary["predictor"],
        scan=primary.get("scan") or scan.name,
        model=primary["model"],
        slopes=bool(primary.get("rater_slopes", True)),
        link=primary.get("link", "logit"),
        covariates=tuple(name for name in primary.get("covariates", []) if name in PREDICTORS),
    )


def planned_tests(content: dict[str, Any], scan: Scan) -> list[Test]:
    """The confirmatory family, the primary test first, each cell once."""
    primary = primary_test(content, scan)
    tests = [] if primary is None or not content["family"] else [primary]
    for each in content["family"]:
        test = Test(
            each["question"], each["predictor"], each.get("scan") or scan.name, each["model"]
        )
        if test.cell not in {known.cell for known in tests}:
            tests.append(test)
    return tests
