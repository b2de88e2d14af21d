"""Figures of a result, for pages and for reports."""

from typing import Any

import altair as alt
import pandas as pd

from studies.figures import label_shares, rating_scatter
from studies.stats import RankAssociation

from .document import Figure, words
from .reading import PREDICTORS, Result, association


def headline_association(asked: Result, predictor: str) -> RankAssociation | None:
    """The rank correlation that is written over the scatter."""
    stored = association(asked, predictor)
    if stored is None:
        return None
    names = RankAssociation.__dataclass_fields__
    return RankAssociation(**{key: value for key, value in stored.items() if key in names})


def scatter(asked: Result, predictor: str, **options: Any) -> alt.LayerChart:
    """Each image's mean answer against size or score."""
    frame = pd.DataFrame(asked["images"]).rename(
        columns={
            "mean": "rating",
            "low": "rating_low",
            "high": "rating_high",
            "in_group": "in_subset",
            "n": "n_ratings",
        }
    )
    measure = asked["measure"]
    return rating_scatter(
        # A mean that is not there is None in JSON, which would make a column of objects.
        frame.astype(dict.fromkeys(("rating", "rating_low", "rating_high", predictor), float)),
        predictor,
        association=headline_association(asked, predictor),
        rating_range=tuple(asked["range"]),
        rating_title=measure[0].upper() + measure[1:],
        **options,
    )


def rating_figure(asked: Result, predictor: str, layer: str, mark: str | None) -> Figure:
    chart = scatter(asked, predictor, mark=mark, width="183mm")
    return Figure(
        f"{asked['key']}-{predictor}",
        words(
            f"{asked['measure'][0].upper()}{asked['measure'][1:]} for “{asked['text']}” against "
            f"{PREDICTORS[predictor]} at the layer {layer}, one dot per image. "
            "Filled dots are in the group’s subset; "
            "whiskers are 95% intervals of an image’s mean over its raters; the line is the least-"
            "squares trend with its pointwise 95% band, drawn for the eye and not tested."
        ),
        str(chart.description),
        chart,
    )


def label_figure(asked: Result, mark: str | None) -> Figure:
    counts = pd.DataFrame(asked["labels"])
    chart = label_shares(counts, labels=list(counts["label"].unique()), mark=mark, width="183mm")
    return Figure(
        f"{asked['key']}-labels",
        words(f"Labels chosen for “{asked['text']}”, as shares of the answers to each process."),
        str(chart.description),
        chart,
    )
