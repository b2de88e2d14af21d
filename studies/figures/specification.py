"""The specification curve: an estimate under every combination of the rules of exclusion."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from .parts import assembled, inline_data
from .specification_rows import (
    NO_RULE,
    cell_rows,
    curve_rows,
    note,
    rule_labels,
    summary_words,
)
from .theme import Width, font_px, palette

CURVE_HEIGHT = 190
GAP = 22
# Above this, dots would touch: lines are thin and pale, and rules have ticks.
MANY = 60
# Room below what is drawn, as a share of its height.
ROOM = 0.08


def specification_curve(
    multiverse: Mapping[str, Any],
    *,
    unit: str = "estimate",
    labels: Mapping[str, str] | None = None,
    planned: Sequence[str] = (),
    alpha: float | None = None,
    width: Width = "container",
    dark: bool = False,
    mark: str | None = None,
) -> alt.LayerChart:
    """Estimates in their order with intervals; below, which rules each leaves raters out by.

    Parameters
    ----------
    multiverse : mapping
        A `studies.stats.multiverse.Multiverse` as plain values.
    unit : str
        What the estimate is, for the axis.
    labels : mapping, optional
        Words for the rules.
    planned : sequence of str
        The plan's rules, which are called so.
    alpha : float, optional
        Below it an estimate is filled; taken from `multiverse` where that has one.
    mark : str, optional
        Whose ratings they are, as a watermark, where they are none of the study's own.

    Examples
    --------
    >>> one = {"rules": ["fast"], "n_raters": 8, "n_ratings": 80, "estimate": 0.4,
    ...     "interval": [0.1, 0.7], "p": 0.01, "is_plan": True}
    >>> none = one | {"rules": [], "estimate": 0.3, "is_plan": False}
    >>> curve = {"rules": ["fast"], "specifications": [one, none], "summary": {"n": 2}}
    >>> specification_curve(curve).to_dict()["height"]
    248
    """
    if not multiverse.get("specifications"):
        raise ValueError("multiverse must have at least one specification; got none")
    alpha = alpha if alpha is not None else multiverse.get("alpha", 0.05)
    rows = curve_rows(multiverse["specifications"], alpha, labels or {})
    rules = rule_labels(multiverse["rules"], labels or {}, planned)
    row_height = round(1.5 * font_px(width))
    n_drawn = len(rows)
    # Ranks are not shown: they only put the estimates in their order.
    x_scale = alt.Scale(domain=[0.4, n_drawn + 0.6], nice=False, zero=False)
    layers: list[alt.Chart | alt.LayerChart] = [_curve(rows, x_scale, unit, dark)]
    height = CURVE_HEIGHT
    if rules:
        order = [NO_RULE, *rules.values()]
        height += GAP + row_height * len(order)
        layers.append(_matrix(cell_rows(rows, rules), x_scale, order, height, dark))
    chart = assembled(
        layers,
        headline=None,
        notes=[note(rows, multiverse["summary"], alpha)],
        description=summary_words(rows, multiverse["summary"], unit),
        height=height,
        width=width,
        dark=dark,
        mark=mark,
    )
    # Two vertical axes, one above the other: the estimates, and the rules.
    return chart.resolve_scale(y="independent")


def _band(rows: pd.DataFrame, x: alt.X, dark: bool) -> alt.Chart:
    """A pale band down the whole figure at the plan's own specification."""
    return (
        alt.Chart(inline_data(rows.loc[rows["is_plan"], ["rank"]]))
        .mark_rule(
            strokeWidth=float(np.clip(500 / len(rows), 5, 16)),
            color=palette(dark).hairline,
            opacity=0.45,
            aria=False,
        )
        .encode(x=x)
    )


