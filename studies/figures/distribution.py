"""Subset size or scan score of each image, by process."""

import altair as alt
import numpy as np
import pandas as pd

from .parts import assembled, inline_data, process_scale, require_columns
from .scatter import PREDICTOR_TITLES
from .theme import Width, palette, process_order

ROW_HEIGHT = 84


def size_distribution(
    frame: pd.DataFrame,
    predictor: str = "size",
    *,
    mark: str | None = None,
    predictor_title: str | None = None,
    width: Width = "container",
    dark: bool = False,
) -> alt.LayerChart:
    """A strip of dots per process, over its median and quartiles.

    Parameters
    ----------
    frame : DataFrame
        One row per image: `image`, `process`, the predictor's column, `in_subset`.
    predictor : str
        "size" or "score", or another numeric column.

    Examples
    --------
    >>> frame = pd.DataFrame({"image": list("abcd"), "process": ["normal", "creative"] * 2,
    ...     "size": [1, 5, 2, 6], "in_subset": [False, True, False, True]})
    >>> size_distribution(frame).to_dict()["height"]
    168
    """
    require_columns(frame, ["image", "process", predictor, "in_subset"])
    frame = frame.dropna(subset=[predictor])
    if frame.empty:
        raise ValueError(f"frame must have a row with {predictor}; got none")
    colours = palette(dark)
    order = process_order(set(frame["process"]))
    x_title = predictor_title or PREDICTOR_TITLES.get(predictor, predictor)
    counts = frame["process"].value_counts()
    names = {name: f"{name} (n = {counts[name]})" for name in order}
    rows = frame.assign(
        row=frame["process"].map(names),
        spread=frame.groupby("process")[predictor].transform(_spread),
        description=[
            f"{process} image, {predictor} {value:.4g}"
            for process, value in zip(frame["process"], frame[predictor], strict=True)
        ],
    )
    grouped = rows.groupby("row")[predictor]
    quartiles = pd.DataFrame(
        {name: grouped.quantile(q) for name, q in (("q25", 0.25), ("q50", 0.5), ("q75", 0.75))}
    ).reset_index()
    y = alt.Y(
        "row:N",
        sort=list(names.values()),
        title=None,
        axis=alt.Axis(domain=False, ticks=False, labelColor=colours.ink),
    )
    x = alt.X(f"{predictor}:Q", title=x_title, scale=alt.Scale(zero=False, nice=True))
    scale = process_scale(order)
    dots = (
        alt.Chart(inline_data(rows))
        .mark_point(filled=False, strokeWidth=1.2, size=26, opacity=1, yOffset=-8)
        .encode(
            x=x,
            y=y,
            yOffset=alt.YOffset("spread:Q", scale=alt.Scale(domain=[-1.3, 1.3])),
            stroke=alt.Stroke("process:N", scale=scale, legend=None),
            fill=alt.condition(
                "datum.in_subset",
                alt.Fill("process:N", scale=scale, legend=None),
                alt.value(colours.ground),
            ),
            description="description:N",
            tooltip=[
                alt.Tooltip("process:N", title="Process"),
                alt.Tooltip(f"{predictor}:Q", title=x_title, format=".4~g"),
            ],
        )
    )
    box = alt.Chart(inline_data(quartiles))
    below = ROW_HEIGHT * 0.36
    return assembled(
        [
            dots,
            box.mark_rule(strokeWidth=2, yOffset=below, y2Offset=below, color=colours.muted).encode(
                x=alt.X("q25:Q", title=x_title), x2="q75:Q", y=y
            ),
            box.mark_point(shape="diamond", filled=True, size=60, yOffset=below, opacity=1).encode(
                x=alt.X("q50:Q", title=x_title), y=y, color=alt.value(colours.ink)
            ),
        ],
        headline=None,
        notes=["● in group subset · ○ outside · diamond and bar: median and middle half"],
        description=_summary(frame, predictor, x_title, order),
        height=ROW_HEIGHT * len(order),
        width=width,
        dark=dark,
        mark=mark,
    )


def _spread(values: pd.Series) -> pd.Series:
    """Offsets that keep near values apart: a low-discrepancy sequence, wider where it is dense."""
    n = len(values)
    ranks = values.rank(method="first").to_numpy() - 1
    sequence = 2 * np.mod(ranks * 0.6180339887498949, 1) - 1
    bins = max(4, int(np.sqrt(n)))
    counts, edges = np.histogram(values, bins=bins)
    density = counts[np.clip(np.digitize(values, edges[1:-1]), 0, bins - 1)] / counts.max()
    return pd.Series(sequence * density, index=values.index)


def _summary(frame: pd.DataFrame, predictor: str, x_title: str, order: list[str]) -> str:
    medians = frame.groupby("process")[predictor].median()
    told = ", ".join(f"{name} {medians[name]:.4g}" for name in order)
    return f"{x_title} of {len(frame)} images by process; medians: {told}."
