"""The family of tests: the confirmatory ones as planned, all else exploratory."""

from typing import Any

from studies.services.analysis.inputs import Inputs
from studies.services.analysis.names import PREDICTORS
from studies.services.analysis.planned import MODELS, Test, planned_tests
from studies.services.analysis.questions import Analysed
from studies.services.analysis.testing import tested
from studies.stats import adjust_p_values

CORRECTIONS = {"holm": "holm", "fdr_bh": "benjamini-hochberg"}
SHOWN = (
    "question", "predictor", "predictor_label", "scan", "layer", "model", "rater_slopes",
    "estimate", "interval", "p", "unit", "odds_ratio",
)  # fmt: skip


def family_of_tests(
    inputs: Inputs, analysed: dict[str, Analysed], *, confirmatory: bool
) -> list[dict[str, Any]]:
    """Questions × layers × predictors: what was planned, then the rest, each family corrected.

    A cell that the plan has is tested by the plan's model. The others are exploratory: by the
    model of the question's kind at the study's own scan, by image-level ranks elsewhere.
    `confirmatory` is whether the plan counts as one; without, its tests are exploratory too.
    """
    planned = [
        test
        for test in planned_tests(inputs.content, inputs.scan)
        if test.question in analysed and test.scan in inputs.measures
    ]
    cells = {test.cell for test in planned}
    others = [
        test
        for each in analysed.values()
        for scan in inputs.measures
        for predictor in PREDICTORS
        if (test := default_test(each, scan, predictor, inputs)).cell not in cells
    ]
    content = inputs.content
    if confirmatory:
        return [
            *corrected(planned, analysed, inputs, "confirmatory", content["correction"]),
            *corrected(others, analysed, inputs, "exploratory", content["exploratory_correction"]),
        ]
    every = [*planned, *others]
    return corrected(every, analysed, inputs, "exploratory", content["exploratory_correction"])


def default_test(each: Analysed, scan: str, predictor: str, inputs: Inputs) -> Test:
    own = scan == inputs.scan.name
    model = MODELS.get(each.question.kind, "spearman") if own else "spearman"
    return Test(each.key, predictor, scan, model)


def corrected(
    tests: list[Test], analysed: dict[str, Analysed], inputs: Inputs, status: str, correction: str
) -> list[dict[str, Any]]:
    if not tests:
        return []
    found = [tested(test, analysed[test.question], inputs) for test in tests]
    adjusted = adjust_p_values(
        [each["p"] for each in found], CORRECTIONS[correction], inputs.content["alpha"]
    )
    return [
        {name: each[name] for name in SHOWN}
        | {
            "status": status,
            "p_adjusted": p,
            "correction": adjusted.procedure,
            "family_size": adjusted.n_tests,
        }
        for each, p in zip(found, adjusted.adjusted, strict=True)
    ]
