"""The headline under every combination of the quality rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from studies.services.analysis.associations import USUAL_DRAWS, image_association
from studies.services.analysis.fitting import Fits, Wanted, mixed_frame
from studies.services.analysis.image_numbers import COMPARISONS, image_numbers
from studies.services.analysis.inputs import Inputs
from studies.services.analysis.names import PREDICTORS
from studies.services.analysis.planned import Test
from studies.services.analysis.questions import Analysed
from studies.services.analysis.steps import Steps
from studies.services.analysis.testing import UNITS, Tests, figures
from studies.stats.multiverse import run_multiverse, specifications
from studies.stats.results import Interval

# Ratings fitted in all: beyond, mixed models would take minutes.
MOST_FITTED = 400_000
BY_RANKS = (
    " Here each estimate is Spearman’s rank correlation with the images’ numbers, its interval and "
    "permutation p by the same function as elsewhere in this analysis"
)
# Ratings resampled in all: beyond, all but the plan's own take fewer draws.
MOST_RESAMPLED = 1_000_000
FEW_DRAWS = {"n_permutations": 999, "n_bootstrap": 499}


@dataclass(frozen=True)
class Found:
    """What `run_multiverse` asks of a fit."""

    estimate: float | None
    interval: Interval | None
    p: float | None
    converged: bool = True


def exclusion_multiverse(tests: Tests, steps: Steps) -> dict[str, Any] | None:
    """The primary test by every combination of rules that leave somebody out.

    As the headline is made, so that the plan's own is the headline; unless mixed models of too
    many ratings would have to be fitted: then by Spearman's rank correlation of the images'
    numbers. None where there is no primary test.
    """
    test = tests.primary
    if test is None:
        return None
    inputs, analysed = tests.inputs, tests.analysed[test.question]
    frame = answers(analysed, inputs)
    rules = inputs.exclusions
    marked = {name: sorted(raters) for name, raters in rules.by_rule.items()}
    wanted = specifications(marked, rules.rules, raters=set(frame["rater"]), seed=inputs.seed)
    n_fitted = len(frame) * len(wanted.specifications)
    said: list[str] = []
    model, method, draws = test.model, "", USUAL_DRAWS
    by_rank = model not in ("clmm", "lmm")
    if not by_rank and n_fitted > MOST_FITTED:
        model, by_rank = "spearman", True
        said.append(
            f"{len(wanted.specifications)} fits of about {len(frame):,} ratings take too long by "
            "the planned model: these estimates are rank correlations of the images’ numbers."
        )
    if by_rank and n_fitted > MOST_RESAMPLED:
        draws = FEW_DRAWS
    fit: Callable[[pd.DataFrame], Found]
    if by_rank:
        fit, unit = by_ranks(test, analysed, inputs, set(frame["rater"]), draws), UNITS["rank"]
        method = f"{BY_RANKS}{draw_words(draws)}."
    else:
        fit = by_mixed_model(test, analysed, inputs)
        unit = UNITS["lmm" if test.model == "lmm" else test.link]
    found = run_multiverse(
        frame,
        wanted,
        fit,
        lambda done, n: steps.say(f"exclusions: {done} of {n} combinations"),
        alpha=inputs.content["alpha"],
    ).to_dict()
    return {
        "question": test.question,
        "predictor": test.predictor,
        "predictor_label": PREDICTORS[test.predictor],
        "model": model,
        "unit": unit,
        **found,
        "method": found["method"] + method,
        "warnings": [*said, *found["warnings"]],
    }


def answers(analysed: Analysed, inputs: Inputs) -> pd.DataFrame:
    """The answers to the question by everybody who is not left out by a decision, a row each."""
    compared = analysed.question.kind in COMPARISONS
    every = inputs.all_comparisons if compared else inputs.all_ratings
    mine = every[every["question"] == analysed.key]
    rows = mine.drop_duplicates("trial") if compared else mine.dropna(subset=["number"])
    return rows.reset_index(drop=True)


def by_mixed_model(
    test: Test, analysed: Analysed, inputs: Inputs
) -> Callable[[pd.DataFrame], Found]:
    """The planned model; that of the plan's own exclusions is the headline's, fitted already."""
    wanted = Wanted(
        test.model, (test.predictor, *test.covariates), test.scan, test.slopes, test.link
    )

    planned = set(analysed.fits.frame["rater"])

    def fit(rows: pd.DataFrame) -> Found:
        of_plan = set(rows["rater"]) == planned
        model = analysed.fits.fit(wanted) if of_plan else None
        if model is None:
            model = Fits(mixed_frame(rows), inputs.measures).fitted(wanted)
        found = figures(model, test.predictor)
        return Found(found["estimate"], found["interval"], found["p"], model.converged)

    return fit


def draw_words(draws: Mapping[str, int]) -> str:
    if draws == USUAL_DRAWS:
        return " and the same draws"
    return (
        f"; as these are many ratings, all but the plan’s own with {draws['n_permutations']} "
        f"permutations and {draws['n_bootstrap']} bootstrap draws only"
    )


def by_ranks(
    test: Test, analysed: Analysed, inputs: Inputs, raters: set[str], draws: Mapping[str, int]
) -> Callable[[pd.DataFrame], Found]:
    """Spearman's ρ of the images' numbers as these answers give them, as a headline has it.

    With `draws`; that of the plan's own exclusions out of the `raters` with the usual ones.
    """
    planned = raters - inputs.exclusions.raters
    compared = analysed.question.kind in COMPARISONS
    measured = inputs.measures[test.scan]

    def fit(rows: pd.DataFrame) -> Found:
        rated = numbers_of(rows, analysed, inputs) if compared else analysed.rated
        ratings = None if compared else rows
        used = USUAL_DRAWS if set(rows["rater"]) == planned else draws
        found = image_association(rated, ratings, measured, test.predictor, inputs.seed, used)
        if found["estimate"] is None:
            raise ValueError(" ".join(found["warnings"]))
        return Found(found["estimate"], found["interval"], found["p_permutation"])

    return fit


def numbers_of(rows: pd.DataFrame, analysed: Analysed, inputs: Inputs) -> pd.DataFrame:
    """The images' numbers by the comparisons that `rows` hold one row of each."""
    every = inputs.all_comparisons
    mine = (every["question"] == analysed.key) & every["trial"].isin(rows["trial"])
    numbers = image_numbers(
        analysed.question, inputs.all_ratings.iloc[:0], every[mine], inputs.images, inputs.seed,
        reliable=False,
    )  # fmt: skip
    if numbers is None:
        raise ValueError("the question has no numbers")
    return numbers.table[numbers.table["n"] > 0]
