"""Pieces that figures are put together from."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from studies.stats.results import json_safe

from .theme import WIDTHS_PX, Width, font_px, palette, process_colours, theme

# Whose ratings are none of the study's own, as a figure's watermark has it.
SIMULATED = "simulated raters"


def inline_data(frame: pd.DataFrame) -> alt.InlineData:
    """The rows themselves in the specification: no limit on rows, no file to fetch."""
    return alt.InlineData(values=json_safe(frame.to_dict(orient="records")))


def require_columns(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise ValueError unless `frame` has rows and every column."""
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ValueError(
            f"frame must have the columns {', '.join(columns)}; missing: {', '.join(missing)}"
        )
    if frame.empty:
        raise ValueError("frame must have at least one row; got none")


def process_scale(order: list[str]) -> alt.Scale:
    """The fixed colours of the processes."""
    return alt.Scale(domain=order, range=process_colours(order))


def watermark(
    mark: str, dark: bool, plot: tuple[str, str] = ("width", "height"), *, low: bool = False
) -> alt.Chart:
    """`mark` in large pale letters across the middle of the plot, under the data.

    `plot` are the plot's sizes: numbers where it is one of several, which have no such names.
    In a `low` plot they stand level, as high as it is.
    """
    across, down = plot
    return (
        alt.Chart(alt.InlineData(values=[{"words": mark}]))
        .mark_text(
            x=alt.expr(f"{across} / 2"),
            y=alt.expr(f"{down} / 2"),
            baseline="middle",
            angle=0 if low else 340,
            fontSize=alt.expr(f"min(48, {across} / 9{f', {down} * 0.8' if low else ''})"),
            fontWeight="bold",
            color=palette(dark).muted,
            opacity=0.24,
        )
        .encode(text=alt.Text("words:N"))
    )


def marked(mark: str) -> str:
    """`mark` as a sentence before a figure's alternative text."""
    return f"{mark[0].upper()}{mark[1:]}, not the study’s participants."


def assembled(
    layers: Sequence[alt.Chart | alt.LayerChart],
    *,
    headline: str | None,
    notes: Sequence[str],
    description: str,
    height: int,
    width: Width,
    dark: bool,
    mark: str | None,
    room_above: int = 12,
) -> alt.LayerChart:
    """Layer the parts, with title, alternative text, size, theme and the watermark `mark`."""
    if mark:
        layers = [watermark(mark, dark), *layers]
        description = f"{marked(mark)} {description}"
    chart = alt.layer(*layers)
    # "fit-x" makes the width that of the whole figure, axes included; the height is the plot's.
    chart = chart.properties(
        width=WIDTHS_PX.get(width, "container"),
        height=height,
        description=description,
        usermeta={"ground": palette(dark).ground},
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
    )
    title = _title(
        headline,
        [line for note in notes for line in wrapped(note, width)],
        room_above,
        width,
        dark,
    )
    if title is not None:
        chart = chart.properties(title=title)
    return chart.configure(**theme(dark, width))


def _title(
    headline: str | None, notes: list[str], room_above: int, width: Width, dark: bool
) -> alt.TitleParams | None:
    """The headline over the notes; notes alone take the title's place in their own style."""
    if headline:
        return alt.TitleParams(text=headline, subtitle=notes, offset=room_above)
    if notes:
        return alt.TitleParams(
            text=notes,
            offset=room_above,
            fontSize=font_px(width),
            fontWeight="normal",
            color=palette(dark).muted,
            lineHeight=font_px(width) * 1.25,
        )
    return None


def wrapped(note: str, width: Width) -> list[str]:
    """A note broken into lines that fit the figure; a page is taken to be a phone's width wide."""
    room = WIDTHS_PX.get(width, 520) / (font_px(width) * 0.52)
    lines: list[str] = []
    for part in note.split(" · "):
        if lines and len(lines[-1]) + len(part) + 3 <= room:
            lines[-1] += f" · {part}"
        else:
            lines.append(part)
    return lines
