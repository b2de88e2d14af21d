"""Reading a stored result, of which older ones lack parts: what is not there is None or empty."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

Result = Mapping[str, Any]

PREDICTORS = {"size": "subset size", "score": "score"}
PARTS = ("standard_errors", "intervals", "p_values", "degrees_of_freedom")
MODELS = {
    "clmm": "CLMM, random intercepts",
    "clmm_slope": "CLMM, rater slopes",
    "lmm": "LMM, random intercepts",
    "lmm_slope": "LMM, rater slopes",
    "rao_kupper": "Rao–Kupper model",
    "spearman": "Spearman’s ρ",
}


def questions(result: Result) -> list[Result]:
    return list(result.get("questions") or [])


def question(result: Result, key: str | None) -> Result | None:
    return next((each for each in questions(result) if each["key"] == key), None)


def primary(result: Result) -> Result | None:
    """The question that the headline is about; the first where no headline says."""
    key = (result.get("headline") or {}).get("question")
    found = questions(result)
    return question(result, key) or (found[0] if found else None)


def predictor_of(term: str) -> str:
    """The predictor that a term of a model stands for: size_z → size."""
    return term.removesuffix("_z")


def term_words(term: str) -> str:
    name = predictor_of(term)
    return PREDICTORS.get(name, name.replace("_", " "))


def model_terms(asked: Result) -> Iterator[tuple[Result, str]]:
    """Each mixed model of a question with each of its terms that stands for a predictor."""
    for model in asked.get("models") or []:
        for term in model.get("estimates") or {}:
            if predictor_of(term) in PREDICTORS:
                yield model, term


def model_words(model: Result) -> str:
    """A model's name, with what else is in it."""
    name = MODELS.get(model.get("name", ""), str(model.get("name", "model")))
    predictors = [PREDICTORS.get(each, each) for each in model.get("predictors") or []]
    return f"{name}: {' + '.join(predictors)}" if len(predictors) > 1 else name


@dataclass(frozen=True)
class Tested:
    """A term of a model with its test: t where `df` is there, else z."""

    estimate: float
    standard_error: float | None
    interval: Sequence[float] | None
    p: float | None
    df: float | None

    @property
    def statistic(self) -> float | None:
        return self.estimate / self.standard_error if self.standard_error else None


def tested(model: Result, term: str) -> Tested:
    """The test to report: the one that allows for few images and raters, where there is one."""
    from_model = {name: (model.get(name) or {}) for name in PARTS}
    small = model.get("small_sample") or {}
    part = {name: (small.get(name) or from_model[name]).get(term) for name in PARTS}
    return Tested(
        estimate=model["estimates"][term],
        standard_error=part["standard_errors"],
        interval=part["intervals"],
        p=part["p_values"],
        df=part["degrees_of_freedom"],
    )


def is_headline(told: Result, model: Result, term: str) -> bool:
    """Whether the headline's estimate is that of this term of this model."""
    name = f"{told.get('model')}_slope" if told.get("rater_slopes") else told.get("model")
    return (
        model.get("name") == name
        and told.get("predictor") == predictor_of(term)
        and told.get("estimate") == model["estimates"][term]
    )


def association(asked: Result, predictor: str, method: str = "spearman") -> Result | None:
    return next(
        (
            each
            for each in asked.get("associations") or []
            if each["predictor"] == predictor and each["method_name"] == method
        ),
        None,
    )


def warnings_of(asked: Result) -> list[str]:
    """What is to be told of a question's numbers, each once."""
    found: list[str] = list(asked.get("warnings") or [])
    parts = [
        *(asked.get("associations") or []),
        asked.get("membership") or {},
        *(asked.get("reliability") or {}).values(),
        *(asked.get("standardised") or []),
        *(asked.get("models") or []),
    ]
    for part in parts:
        if isinstance(part, Mapping):
            found += part.get("warnings") or []
    return list(dict.fromkeys(found))


def judged(asked: Result, more: bool) -> str:
    """What it means for images to have higher numbers on a question, or lower ones."""
    if asked["kind"] == "categorical":
        return f"labelled “{asked.get('positive_label')}” {'more' if more else 'less'} often"
    if asked["kind"] in ("forced_choice", "best_worst", "ranking"):
        return f"preferred {'more' if more else 'less'} often on “{asked['text']}”"
    return f"rated {'higher' if more else 'lower'} on “{asked['text']}”"


def is_defined(part: Any) -> TypeGuard[Result]:
    """Whether a part of a result is there and has an estimate."""
    return isinstance(part, Mapping) and part.get("estimate") is not None


def as_headline(result: Result) -> bool:
    """Whether the estimates under other exclusions are made as the headline is."""
    told, found = result.get("headline") or {}, result.get("multiverse") or {}
    return bool(told.get("model") == found.get("model"))
