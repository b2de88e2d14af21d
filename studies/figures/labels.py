"""Shares of the answers to the four-label question, by process."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from .parts import assembled, inline_data, process_scale, require_columns
from .theme import Width, palette, process_order

BAR_HEIGHT = 16


def label_shares(
    frame: pd.DataFrame,
    *,
    labels: Sequence[str] | None = None,
    mark: str | None = None,
    width: Width = "container",
    dark: bool = False,
) -> alt.LayerChart:
    """A bar per label and process: its share among the answers to images of that process.

    Parameters
    ----------
    frame : DataFrame
        Counts of answers: `process`, `label`, `n`; pairs that are missing count as zero.
    labels : sequence of str, optional
        Order of the labels; by default that of their first appearance.

    Examples
    --------
    >>> frame = pd.DataFrame({"process": ["normal", "creative"] * 2,
    ...     "label": ["creative", "creative", "not creative", "not creative"],
    ...     "n": [10, 30, 30, 10]})
    >>> label_shares(frame).to_dict()["height"]
    92
    """
    require_columns(frame, ["process", "label", "n"])
    order = process_order(set(frame["process"]))
    labels = list(labels) if labels is not None else list(dict.fromkeys(frame["label"]))
    unknown = sorted(set(frame["label"]) - set(labels))
    if unknown:
        raise ValueError(f"labels must include every label of frame; missing: {', '.join(unknown)}")
    table = (
        frame.groupby(["label", "process"])["n"]
        .sum()
        .reindex(pd.MultiIndex.from_product([labels, order], names=["label", "process"]))
        .fillna(0)
        .reset_index()
    )
    totals = table.groupby("process")["n"].transform("sum")
    table["share"] = (table["n"] / totals.where(totals > 0)).fillna(0.0)
    table["words"] = [
        f"{share:.0%} ({n:.0f})".replace("%", " %")
        for share, n in zip(table["share"], table["n"], strict=True)
    ]
    # The first label's bars carry the names of the processes: no key is needed.
    first = table["label"] == labels[0]
    table.loc[first, "words"] = table["words"] + " · " + table["process"]
    table["description"] = [
        f"{row['label']}, {row['process']} images: {row['words']}"
        for row in table.to_dict(orient="records")
    ]
    scale = process_scale(order)
    top = float(table["share"].max()) or 1.0
    base = alt.Chart(inline_data(table))
    y = alt.Y(
        "label:N",
        sort=labels,
        title=None,
        scale=alt.Scale(paddingInner=0.28, paddingOuter=0.1),
        axis=alt.Axis(domain=False, ticks=False, labelLimit=170, labelColor=palette(dark).ink),
    )
    offset = alt.YOffset("process:N", sort=order)
    x = alt.X(
        "share:Q",
        title="Share of answers to images of the process",
        # Room for the words beside the longest bar.
        scale=alt.Scale(domain=[0, top * (1.9 if width == "89mm" else 1.4)], nice=False),
        axis=alt.Axis(format=".0%", values=_ticks(top), domain=False),
    )
    return assembled(
        [
            base.mark_bar().encode(
                x=x,
                y=y,
                yOffset=offset,
                color=alt.Color("process:N", scale=scale, legend=None),
                description="description:N",
            ),
            base.mark_text(align="left", dx=5, aria=False).encode(
                x=x, y=y, yOffset=offset, text="words:N"
            ),
        ],
        headline=None,
        notes=[],
        description=_summary(table, labels, order),
        height=round(len(labels) * (len(order) * BAR_HEIGHT + 14)),
        width=width,
        dark=dark,
        mark=mark,
    )


def _ticks(top: float) -> list[float]:
    step = 0.1 if top <= 0.4 else 0.2
    return [round(step * place, 1) for place in range(int(top / step) + 1)]


def _summary(table: pd.DataFrame, labels: list[str], order: list[str]) -> str:
    by_label = table.set_index(["label", "process"])["share"]
    told = "; ".join(
        f"{label}: " + ", ".join(f"{name} {by_label[label, name]:.0%}" for name in order)
        for label in labels
    )
    return f"Shares of answers by process. {told}."
