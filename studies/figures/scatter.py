"""Mean rating of each image against its anomalous subset."""

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from scipy import stats

from studies.stats.association import RankAssociation

from .parts import assembled, inline_data, process_scale, require_columns
from .theme import Width, font_px, palette, process_order

PREDICTOR_TITLES = {"size": "Subset size (nodes)", "score": "Scan score (no unit)"}
COEFFICIENTS = {"spearman": "Spearman’s ρ", "kendall": "Kendall’s τ-b"}
TREND_POINTS = 60
# Below this a fitted line says more about single images than about the study.
MIN_FOR_TREND = 8


def rating_scatter(
    frame: pd.DataFrame,
    predictor: str = "size",
    *,
    association: RankAssociation | None = None,
    mark: str | None = None,
    rating_range: tuple[float, float] = (1, 7),
    rating_title: str | None = None,
    predictor_title: str | None = None,
    width: Width = "container",
    dark: bool = False,
) -> alt.LayerChart:
    """One dot per image: mean rating against subset size or scan score.

    Parameters
    ----------
    frame : DataFrame
        One row per image: `image` (an identifier that the page knows), `process`, the predictor's
        column, `rating`, `rating_low` and `rating_high` (limits of the interval of the mean, NaN
        where there is none), `in_subset` (bool), `n_ratings`. Other columns stay in the datum.
    predictor : str
        Column on the horizontal axis, "size" or "score" by default titles.
    association : RankAssociation, optional
        Written above the figure.
    mark : str, optional
        Watermark: whose ratings they are, where not those of the study's participants.

    Returns
    -------
    altair.LayerChart
        Dots carry all columns of their row and the selection "focused" (field `image`), so that
        a page can show the image of a dot that is pointed at.

    Examples
    --------
    >>> frame = pd.DataFrame({"image": ["a", "b"], "process": ["normal", "creative"],
    ...     "size": [120, 260], "rating": [2.5, 5.0], "rating_low": [2.0, 4.1],
    ...     "rating_high": [3.0, 5.9], "in_subset": [False, True], "n_ratings": [9, 10]})
    >>> rating_scatter(frame).to_dict()["height"]
    380
    """
    require_columns(
        frame,
        [
            "image",
            "process",
            predictor,
            "rating",
            "rating_low",
            "rating_high",
            "in_subset",
            "n_ratings",
        ],
    )
    frame = frame.dropna(subset=[predictor, "rating"])
    if frame.empty:
        raise ValueError(f"frame must have a row with both rating and {predictor}; got none")
    colours = palette(dark)
    order = process_order(set(frame["process"]))
    x_title = predictor_title or PREDICTOR_TITLES.get(predictor, predictor)
    low, high = rating_range
    y_title = rating_title or f"Mean rating ({low:g}–{high:g})"
    x_domain = _padded(frame[predictor])
    x = alt.X(
        f"{predictor}:Q",
        title=x_title,
        scale=alt.Scale(domain=x_domain, nice=False),
        axis=alt.Axis(tickCount=6),
    )
    y_scale = alt.Scale(domain=[low, high], nice=False, clamp=True)
    y_axis = alt.Axis(**_integer_ticks(low, high))
    colour = alt.Color("process:N", scale=process_scale(order), legend=None)
    rows = frame.assign(
        subset=np.where(frame["in_subset"].astype(bool), "in group subset", "outside"),
        description=[_described(row, predictor) for row in frame.to_dict(orient="records")],
    )
    data = inline_data(rows)
    layers: list[alt.Chart] = []
    trend = _trend(frame[predictor].to_numpy(float), frame["rating"].to_numpy(float))
    if trend is not None:
        trend[["low", "high", "middle"]] = trend[["low", "high", "middle"]].clip(low, high)
        layers += _trend_layers(trend, predictor, x, (y_title, y_scale, y_axis), colours.ink)
    layers.append(
        alt.Chart(data)
        .mark_rule(opacity=0.28, strokeWidth=1, aria=False)
        .encode(
            x=x,
            y=alt.Y("rating_low:Q", title=y_title, scale=y_scale, axis=y_axis),
            y2="rating_high:Q",
            color=colour,
        )
    )
    focused = alt.selection_point(
        name="focused", fields=["image"], on="pointerover", clear="pointerout", empty=False
    )
    layers.append(
        alt.Chart(data)
        .mark_point(
            filled=False, strokeWidth=1 if width == "89mm" else 1.5, opacity=1, cursor="pointer"
        )
        .encode(
            x=x,
            y=alt.Y("rating:Q", title=y_title, scale=y_scale, axis=y_axis),
            stroke=alt.Stroke("process:N", scale=process_scale(order), legend=None),
            fill=alt.condition(
                "datum.in_subset",
                alt.Fill("process:N", scale=process_scale(order), legend=None),
                alt.value(colours.ground),
            ),
            size=alt.condition(focused, alt.value(110), alt.value(_dot_area(len(frame), width))),
            description="description:N",
            tooltip=[
                alt.Tooltip("process:N", title="Process"),
                alt.Tooltip(f"{predictor}:Q", title=x_title, format=".4~g"),
                alt.Tooltip("rating:Q", title="Mean rating", format=".2f"),
                alt.Tooltip("n_ratings:Q", title="Ratings"),
                alt.Tooltip("subset:N", title="Group subset"),
            ],
        )
        .add_params(focused)
    )
    layers.append(_process_labels(frame, predictor, order, x, width))
    notes = ["● in group subset · ○ outside · whiskers: 95 % interval of an image’s mean"]
    if trend is not None:
        notes[0] += " · line: linear trend with 95 % band"
    return assembled(
        layers,
        headline=_headline(association),
        notes=notes,
        description=_summary(frame, predictor, x_title, association),
        height=380 if width == "container" else (250 if width == "183mm" else 200),
        width=width,
        dark=dark,
        mark=mark,
        # The names of the processes stand between the title and the plot.
        room_above=26,
    )


