"""Fits of one question's ratings, each made once; what cannot be fitted is said."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pandas as pd

from studies.services.analysis.names import PREDICTORS, standardised
from studies.stats import fit_clmm, fit_lmm
from studies.stats.clmm import CumulativeLinkMixedModel
from studies.stats.lmm import LinearMixedModel

Mixed = CumulativeLinkMixedModel | LinearMixedModel
T = TypeVar("T")
# With so many ratings array arithmetic takes most of a fit's time, and threads share the work.
LARGE, MOST_THREADS = 20_000, 4
NAMES = {
    "clmm": "cumulative link mixed model",
    "lmm": "linear mixed model",
    "rao_kupper": "Rao–Kupper model",
}


def attempted(make: Callable[[], T], what: str, said: list[str]) -> T | None:
    """What `make` makes; None, and the reason added to `said`, where the data do not allow it."""
    try:
        return make()
    except ValueError as error:
        reason = f"{what} is not computed: {str(error).rstrip('.')}."
        if reason not in said:
            said.append(reason)
        return None


@dataclass(frozen=True)
class Wanted:
    """A mixed model of standardised predictors of one scan; raters may differ in the first."""

    model: str
    predictors: tuple[str, ...]
    scan: str
    slopes: bool = False
    link: str = "logit"

    @property
    def words(self) -> str:
        over = " and ".join(PREDICTORS[name] for name in self.predictors) or "nothing"
        slopes = " with rater slopes" if self.slopes else ""
        return f"The {NAMES[self.model]} on {over}{slopes}"


@dataclass
class Fits:
    """Mixed models of the ratings of one question; `problems` are those that were not possible."""

    frame: pd.DataFrame
    measures: dict[str, pd.DataFrame]
    made: dict[Wanted, Mixed | None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def fit(self, wanted: Wanted) -> Mixed | None:
        if wanted not in self.made:
            self.prepare([wanted])
        return self.made[wanted]

    def prepare(self, wanted: Iterable[Wanted]) -> None:
        """Fit what was not yet, large ones beside each other; what is found is the same."""
        new = [each for each in dict.fromkeys(wanted) if each not in self.made]
        if len(new) > 1 and len(self.frame) > LARGE:
            with ThreadPoolExecutor(min(len(new), MOST_THREADS, os.cpu_count() or 1)) as pool:
                outcomes = list(pool.map(self.outcome, new))
        else:
            outcomes = [self.outcome(each) for each in new]
        for each, (model, said) in zip(new, outcomes, strict=True):
            self.made[each] = model
            self.problems += said

    def outcome(self, wanted: Wanted) -> tuple[Mixed | None, list[str]]:
        said: list[str] = []
        return attempted(lambda: self.fitted(wanted), wanted.words, said), said

    def fitted(self, wanted: Wanted) -> Mixed:
        """A new fit; ValueError says why there is none."""
        columns = [standardised(name) for name in wanted.predictors]
        frame = self.frame
        if columns:
            measured = self.measures[wanted.scan].set_index("image")[columns]
            for predictor, name in zip(wanted.predictors, columns, strict=True):
                if measured[name].isna().all():
                    raise ValueError(f"{PREDICTORS[predictor]} is the same in all images")
            frame = frame.join(measured, on="image")
        slopes = columns[:1] if wanted.slopes else []
        if wanted.model == "lmm":
            return fit_lmm(frame, fixed=columns, rater_slopes=slopes)
        return fit_clmm(frame, fixed=columns, rater_slopes=slopes, link=wanted.link)


def mixed_frame(ratings: pd.DataFrame) -> pd.DataFrame:
    """Rater, image and rating of every answer that is a number."""
    rated = ratings.dropna(subset=["number"])
    return rated[["rater", "image", "number"]].rename(columns={"number": "rating"})


def cautions(model: Mixed) -> list[str]:
    """The warnings of `model`, with predictors named as pages name them."""
    said = []
    for warning in model.warnings:
        text = warning
        for name, words in PREDICTORS.items():
            text = text.replace(standardised(name), words)
        said.append(text)
    return said


def plain(result: Any) -> dict[str, Any] | None:
    return None if result is None else result.to_dict()
