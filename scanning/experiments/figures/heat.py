"""A number in every cell of a table, as a colour and in digits."""

from typing import Any

import altair as alt

from scanning.experiments.figures.theme import GROUND, INK, WIDTH, finished, inline


def heat(
    rows: list[dict[str, Any]],
    *,
    x: str,
    y: str,
    value: str,
    facet: str,
    x_title: str,
    value_title: str,
    description: str,
    middle: float | None = None,
    has_digits: bool = True,
    n_columns: int = 3,
) -> alt.TopLevelMixin:
    """Coloured cells; about `middle` two colours part, without it the scale is viridis.

    Parameters
    ----------
    rows : list of dict
        With the columns that `x`, `y`, `value` and `facet` name.
    x, y, value, facet : str
    x_title, value_title, description : str
    middle : float, optional
    has_digits : bool
        Whether the number stands in its cell.
    n_columns : int

    Raises
    ------
    ValueError
        If there are no rows.
    """
    if not rows:
        raise ValueError("rows must hold at least one row; got none")
    kept = [{name: row[name] for name in (x, y, value, facet)} for row in rows]
    if middle is None:
        scale = alt.Scale(scheme="viridis")
    else:
        reach = max(abs(row[value] - middle) for row in kept) or 0.1
        scale = alt.Scale(
            domain=[middle - reach, middle, middle + reach], range=["#5B7C99", "#F7F5F1", "#D1663A"]
        )
    columns = list(dict.fromkeys(row[x] for row in kept))
    base = alt.Chart().encode(
        x=alt.X(
            f"{x}:N",
            sort=columns,
            title=x_title,
            axis=alt.Axis(labelAngle=0, domain=False, ticks=False, labelOverlap=True),
        ),
        y=alt.Y(
            f"{y}:N",
            sort=list(dict.fromkeys(row[y] for row in kept)),
            title=None,
            axis=alt.Axis(domain=False, ticks=False),
        ),
    )
    parts = [
        base.mark_rect(stroke=GROUND, strokeWidth=1 if has_digits else 0).encode(
            color=alt.Color(
                f"{value}:Q",
                title=value_title,
                scale=scale,
                legend=alt.Legend(gradientLength=140),
            )
        )
    ]
    if has_digits:
        parts.append(
            base.mark_text(fontSize=9, color=INK).encode(text=alt.Text(f"{value}:Q", format=".2f"))
        )
    n_columns = min(n_columns, len({row[facet] for row in kept}))
    n_lines = len({row[y] for row in kept})
    chart = (
        alt.layer(*parts, data=inline(kept))
        .properties(width=(WIDTH - 120) / n_columns - 40, height=max(30, n_lines * 20))
        .facet(
            facet=alt.Facet(f"{facet}:N", sort=list(dict.fromkeys(row[facet] for row in kept))),
            columns=n_columns,
            spacing={"row": 16, "column": 20},
        )
    )
    return finished(chart, description)
