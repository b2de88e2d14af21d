"""Estimates with their intervals: one row per setting, one colour per series."""

from typing import Any

import altair as alt

from scanning.experiments.figures.theme import (
    HAIRLINE,
    WIDTH,
    colours,
    finished,
    inline,
    series_order,
)

ROW = 13


def dots(
    rows: list[dict[str, Any]],
    *,
    y: str,
    series: str,
    facet: str,
    x_title: str,
    reference: float,
    description: str,
    domain: tuple[float, float] | None = None,
    n_columns: int = 2,
) -> alt.TopLevelMixin:
    """Dots at `mean` with whiskers from `low` to `high`.

    Parameters
    ----------
    rows : list of dict
        With `mean`, `low`, `high`, and the names that `y`, `series` and `facet` give.
    y, series, facet : str
        Which column makes lines, colours and panels.
    x_title : str
    reference : float
        Where a thin line stands: no difference.
    description : str
        Alternative text.
    domain : (float, float), optional
    n_columns : int

    Raises
    ------
    ValueError
        If there are no rows.
    """
    if not rows:
        raise ValueError("rows must hold at least one row; got none")
    kept = [{name: row[name] for name in (y, series, facet, "mean", "low", "high")} for row in rows]
    names = series_order([row[series] for row in kept])
    order = list(dict.fromkeys(row[y] for row in kept))
    if domain is None:
        lowest = min(reference, *(row["low"] for row in kept))
        highest = max(reference, *(row["high"] for row in kept))
        room = 0.04 * (highest - lowest) or 0.1
        domain = (lowest - room, highest + room)
    scale = alt.Scale(domain=list(domain), nice=False, zero=False, clamp=True)
    base = alt.Chart().encode(
        y=alt.Y(f"{y}:N", sort=order, title=None, axis=alt.Axis(domain=False, ticks=False)),
        yOffset=alt.YOffset(f"{series}:N", sort=names),
        color=alt.Color(
            f"{series}:N",
            sort=names,
            title=None,
            scale=alt.Scale(domain=names, range=colours(names)),
        ),
    )
    whiskers = base.mark_rule(strokeWidth=1.4).encode(
        x=alt.X("low:Q", title=x_title, scale=scale), x2="high:Q"
    )
    middle = base.mark_point(filled=True, size=22, opacity=1).encode(
        x=alt.X("mean:Q", title=x_title, scale=scale)
    )
    line = alt.Chart().mark_rule(color=HAIRLINE, strokeDash=[3, 3]).encode(x=alt.datum(reference))
    n_facets = len({row[facet] for row in kept})
    n_columns = min(n_columns, n_facets)
    panel = alt.layer(line, whiskers, middle, data=inline(kept)).properties(
        width=(WIDTH - 110) / n_columns - 60,
        height=max(60, len(order) * (len(names) * ROW * 0.7 + 8)),
    )
    chart = panel.facet(
        facet=alt.Facet(f"{facet}:N", sort=list(dict.fromkeys(row[facet] for row in kept))),
        columns=n_columns,
        spacing={"row": 18, "column": 24},
    )
    return finished(chart, description)
