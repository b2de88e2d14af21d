"""Scores of null groups, and the score that was observed among them."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from .parts import assembled, inline_data
from .theme import PROCESS_COLOURS, Width, palette

HEIGHT = 180


def null_histogram(
    null_scores: Sequence[float],
    observed: float,
    *,
    width: Width = "container",
    dark: bool = False,
) -> alt.LayerChart:
    """How null groups score, and where the observed group is.

    Parameters
    ----------
    null_scores : sequence of float
        One per null group.
    observed : float
        Score of the group in question.

    Examples
    --------
    >>> null_histogram([1.0, 2.0, 2.5, 3.0], 4.0).to_dict()["height"]
    180
    """
    scores = np.asarray(null_scores, dtype=float)
    if scores.size == 0:
        raise ValueError("null_scores must hold at least one score; got none")
    colours = palette(dark)
    counts, edges = np.histogram(scores, bins=min(30, max(5, int(np.sqrt(scores.size)) * 2)))
    bars = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "n": counts, "none": 0})
    mark = pd.DataFrame({"score": [observed], "words": [f"observed {observed:,.1f}"]})
    lowest, highest = min(scores.min(), observed), max(scores.max(), observed)
    room = 0.03 * (highest - lowest) or 1.0
    x_scale = alt.Scale(domain=[lowest - room, highest + room], nice=False, zero=False)
    # A label that would stick out of the figure is left out.
    x_axis = alt.Axis(labelBound=True)
    y = alt.Y("n:Q", title="Null groups", axis=alt.Axis(tickMinStep=1))
    # The words stand on that side of the line where there is room for them.
    to_the_left = observed > (lowest + highest) / 2
    observed_at = alt.Chart(inline_data(mark)).encode(
        x=alt.X("score:Q", title="Score of the group", scale=x_scale, axis=x_axis)
    )
    return assembled(
        [
            alt.Chart(inline_data(bars))
            .mark_rect(color=PROCESS_COLOURS["normal"], stroke=colours.ground, strokeWidth=0.5)
            .encode(
                x=alt.X("low:Q", title="Score of the group", scale=x_scale, axis=x_axis),
                x2="high:Q",
                y=y,
                y2="none:Q",
                tooltip=[
                    alt.Tooltip("low:Q", title="From", format=",.1f"),
                    alt.Tooltip("high:Q", title="to", format=",.1f"),
                    alt.Tooltip("n:Q", title="Null groups"),
                ],
            ),
            observed_at.mark_rule(strokeWidth=2, color=colours.ink),
            observed_at.mark_text(
                align="right" if to_the_left else "left",
                baseline="top",
                dx=-6 if to_the_left else 6,
                y=2,
                color=colours.ink,
            ).encode(text="words:N"),
        ],
        headline=None,
        notes=[f"{scores.size:,} null groups · line: the group that was observed"],
        description=(
            f"Histogram of the scores of {scores.size:,} null groups, from {scores.min():,.1f} to "
            f"{scores.max():,.1f} with median {np.median(scores):,.1f}; the observed group scores "
            f"{observed:,.1f}."
        ),
        height=HEIGHT,
        width=width,
        dark=dark,
        mark=None,
    )
