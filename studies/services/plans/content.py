"""What a plan says, as values: the same content has the same JSON and the same hash."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from studies.services.hashes import sha256_of_text

FORMAT = 1

PREDICTORS = ("size", "score")
LINKS = ("logit", "probit")
CORRECTIONS = ("holm", "fdr_bh")
# What can be computed for each kind of question, the usual first; of words nothing can.
MODELS = {
    "likert": ("clmm", "lmm", "spearman"),
    "slider": ("lmm", "spearman"),
    "categorical": ("clmm", "spearman"),
    "forced_choice": ("rao_kupper", "spearman"),
    "best_worst": ("spearman",),
    "ranking": ("spearman",),
}
# Which links a model can be fitted with, the usual first.
LINKS_OF = {"clmm": LINKS, "rao_kupper": LINKS[:1]}
# Raters differ in how strongly they go by the predictor, and others can be held constant.
WITH_RATERS = ("clmm", "lmm")


@dataclass(frozen=True, kw_only=True)
class PlannedTest:
    """One association that is tested: answers to a question against a predictor of a layer."""

    question: str
    predictor: str
    layer: str
    scan: str
    model: str


@dataclass(frozen=True, kw_only=True)
class Primary(PlannedTest):
    """The test that the headline is, in full. `link` is None where the model has none.

    `scan_sha256` is of the sizes, scores and membership that the answers are held against.
    """

    scan_sha256: str
    link: str | None
    rater_slopes: bool
    covariates: tuple[str, ...]

    @property
    def test(self) -> PlannedTest:
        """What the primary has in common with every test of its family."""
        return PlannedTest(
            question=self.question,
            predictor=self.predictor,
            layer=self.layer,
            scan=self.scan,
            model=self.model,
        )


@dataclass(frozen=True, kw_only=True)
class Exclusions:
    """Who is left out: whom the rules mark, by the limits that were in force.

    `decisions`: whether researchers' own decisions leave people out as planned too.
    """

    rules: tuple[str, ...]
    decisions: bool
    limits: dict[str, float | None]


@dataclass(frozen=True, kw_only=True)
class PlanContent:
    """A plan that fits its study. `family` are the confirmatory tests, the primary first."""

    primary: Primary
    family: tuple[PlannedTest, ...]
    alpha: float
    correction: str
    exploratory_correction: str
    exclusions: Exclusions
    seed: int
    n_target: int | None
    smallest_effect: float | None
    notes: str

    def to_dict(self) -> dict[str, Any]:
        """The content as plain JSON values, as it is stored."""
        return {"format": FORMAT, **json.loads(json.dumps(asdict(self)))}


def stored_content(content: dict[str, Any]) -> PlanContent:
    """What was checked when it was stored, as values: nothing is checked again."""
    values = {name: value for name, value in content.items() if name != "format"}
    primary, exclusions = values.pop("primary"), values.pop("exclusions")
    return PlanContent(
        primary=Primary(**{**primary, "covariates": tuple(primary["covariates"])}),
        family=tuple(PlannedTest(**each) for each in values.pop("family")),
        exclusions=Exclusions(**{**exclusions, "rules": tuple(exclusions["rules"])}),
        **values,
    )


def canonical_json(content: dict[str, Any]) -> str:
    """The one spelling of `content`: keys sorted, no spaces, every character as itself."""
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def sha256_of(content: dict[str, Any]) -> str:
    return sha256_of_text(canonical_json(content))
