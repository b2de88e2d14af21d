"""Estimates with their intervals, one to a line, in panels of one unit each."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from .parts import inline_data, marked, watermark, wrapped
from .theme import WIDTHS_PX, Width, font_px, palette, theme

ROW_HEIGHT = 21


@dataclass(frozen=True)
class Row:
    """An estimate; `is_main` is the one that the others are compared with."""

    label: str
    estimate: float | None
    interval: Sequence[float] | None
    is_main: bool = False


@dataclass(frozen=True)
class Panel:
    """Estimates of one unit. `null` is where there is no effect; None draws no line.

    `bounds` are ends of the scale that are shown whole, such as 0 and 1; `bounded` numbers, which
    cannot exceed one, lose their leading zero.
    """

    title: str
    unit: str
    rows: Sequence[Row]
    null: float | None = 0.0
    bounds: tuple[float, float] | None = None
    bounded: bool = False


def forest(
    panels: Sequence[Panel],
    *,
    confidence_level: float = 0.95,
    mark: str | None = None,
    width: Width = "183mm",
    dark: bool = False,
) -> alt.VConcatChart:
    """A dot and a whisker for each estimate, its numbers beside it.

    Rows without an estimate say so. Panels share the column of names, so that they line up.

    Examples
    --------
    >>> rows = [Row("CLMM", 0.42, (0.2, 0.64), is_main=True), Row("LMM", 0.3, None)]
    >>> len(forest([Panel("Models", "log odds per SD", rows)]).to_dict()["vconcat"])
    1
    """
    panels = [panel for panel in panels if panel.rows]
    if not panels:
        raise ValueError("panels must hold at least one row; got none")
    label_px = font_px(width)
    names = min(
        250.0, 12 + 0.54 * label_px * max(len(row.label) for panel in panels for row in panel.rows)
    )
    numbers = label_px * 12.5
    whole = WIDTHS_PX["89mm" if width == "89mm" else "183mm"]
    across = whole - names - numbers - 2 * label_px
    note = f"dot: estimate, whisker: {100 * confidence_level:g} % interval"
    if any(row.is_main for panel in panels for row in panel.rows):
        note += " · filled: the headline"
    description = " ".join(_summary(panel) for panel in panels)
    return alt.vconcat(
        *(_panel(panel, across, names, numbers, mark, width, dark) for panel in panels),
        spacing=20,
        title=alt.TitleParams(
            wrapped(note, width),
            fontSize=label_px,
            fontWeight="normal",
            color=palette(dark).muted,
            lineHeight=label_px * 1.25,
        ),
        description=f"{marked(mark)} {description}" if mark else description,
        usermeta={"ground": palette(dark).ground},
    ).configure(**theme(dark, width))


def _panel(
    panel: Panel,
    across: float,
    names: float,
    numbers: float,
    mark: str | None,
    width: Width,
    dark: bool,
) -> alt.LayerChart:
    colours = palette(dark)
    height = ROW_HEIGHT * len(panel.rows)
    # Two rows may have the same name: they are told apart by their place.
    frame = pd.DataFrame(
        [
            {
                "place": place,
                "label": row.label,
                "estimate": row.estimate,
                "low": row.interval[0] if row.interval is not None else None,
                "high": row.interval[1] if row.interval is not None else None,
                "is_main": row.is_main,
                "numbers": _numbers(row, panel.bounded),
                "description": f"{row.label}: {_numbers(row, panel.bounded)}",
            }
            for place, row in enumerate(panel.rows)
        ]
    )
    labels = "{" + ", ".join(f"{n}: {_quoted(row.label)}" for n, row in enumerate(panel.rows)) + "}"
    y = alt.Y(
        "place:O",
        title=None,
        axis=alt.Axis(
            domain=False,
            ticks=False,
            labelExpr=f"{labels}[datum.value]",
            labelLimit=names - 8,
            labelColor=colours.ink,
            minExtent=names,
            maxExtent=names,
        ),
    )
    scale = alt.Scale(domain=_domain(panel), nice=False, zero=False)
    x = alt.X("estimate:Q", title=panel.unit, scale=scale, axis=alt.Axis(tickCount=6))
    base = alt.Chart(inline_data(frame))
    layers: list[alt.Chart] = []
    if mark:
        layers.append(watermark(mark, dark, (f"{across}", f"{height}"), low=height < 160))
    if panel.null is not None:
        line = alt.Chart(alt.InlineData(values=[{"null": panel.null}]))
        layers.append(
            line.mark_rule(strokeDash=[4, 3], color=colours.muted, aria=False).encode(
                x=alt.X("null:Q", title=panel.unit, scale=scale)
            )
        )
    layers += [
        base.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=1.5, color=colours.ink, aria=False)
        .encode(x=alt.X("low:Q", title=panel.unit, scale=scale), x2="high:Q", y=y),
        base.transform_filter("isValid(datum.estimate)")
        .mark_point(size=46, strokeWidth=1.5, opacity=1, color=colours.ink)
        .encode(
            x=x,
            y=y,
            fill=alt.condition("datum.is_main", alt.value(colours.ink), alt.value(colours.ground)),
            description="description:N",
        ),
        base.mark_text(align="right", aria=False, x=across + numbers).encode(
            y=y,
            text="numbers:N",
        ),
    ]
    return alt.LayerChart(
        layer=layers,
        width=across,
        height=height,
        title=alt.TitleParams(panel.title, offset=6, anchor="start", frame="group"),
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", " ")
    return f"'{escaped}'"


def _domain(panel: Panel) -> list[float]:
    """All estimates, intervals, the null and the bounds, with a little room."""
    values = [
        float(value)
        for row in panel.rows
        for value in (row.estimate, *(row.interval or ()))
        if value is not None
    ]
    values += [] if panel.null is None else [panel.null]
    low, high = min(values, default=0.0), max(values, default=1.0)
    if panel.bounds is not None:
        return [min(low, panel.bounds[0]), max(high, panel.bounds[1])]
    room = 0.06 * (high - low) or 1.0
    return [low - room, high + room]


def _number(value: float, bounded: bool) -> str:
    text = f"{value:.2f}"
    if bounded and text.lstrip("-").startswith("0."):
        text = text.replace("0.", ".", 1)
    return text.replace("-", "−")


def _numbers(row: Row, bounded: bool) -> str:
    if row.estimate is None:
        return "not defined"
    text = _number(row.estimate, bounded)
    if row.interval is None:
        return text
    low, high = (_number(bound, bounded) for bound in row.interval)
    return f"{text} [{low}, {high}]"


def _summary(panel: Panel) -> str:
    told = "; ".join(f"{row.label}: {_numbers(row, panel.bounded)}" for row in panel.rows)
    return f"{panel.title}, {panel.unit}: {told}."
