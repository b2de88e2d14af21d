"""A plan in words: the short statement that a reviewer would read."""

from collections.abc import Mapping

from studies import wording
from studies.quality import RULES, amount
from studies.services.plans.content import Exclusions, PlanContent, PlannedTest, Primary

PREDICTORS = {
    "size": "the size of an image’s anomalous subset",
    "score": "an image’s anomaly score",
}
MODELS = {
    "clmm": "cumulative link mixed model, raters and images crossed",
    "lmm": "linear mixed model (REML), raters and images crossed",
    "rao_kupper": "Rao and Kupper’s model of choices between two images, whose abilities are "
    "held against the predictor",
    "spearman": "Spearman’s rank correlation of the images’ means with the predictor",
}
SHORT_MODELS = {
    "clmm": "cumulative link mixed model",
    "lmm": "linear mixed model",
    "rao_kupper": "Rao–Kupper model",
    "spearman": "rank correlation",
}
CORRECTIONS = {"holm": "Holm’s", "fdr_bh": "Benjamini and Hochberg’s"}


def statement(content: PlanContent, questions: Mapping[str, str]) -> list[tuple[str, str]]:
    """(what, words) for each part of the plan. `questions` are the questions' texts by key."""
    told = [
        ("Primary question", primary_words(content.primary, questions)),
        ("Model", model_words(content.primary)),
        ("Confirmatory tests", family_words(content, questions)),
        (
            "Everything else",
            "Exploratory, and called so; p-values adjusted by "
            f"{CORRECTIONS[content.exploratory_correction]} procedure.",
        ),
        ("Left out", exclusion_words(content.exclusions)),
    ]
    if content.n_target is not None or content.smallest_effect is not None:
        told.append(("Sample", sample_words(content)))
    told.append(("Seed of random draws", str(content.seed)))
    if content.notes:
        told.append(("Notes", content.notes))
    return told


def asked(key: str, questions: Mapping[str, str]) -> str:
    return f"“{questions[key]}” ({key})" if key in questions else f"“{key}”"


def primary_words(primary: Primary, questions: Mapping[str, str]) -> str:
    return (
        f"Do answers to {asked(primary.question, questions)} go with "
        f"{PREDICTORS[primary.predictor]}, in layer {primary.layer} of the scan “{primary.scan}”?"
    )


def model_words(primary: Primary) -> str:
    parts = [MODELS[primary.model]]
    if primary.link is not None:
        parts.append(f"{primary.link} link")
    if primary.rater_slopes:
        parts.append("a slope of the predictor for each rater")
    held = [PREDICTORS[each] for each in primary.covariates]
    if held:
        parts.append(f"given {' and '.join(held)}")
    words = "; ".join(parts)
    return f"{words[0].upper()}{words[1:]}."


def family_words(content: PlanContent, questions: Mapping[str, str]) -> str:
    level = f"{content.alpha:g}"
    if len(content.family) == 1:
        return f"The primary test alone, two-sided at α = {level}."
    others = "; ".join(test_words(test, questions) for test in content.family[1:])
    return (
        f"{len(content.family)} tests, two-sided at α = {level} after "
        f"{CORRECTIONS[content.correction]} procedure: the primary, and {others}."
    )


def test_words(test: PlannedTest, questions: Mapping[str, str]) -> str:
    return (
        f"{asked(test.question, questions)} with {PREDICTORS[test.predictor]} "
        f"(layer {test.layer}, {SHORT_MODELS[test.model]})"
    )


def exclusion_words(exclusions: Exclusions) -> str:
    parts = []
    if exclusions.decisions:
        parts.append("Whom researchers exclude with a reason.")
    else:
        parts.append("Nobody by researchers’ decisions: whom they exclude stays in the analysis.")
    marked = [rule for rule in RULES if rule.name in exclusions.rules]
    if marked:
        listed = "; ".join(rule_words(rule.name, exclusions) for rule in marked)
        parts.append(f"Whoever is marked by any of these rules: {listed}.")
    else:
        parts.append("Nobody by a quality rule.")
    return " ".join(parts)


def rule_words(name: str, exclusions: Exclusions) -> str:
    """A rule with the limit beyond which it marks."""
    rule = next(each for each in RULES if each.name == name)
    side = "less than" if rule.least else "more than"
    return f"{rule.title} ({side} {amount(exclusions.limits[name], rule.limit.unit)})"


def sample_words(content: PlanContent) -> str:
    parts = []
    if content.n_target is not None:
        parts.append(f"{wording.count(content.n_target, 'participant')} wanted.")
    if content.smallest_effect is not None:
        parts.append(f"Smallest effect of interest: {content.smallest_effect:g}.")
    return " ".join(parts)
