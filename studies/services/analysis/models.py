"""Mixed models of the ratings of one question, each with its test and its odds ratios."""

import math
from math import inf
from typing import Any

from studies.services.analysis.fitting import Fits, Mixed, Wanted, attempted, cautions
from studies.services.analysis.names import PREDICTORS, standardised
from studies.stats import likelihood_ratio
from studies.stats.clmm import CumulativeLinkMixedModel

# By kind of question: which mixed models its answers have.
MIXED = {"likert": ("clmm", "lmm"), "categorical": ("clmm",), "slider": ("lmm",)}


def question_models(kind: str, fits: Fits, scan: str) -> list[dict[str, Any]]:
    """Each predictor by itself, with and without rater slopes; then both together.

    The first models of a kind are the ones to report; both predictors together tell whether one
    adds to the other, as far as they differ at all.
    """
    wanted = [
        Wanted(model, (predictor,), scan, slopes=slopes)
        for model in MIXED.get(kind, ())
        for predictor in PREDICTORS
        for slopes in (True, False)
    ]
    wanted += [Wanted(model, tuple(PREDICTORS), scan) for model in MIXED.get(kind, ())]
    fits.prepare([*wanted, *(below for each in wanted if (below := nested(each)) is not None)])
    made = [(each, fits.fit(each)) for each in wanted]
    return [described(each, model, fits) for each, model in made if model is not None]


def nested(wanted: Wanted) -> Wanted | None:
    """What a likelihood ratio compares `wanted` with; None for models fitted by REML."""
    if wanted.model != "clmm":
        return None
    predictors = wanted.predictors if wanted.slopes else ()
    return Wanted(wanted.model, predictors, wanted.scan, link=wanted.link)


def described(wanted: Wanted, model: Mixed, fits: Fits) -> dict[str, Any]:
    """`model` as plain values, named, with what follows from it."""
    return {
        "name": f"{wanted.model}_slope" if wanted.slopes else wanted.model,
        "predictors": list(wanted.predictors),
        "scan": wanted.scan,
        **model.to_dict(),
        "warnings": cautions(model),
        "small_sample": model.small_sample().to_dict(),
        "odds_ratios": odds_ratios(model),
        "likelihood_ratio": ratio_test(wanted, model, fits),
    }


def odds_ratios(model: Mixed) -> dict[str, list[float]] | None:
    """By predictor: odds ratio of a higher rating per standard deviation, low, high.

    The limits allow for few images and raters, as the headline's do.
    """
    if not isinstance(model, CumulativeLinkMixedModel) or model.link != "logit":
        return None
    small = model.small_sample()
    limits = {name: small.intervals[name] or (-inf, inf) for name in model.estimates}
    return {
        name: [exponential(value) for value in (estimate, *limits[name])]
        for name, estimate in model.estimates.items()
    }


def exponential(value: float) -> float:
    """e to the `value`; infinite rather than an error where nothing finite was estimated."""
    return math.exp(value) if value < 700 else inf


def ratio_test(wanted: Wanted, model: Mixed, fits: Fits) -> dict[str, Any] | None:
    """Twice the gain in log likelihood: of the predictors, or of the raters' slopes.

    A model with slopes is compared with the same without; the chi-squared reference is
    conservative there, as a variance of zero lies on the boundary. Linear models are fitted by
    REML, whose likelihoods do not compare, and have none.
    """
    below = nested(wanted)
    smaller = below and fits.fit(below)
    if not isinstance(smaller, CumulativeLinkMixedModel) or not isinstance(
        model, CumulativeLinkMixedModel
    ):
        return None
    test = attempted(
        lambda: likelihood_ratio(model, smaller),
        f"The likelihood-ratio test of {'rater slopes' if wanted.slopes else wanted.words}",
        fits.problems,
    )
    if test is None:
        return None
    return {
        **test.to_dict(),
        "of": "rater slopes" if wanted.slopes else "predictors",
        "df": test.degrees_of_freedom,
    }


def term(predictor: str) -> str:
    return standardised(predictor)