def _padded(values: pd.Series) -> list[float]:
    """The range of the values and 4 % on both sides, so that no dot is cut."""
    low, high = float(values.min()), float(values.max())
    margin = 0.04 * (high - low) or max(1.0, 0.04 * abs(high))
    return [low - margin, high + margin]


def _integer_ticks(low: float, high: float) -> dict[str, Any]:
    if float(low).is_integer() and float(high).is_integer() and 2 <= high - low <= 12:
        return {"values": list(range(int(low), int(high) + 1)), "format": "d"}
    return {"tickCount": 6}


def _dot_area(n: int, width: Width) -> int:
    """Square pixels of a dot: smaller where images are many or room is scarce."""
    area = 46 if n <= 250 else (30 if n <= 800 else 16)
    return area // 2 if width == "89mm" else area


def _trend(x: np.ndarray, y: np.ndarray) -> pd.DataFrame | None:
    """Least-squares line over the range of x with its pointwise 95% band."""
    if x.size < MIN_FOR_TREND or np.ptp(x) == 0:
        return None
    line = stats.linregress(x, y)
    at = np.linspace(x.min(), x.max(), TREND_POINTS)
    middle = line.intercept + line.slope * at
    freedom = x.size - 2
    residual = np.sum((y - line.intercept - line.slope * x) ** 2) / freedom
    spread = np.sum((x - x.mean()) ** 2)
    margin = stats.t.ppf(0.975, freedom) * np.sqrt(
        residual * (1 / x.size + (at - x.mean()) ** 2 / spread)
    )
    return pd.DataFrame(
        {"at": at, "middle": middle, "low": middle - margin, "high": middle + margin}
    )


def _trend_layers(
    trend: pd.DataFrame,
    predictor: str,
    x: alt.X,
    y: tuple[str, alt.Scale, alt.Axis],
    ink: str,
) -> list[alt.Chart]:
    base = alt.Chart(inline_data(trend.rename(columns={"at": predictor})))
    title, scale, axis = y
    return [
        base.mark_area(color=ink, opacity=0.09, aria=False).encode(
            x=x, y=alt.Y("low:Q", title=title, scale=scale, axis=axis), y2="high:Q"
        ),
        base.mark_line(color=ink, opacity=0.65, strokeWidth=1.5, aria=False).encode(
            x=x, y=alt.Y("middle:Q", title=title, scale=scale, axis=axis)
        ),
    ]


def _process_labels(
    frame: pd.DataFrame, predictor: str, order: list[str], x: alt.X, width: Width
) -> alt.Chart:
    """Names of the processes along the top, each over its median, kept from overlapping."""
    low, high = _padded(frame[predictor])
    medians = frame.groupby("process")[predictor].median()
    in_order = sorted(order, key=lambda name: float(medians[name]))
    room = (high - low) * (0.12 if width == "183mm" else 0.2)
    places: list[float] = []
    for name in in_order:
        place = min(max(float(medians[name]), low + room / 2), high - room / 2)
        places.append(max(place, places[-1] + room) if places else place)
    overflow = max(0.0, places[-1] + room / 2 - high)
    labels = pd.DataFrame({"process": in_order, predictor: [place - overflow for place in places]})
    return (
        alt.Chart(inline_data(labels))
        .mark_text(
            y=-5, baseline="bottom", fontWeight="bold", fontSize=font_px(width) + 1, aria=False
        )
        .encode(
            x=x,
            text="process:N",
            color=alt.Color("process:N", scale=process_scale(order), legend=None),
        )
    )


def _described(row: dict[Any, Any], predictor: str) -> str:
    interval = ""
    if pd.notna(row["rating_low"]) and pd.notna(row["rating_high"]):
        interval = f" ({row['rating_low']:.1f} to {row['rating_high']:.1f})"
    where = "in the group subset" if row["in_subset"] else "outside the group subset"
    return (
        f"{row['process']} image, {predictor} {row[predictor]:.4g}, "
        f"mean rating {row['rating']:.2f}{interval}, {where}"
    )


def _headline(association: RankAssociation | None) -> str | None:
    if association is None or association.estimate is None:
        return None
    name = COEFFICIENTS.get(association.coefficient, association.coefficient)
    text = f"{name} = {association.estimate:.2f}".replace("-0.", "−0.")
    if association.interval is not None:
        low, high = (f"{limit:.2f}".replace("-", "−") for limit in association.interval)
        text += f" [{low}, {high}]"
    return f"{text}, {association.n} images"


def _summary(
    frame: pd.DataFrame, predictor: str, x_title: str, association: RankAssociation | None
) -> str:
    counts = frame["process"].value_counts()
    groups = ", ".join(f"{counts[name]} {name}" for name in process_order(set(counts.index)))
    text = (
        f"Scatter plot of mean rating against {x_title[0].lower()}{x_title[1:]}, one dot per "
        f"image: {groups}; {int(frame['in_subset'].sum())} in the group subset."
    )
    headline = _headline(association)
    return f"{text} {headline}." if headline else text
