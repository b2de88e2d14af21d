"""One test of one predictor by one model: what the headline and the family are made of."""

from typing import Any

from studies.services.analysis.associations import image_association
from studies.services.analysis.fitting import Mixed, Wanted, cautions
from studies.services.analysis.inputs import Inputs
from studies.services.analysis.models import odds_ratios
from studies.services.analysis.names import PREDICTORS, standardised
from studies.services.analysis.planned import Test, planned_tests, primary_test
from studies.services.analysis.questions import Analysed
from studies.stats.clmm import CumulativeLinkMixedModel

UNITS = {
    "logit": "log odds per SD",
    "probit": "probits per SD",
    "lmm": "rating points per SD",
    "rank": "Spearman’s ρ",
}


class Tests:
    """The tests of an analysis, each made once; `planned` are those of the plan's family."""

    __test__ = False

    def __init__(self, inputs: Inputs, analysed: dict[str, Analysed]) -> None:
        self.inputs = inputs
        self.analysed = analysed
        self.made: dict[Test, dict[str, Any]] = {}
        primary = primary_test(inputs.content)
        self.primary = primary if primary is not None and self.is_possible(primary) else None
        self.planned = [each for each in planned_tests(inputs.content) if self.is_possible(each)]

    def is_possible(self, test: Test) -> bool:
        """Whether the question has answers, and the scan every image."""
        return test.question in self.analysed and test.scan in self.inputs.measures

    def result(self, test: Test) -> dict[str, Any]:
        if test not in self.made:
            self.made[test] = tested(test, self.analysed[test.question], self.inputs)
        return self.made[test]


def tested(test: Test, analysed: Analysed, inputs: Inputs) -> dict[str, Any]:
    """Estimate, interval and p of `test`, with the unit, the odds ratio and the test's name."""
    about = {
        "question": test.question,
        "predictor": test.predictor,
        "predictor_label": PREDICTORS[test.predictor],
        "scan": test.scan,
        "layer": inputs.layer_of[test.scan],
        "model": test.model,
    }
    if test.model in ("clmm", "lmm"):
        return about | by_mixed_model(test, analysed)
    return about | by_ranks(test, analysed, inputs)


def by_mixed_model(test: Test, analysed: Analysed) -> dict[str, Any]:
    """By t with the degrees of freedom that few images or raters leave."""
    wanted = Wanted(
        test.model, (test.predictor, *test.covariates), test.scan, test.slopes, test.link
    )
    model = analysed.fits.fit(wanted)
    unit = UNITS["lmm" if test.model == "lmm" else test.link]
    common = {"unit": unit, "rater_slopes": test.slopes}
    if model is None:
        why = [text for text in analysed.fits.problems if text.startswith(wanted.words)]
        return common | undefined(why)
    if not model.converged:
        return common | undefined(cautions(model))
    return {
        **common,
        "fitted": fitted(model),
        **figures(model, test.predictor),
        "n_images": model.n_images,
        "n_raters": model.n_raters,
        "n_ratings": model.n_ratings,
        "method": model.method,
        "warnings": cautions(model),
    }


def fitted(model: Mixed) -> dict[str, Any]:
    """What the model itself says of how it was fitted, in the words of plans."""
    ordered = isinstance(model, CumulativeLinkMixedModel)
    of_term = {standardised(name): name for name in PREDICTORS}
    return {
        "model": "clmm" if ordered else "lmm",
        "link": getattr(model, "link", None),
        "rater_slopes": any(name.startswith("rater:") for name in model.random_sd),
        "predictors": [of_term[name] for name in model.estimates if name in of_term],
    }


def figures(model: Mixed, predictor: str) -> dict[str, Any]:
    """Estimate, interval, p, odds ratio and test of the effect of `predictor`."""
    name = standardised(predictor)
    ratios = odds_ratios(model)
    small = model.small_sample()
    estimate, error = small.estimates[name], small.standard_errors[name]
    ordered = isinstance(model, CumulativeLinkMixedModel)
    return {
        "estimate": estimate,
        "interval": small.intervals[name],
        "p": small.p_values[name],
        "odds_ratio": ratios and ratios[name],
        "test": {
            "name": "t, small-sample corrected" if ordered else "t, Satterthwaite",
            "statistic": estimate / error if error else None,
            "df": small.degrees_of_freedom[name],
        },
        "inference": small.method,
    }


def by_ranks(test: Test, analysed: Analysed, inputs: Inputs) -> dict[str, Any]:
    """By the rank correlation of the images' numbers."""
    found = image_association(
        analysed.rated, analysed.ratings, inputs.measures[test.scan], test.predictor, inputs.seed
    )
    abilities = test.model == "rao_kupper" and analysed.question.kind == "forced_choice"
    return {
        "unit": UNITS["rank"],
        "rater_slopes": False,
        "fitted": {
            "model": "rao_kupper" if abilities else "spearman",
            # Rao and Kupper's model is fitted with no other.
            "link": "logit" if abilities else None,
            "rater_slopes": False,
            "predictors": [found["predictor"]],
        },
        "estimate": found["estimate"],
        "interval": found["interval"],
        "p": found["p_permutation"],
        "odds_ratio": None,
        "test": {
            "name": f"permutation of images, {found['n_permutations']} draws",
            "statistic": found["estimate"],
            "df": None,
        },
        "n_images": found["n"],
        "n_raters": analysed.result["n_raters"],
        "n_ratings": analysed.result["n_ratings"],
        "method": found["method"],
        "warnings": found["warnings"],
    }


def undefined(why: list[str]) -> dict[str, Any]:
    return {
        "fitted": None,
        "estimate": None,
        "interval": None,
        "p": None,
        "odds_ratio": None,
        "test": None,
        "n_images": None,
        "n_raters": None,
        "n_ratings": None,
        "method": None,
        "warnings": why,
    }
