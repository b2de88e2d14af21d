"""A quantity over another, one line per series, with its interval."""

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


def lines(
    rows: list[dict[str, Any]],
    *,
    x: str,
    series: str,
    facet: str,
    x_title: str,
    y_title: str,
    description: str,
    reference: float | None = None,
    is_diagonal: bool = False,
    is_log: bool = False,
    n_columns: int = 2,
) -> alt.TopLevelMixin:
    """Points at `mean` joined by lines, with whiskers from `low` to `high`.

    Parameters
    ----------
    rows : list of dict
        With `mean`, `low`, `high`, and the names that `x`, `series` and `facet` give.
    x, series, facet : str
    x_title, y_title, description : str
    reference : float, optional
        Height of a thin line.
    is_diagonal : bool
        Draw the line on which both are equal.
    is_log : bool
        Of the horizontal axis.
    n_columns : int

    Raises
    ------
    ValueError
        If there are no rows.
    """
    if not rows:
        raise ValueError("rows must hold at least one row; got none")
    kept = [{name: row[name] for name in (x, series, facet, "mean", "low", "high")} for row in rows]
    names = series_order([row[series] for row in kept])
    values = sorted({row[x] for row in kept})
    horizontal = alt.X(
        f"{x}:Q",
        title=x_title,
        scale=alt.Scale(type="log" if is_log else "linear", nice=False, zero=False, padding=8),
        axis=alt.Axis(values=values, format="~g", labelOverlap=True),
    )
    base = alt.Chart().encode(
        x=horizontal,
        color=alt.Color(
            f"{series}:N",
            sort=names,
            title=None,
            scale=alt.Scale(domain=names, range=colours(names)),
        ),
    )
    y = alt.Y("mean:Q", title=y_title, scale=alt.Scale(zero=False))
    parts = [
        base.mark_rule(strokeWidth=1, opacity=0.7).encode(
            y=alt.Y("low:Q", title=y_title), y2="high:Q"
        ),
        base.mark_line(strokeWidth=1.6).encode(y=y),
        base.mark_point(filled=True, size=20, opacity=1).encode(y=y),
    ]
    if reference is not None:
        rule = alt.Chart().mark_rule(color=HAIRLINE, strokeDash=[3, 3])
        parts.insert(0, rule.encode(y=alt.datum(reference)))
    if is_diagonal:
        rule = alt.Chart().mark_line(color=HAIRLINE, strokeDash=[3, 3])
        parts.insert(0, rule.encode(x=horizontal, y=alt.Y(f"{x}:Q", title=y_title)))
    n_columns = min(n_columns, len({row[facet] for row in kept}))
    chart = (
        alt.layer(*parts, data=inline(kept))
        .properties(width=(WIDTH - 40) / n_columns - 60, height=130)
        .facet(
            facet=alt.Facet(f"{facet}:N", sort=list(dict.fromkeys(row[facet] for row in kept))),
            columns=n_columns,
            spacing={"row": 18, "column": 24},
        )
    )
    return finished(chart, description)
