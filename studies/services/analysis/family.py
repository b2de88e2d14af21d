"""The family of tests: the confirmatory ones as planned, all else exploratory."""

from typing import Any

from studies.services.analysis.names import PREDICTORS
from studies.services.analysis.planned import Test, default_test
from studies.services.analysis.testing import Tests
from studies.stats import adjust_p_values

CORRECTIONS = {"holm": "holm", "fdr_bh": "benjamini-hochberg"}
SHOWN = (
    "question", "predictor", "predictor_label", "scan", "layer", "model", "rater_slopes",
    "estimate", "interval", "p", "unit", "odds_ratio",
)  # fmt: skip


def family_of_tests(tests: Tests, *, confirmatory: bool) -> list[dict[str, Any]]:
    """Questions × layers × predictors: what was planned, then the rest, each family corrected.

    A cell that the plan has is tested by the plan's model. The others are exploratory: by the
    model of the question's kind at the study's own scan, by image-level ranks elsewhere.
    `confirmatory` is whether the plan counts as one; without, its tests are exploratory too.
    """
    cells = {test.cell for test in tests.planned}
    others = [
        test
        for each in tests.analysed.values()
        for scan in tests.inputs.measures
        for predictor in PREDICTORS
        if (
            test := default_test(each.question.kind, each.key, predictor, scan, tests.inputs.scan)
        ).cell
        not in cells
    ]
    content = tests.inputs.content
    exploratory = ("exploratory", content["exploratory_correction"])
    if confirmatory:
        planned = corrected(tests.planned, tests, "confirmatory", content["correction"])
        return planned + corrected(others, tests, *exploratory)
    return corrected([*tests.planned, *others], tests, *exploratory)


def corrected(
    wanted: list[Test], tests: Tests, status: str, correction: str
) -> list[dict[str, Any]]:
    if not wanted:
        return []
    found = [tests.result(test) for test in wanted]
    adjusted = adjust_p_values(
        [each["p"] for each in found], CORRECTIONS[correction], tests.inputs.content["alpha"]
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