def _curve(rows: pd.DataFrame, x_scale: alt.Scale, unit: str, dark: bool) -> alt.LayerChart:
    """The zero line, intervals and estimates, and the plan's in words."""
    colours = palette(dark)
    drawn = rows.dropna(subset=["estimate"])
    heights = [0.0, *drawn["estimate"], *drawn["low"].dropna(), *drawn["high"].dropna()]
    low, high = min(heights), max(heights)
    room = ROOM * (high - low) or 1.0
    scale = alt.Scale(
        # Above, a line of text has a place of its own.
        domain=[low - room, high + 2.5 * room], range=[CURVE_HEIGHT, 0], nice=False, zero=False
    )  # fmt: skip
    title = f"{unit[0].upper()}{unit[1:]}"
    axis = alt.Axis(tickCount=5, orient="left")
    x = alt.X("rank:Q", title=None, axis=None, scale=x_scale)

    def y(name: str) -> alt.Y:
        return alt.Y(f"{name}:Q", title=title, scale=scale, axis=axis)

    many = len(rows) > MANY
    tones = {True: colours.ink, False: colours.muted}
    # The plan's own is drawn last, over its neighbours.
    drawn = drawn.assign(
        tone=drawn["is_plan"].map(tones),
        bar=drawn["is_plan"].map(tones | {False: colours.hairline} if many else tones),
        fill=drawn["is_plan"].map(tones).where(drawn["significant"], colours.ground),
        thickness=drawn["is_plan"].map({True: 2.0, False: 1.0}),
        area=drawn["is_plan"].map({True: 40.0, False: _dot_size(len(rows))}),
    ).sort_values("is_plan", kind="stable")
    base = alt.Chart(inline_data(drawn)).encode(x=x)
    zero = alt.Chart(alt.InlineData(values=[{"height": 0}]))
    layers = [
        _band(rows, x, dark),
        zero.mark_rule(strokeDash=[4, 3], color=colours.muted, aria=False).encode(y=y("height")),
        base.transform_filter("isValid(datum.low)")
        .mark_rule(aria=False)
        .encode(
            y=y("low"),
            y2="high:Q",
            color=alt.Color("bar:N", scale=None),
            strokeWidth=alt.StrokeWidth("thickness:Q", scale=None),
        ),
        base.mark_point(opacity=1, strokeWidth=1).encode(
            y=y("estimate"),
            color=alt.Color("tone:N", scale=None),
            size=alt.Size("area:Q", scale=None),
            fill=alt.Fill("fill:N", scale=None),
            description="description:N",
            tooltip=[
                alt.Tooltip("left_out_by:N", title="Left out by"),
                alt.Tooltip("estimate:Q", title=title, format=".3f"),
                alt.Tooltip("p:Q", title="p", format=".3g"),
                alt.Tooltip("raters:Q", title="Raters"),
                alt.Tooltip("ratings:Q", title="Ratings"),
            ],
        ),
        *_words(rows, drawn, x, colours.ink),
    ]  # fmt: skip
    return alt.LayerChart(layer=layers)


def _words(rows: pd.DataFrame, drawn: pd.DataFrame, x: alt.X, ink: str) -> list[alt.Chart]:
    """The plan's estimate in words over it, and a mark for each fit that failed."""
    found = []
    plan = drawn[drawn["is_plan"]]
    if not plan.empty:
        # The words run to that side of the plan where there is more room.
        to_the_left = int(plan["rank"].iloc[0]) > (len(rows) + 1) / 2
        found.append(
            alt.Chart(inline_data(plan))
            .mark_text(
                align="right" if to_the_left else "left",
                baseline="top",
                dx=4 if to_the_left else -4,
                y=2,
                color=ink,
                aria=False,
            )
            .encode(x=x, text="words:N")
        )
    failed = rows[rows["estimate"].isna()]
    if not failed.empty:
        crosses = alt.Chart(inline_data(failed)).mark_text(text="×", y=CURVE_HEIGHT - 8)
        found.append(crosses.encode(x=x, description="description:N"))
    return found


def _dot_size(n: int) -> float:
    """The area of a dot, of which `n` lie side by side."""
    return float(np.clip((300 / n) ** 2, 9, 45))


def _matrix(
    cells: pd.DataFrame, x_scale: alt.Scale, order: list[str], height: int, dark: bool
) -> alt.LayerChart:
    """A line of marks for each rule: dark where it leaves raters out, pale where it does not."""
    colours = palette(dark)
    many = cells["rank"].nunique() > MANY
    if many:
        cells = cells[cells["is_on"]]
    tones = np.where(cells["is_plan"], colours.ink, colours.muted)
    cells = cells.assign(
        tone=np.where(cells["is_on"], tones, colours.hairline),
        area=np.where(cells["is_on"], 1.0, 0.3) * _dot_size(cells["rank"].nunique()),
    )
    axis = alt.Axis(
        orient="left",
        values=list(range(len(order))),
        labelExpr=f"{json.dumps(order)}[datum.value]",
        labelColor=colours.ink,
        labelLimit=220,
        labelOverlap=False,
        domain=False,
        ticks=False,
    )
    # From the first line at the top to the last at the bottom.
    scale = alt.Scale(
        domain=[-0.5, len(order) - 0.5], range=[CURVE_HEIGHT + GAP, height], nice=False, zero=False
    )
    base = alt.Chart(inline_data(cells)).encode(
        x=alt.X("rank:Q", title=None, axis=None, scale=x_scale),
        y=alt.Y("line:Q", title=None, scale=scale, axis=axis),
        color=alt.Color("tone:N", scale=None),
    )
    if many:
        ticks = base.mark_tick(orient="vertical", size=8, thickness=1, opacity=1, aria=False)
        return alt.LayerChart(layer=[ticks])
    dots = base.mark_circle(opacity=1, aria=False).encode(size=alt.Size("area:Q", scale=None))
    return alt.LayerChart(layer=[dots])
