"""One number per image for every kind of question: what raters said of it on the whole."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats as scipy_stats

from studies.models import Question
from studies.services.analysis.agreement import agreement
from studies.stats import fit_rao_kupper

COMPARISONS = ("forced_choice", "best_worst", "ranking")


@dataclass(frozen=True)
class ImageNumbers:
    """The images with mean, low, high (95 %) and n; what the number means; how reliable it is.

    `reliability` holds results as plain values by name; it is empty where none is defined.
    """

    table: pd.DataFrame
    measure: dict[str, Any]
    n_answers: int
    reliability: dict[str, dict[str, Any]] = field(default_factory=dict)


def image_numbers(
    question: Question,
    ratings: pd.DataFrame,
    comparisons: pd.DataFrame,
    images: pd.DataFrame,
    seed: int,
    *,
    reliable: bool = True,
) -> ImageNumbers | None:
    """The images' numbers for `question`; None where its answers are words.

    `ratings` and `comparisons` are the study's frames, of which the question's rows are used.
    How far raters agree is left out unless `reliable`.
    """
    mine = ratings[ratings["question"] == question.key]
    compared = comparisons[comparisons["question"] == question.key]
    if question.kind == "text":
        return None
    if question.kind == "forced_choice":
        return of_pairs(question, compared, images)
    if question.kind in COMPARISONS:
        return of_sets(question, compared, images)
    measure = measured(question)
    table = image_means(
        mine, images, shares=question.kind == "categorical", bounds=tuple(measure["range"])
    )
    agreed = agreement(question, mine, seed) if reliable else {}
    return ImageNumbers(table, measure, len(mine), agreed)


def measured(question: Question) -> dict[str, Any]:
    """What an image's number means where it is rated by itself."""
    options = question.options
    if question.kind == "categorical":
        words = {label["value"]: label["label"] for label in options["labels"]}
        positive = words[options["positive"]]
        undecided = [words[value] for value in options.get("undecided", [])]
        left_out = f", “{'”, “'.join(undecided)}” left out" if undecided else ""
        return {
            "measure": f"share of raters who chose “{positive}”{left_out}",
            "positive_label": positive,
            "range": [0, 1],
        }
    low, high = (
        (options.get("min", 0), options.get("max", 100))
        if question.kind == "slider"
        else (1, options["points"])
    )
    left_out = f", “{options['cannot_say']}” left out" if options.get("cannot_say") else ""
    return {"measure": f"mean rating from {low} to {high}{left_out}", "range": [low, high]}


def image_means(
    ratings: pd.DataFrame, images: pd.DataFrame, *, shares: bool, bounds: tuple[float, float]
) -> pd.DataFrame:
    """The images with the mean of their numbers, its 95 % interval, and how many there are.

    Columns added to `images`: mean, low, high, n. A mean rating has a t interval, cut at the
    ends of the scale; a share has Wilson's (1927). There is none (NaN) with fewer than two
    ratings, nor for ratings that are all the same, whose spread says nothing.
    """
    numbers = ratings.dropna(subset=["number"]).groupby("image")["number"]
    mean, n = numbers.mean(), numbers.count()
    if shares:
        z = scipy_stats.norm.ppf(0.975)
        centre = (mean + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(mean * (1 - mean) / n + z**2 / (4 * n**2))
        half = half.where(n > 1)
    else:
        centre, sd = mean, numbers.std(ddof=1)
        half = (scipy_stats.t.ppf(0.975, (n - 1).clip(lower=1)) * sd / np.sqrt(n)).where(sd > 0)
    table = pd.DataFrame(
        {
            "mean": mean,
            "low": (centre - half).clip(*bounds),
            "high": (centre + half).clip(*bounds),
            "n": n,
        }
    )
    return joined(images, table)


def joined(images: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    rows = images.merge(table, left_on="image", right_index=True, how="left")
    return rows.fillna({"n": 0}).astype({"n": int})


def pairs(compared: pd.DataFrame) -> pd.DataFrame:
    """Left, right and choice of every comparison of two images, by trial."""
    wide = compared.pivot(index="trial", columns="place", values="image")
    if wide.empty:
        return pd.DataFrame(columns=["left", "right", "choice"])
    chosen = compared.drop_duplicates("trial").set_index("trial")["value"]
    return pd.DataFrame({"left": wide[1], "right": wide[2], "choice": chosen.reindex(wide.index)})


def of_pairs(question: Question, compared: pd.DataFrame, images: pd.DataFrame) -> ImageNumbers:
    """Abilities of Rao and Kupper's model (Bradley and Terry's where there are no ties)."""
    measure: dict[str, Any] = {
        "measure": "ability in log odds, from choices between two images",
        "range": [-1, 1],
    }
    frame = pairs(compared)
    if frame.empty:
        empty = pd.DataFrame(columns=["mean", "low", "high", "n"], dtype=float)
        return ImageNumbers(joined(images, empty), measure, 0)
    model = fit_rao_kupper(frame)
    intervals = model.interval(0.95)
    finite = {image: ability for image, ability in model.abilities.items() if ability is not None}
    limits = {image: intervals[image] or (np.nan, np.nan) for image in finite}
    table = pd.DataFrame(
        {
            "mean": pd.Series(finite, dtype=float),
            "low": pd.Series({image: low for image, (low, _) in limits.items()}, dtype=float),
            "high": pd.Series({image: high for image, (_, high) in limits.items()}, dtype=float),
            "n": compared.groupby("image")["trial"].nunique().reindex(list(finite)),
        }
    )
    ends = table[["mean", "low", "high"]].to_numpy()
    if np.isfinite(ends).any():
        measure["range"] = [math.floor(np.nanmin(ends)), math.ceil(np.nanmax(ends))]
    separation = {
        "estimate": model.separation_reliability,
        "interval": None,
        "method": model.method,
        "warnings": list(model.warnings),
        "n_ratings": model.n_comparisons,
    }
    return ImageNumbers(joined(images, table), measure, len(frame), {"separation": separation})


def of_sets(question: Question, compared: pd.DataFrame, images: pd.DataFrame) -> ImageNumbers:
    """Best minus worst, or mean rank from the last, over the times that an image was shown."""
    if question.kind == "best_worst":
        number = [
            (value["best"] == place) * 1.0 - (value["worst"] == place) * 1.0
            for value, place in zip(compared["value"], compared["place"], strict=True)
        ]
        low, high = -1, 1
        words = (
            "how much more often best than worst, of the times shown "
            "(Louviere, Flynn and Marley, 2015)"
        )
    else:
        k = question.options["k"]
        number = [
            float(k - value.index(place))
            for value, place in zip(compared["value"], compared["place"], strict=True)
        ]
        low, high = 1, k
        words = f"mean rank, {k} for the first and 1 for the last"
    rows = compared.assign(number=np.array(number, dtype=float))
    table = image_means(rows, images, shares=False, bounds=(low, high))
    measure = {"measure": words, "range": [low, high]}
    return ImageNumbers(table, measure, compared["trial"].nunique())
