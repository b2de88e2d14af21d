"""Power and width of the interval against the number of raters, for each planned design."""

from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from .parts import SIMULATED, inline_data, require_columns, watermark, wrapped
from .theme import WIDTHS_PX, Width, font_px, palette, theme

PANEL_HEIGHT = 200
# What a phone has for a figure.
NARROW = 320
# Room, in heights of a letter, of two axes with their titles and the space between.
AXES = 13.0
SERIES = "series"


@dataclass(frozen=True)
class _Measure:
    """What a panel shows: the columns of its line and its bars, and its vertical axis."""

    columns: tuple[str, str, str]
    title: str
    top: float
    line_at: float | None = None
    unit: str = ""

    @property
    def axis_title(self) -> str | list[str]:
        """In two lines where there is a unit: a panel is not high."""
        return [self.title, f"({self.unit})"] if self.unit else self.title


def plan_curves(
    frame: pd.DataFrame,
    *,
    target: float = 0.8,
    alpha: float = 0.05,
    confidence_level: float = 0.95,
    unit: str = "log odds per SD",
    width_unit: str | None = None,
    width: Width = "183mm",
    dark: bool = False,
    narrow: bool = False,
) -> alt.VConcatChart:
    """Two panels for each effect: power with its Monte-Carlo interval, and interval width.

    Parameters
    ----------
    frame : DataFrame
        One row per design and effect, as `studies.stats.planning.Plan.frame`.
    target : float
        Power that a line marks; for the effect 0 the line marks `alpha`.
    confidence_level : float
        Of the interval whose width is shown.
    unit, width_unit : str
        Of the effect, and of the width where it has another.
    narrow : bool
        Whether the panels stand one below the other, as a phone wants them.

    Examples
    --------
    >>> frame = pd.DataFrame({"effect": 0.4, "n_images": 40, "n_raters": [10, 20],
    ...     "ratings_per_image": [5, 10], "rejections": [0.5, 0.8], "rejections_low": [0.4, 0.7],
    ...     "rejections_high": [0.6, 0.9], "width_mean": [0.8, 0.6], "width_q10": [0.7, 0.5],
    ...     "width_q90": [0.9, 0.7], "n_replicates": 100})
    >>> len(plan_curves(frame).to_dict()["vconcat"])
    1
    """
    shares = "rejections", "rejections_low", "rejections_high"
    widths = "width_mean", "width_q10", "width_q90"
    columns = ["effect", "n_images", "n_raters", "ratings_per_image", "n_replicates"]
    require_columns(frame, [*columns, *shares, *widths])
    rows = frame.assign(**{SERIES: _series(frame)})
    rows[[*shares, *widths]] = rows[[*shares, *widths]].astype(float)
    order = list(dict.fromkeys(rows.sort_values(["n_images", "ratings_per_image"])[SERIES]))
    widest = rows["width_q90"].max()
    width_measure = _Measure(
        widths,
        title=f"Width of the {_percent(confidence_level)} interval",
        unit=width_unit or unit,
        top=1.0 if pd.isna(widest) else float(widest),
    )
    panels = []
    for effect, part in rows.groupby("effect", sort=True):
        left = (
            _Measure(shares, title="Power", top=1.0, line_at=target)
            if effect != 0
            else _Measure(
                shares, title="Type I error", top=part["rejections_high"].max(), line_at=alpha
            )
        )
        look: dict[str, Any] = {"width": width, "dark": dark, "narrow": narrow}
        panels.append(
            (alt.vconcat if narrow else alt.hconcat)(
                _panel(part, left, order, named=narrow, **look),
                _panel(part, width_measure, order, named=True, **look),
                spacing=20,
                title=alt.TitleParams(f"Effect {effect:g} {unit}".replace("-", "−")),
            )
        )
    note = (
        f"Simulated studies, {int(rows['n_replicates'].iloc[0]):,} per point; no person rated"
        f" · left: share with p < {alpha:g}, bars: its 95 % Monte-Carlo interval · dashed: "
        f"{_percent(target)} power, or alpha where the effect is 0 · right: mean width, bars: "
        "from 10 % to 90 % of the studies"
    )
    return alt.vconcat(
        *panels,
        spacing=28,
        title=alt.TitleParams(
            wrapped(note, "183mm" if width == "container" else width),
            fontSize=font_px(width),
            fontWeight="normal",
            color=palette(dark).muted,
            lineHeight=font_px(width) * 1.25,
        ),
        description=_summary(rows),
        usermeta={"ground": palette(dark).ground},
    ).configure(**theme(dark, width))


def _series(frame: pd.DataFrame) -> list[str]:
    """What a line joins: designs of as many images, whose raters grow with the ratings.

    Where one number of raters comes with several numbers of ratings, each has a line.
    """
    follows = not frame.duplicated(["effect", "n_images", "n_raters"]).any()
    return [
        f"{n_images} images" if follows else f"{n_images} images × {k}"
        for n_images, k in zip(frame["n_images"], frame["ratings_per_image"], strict=True)
    ]


def _panel(
    rows: pd.DataFrame,
    measure: _Measure,
    order: list[str],
    *,
    named: bool,
    width: Width,
    dark: bool,
    narrow: bool,
) -> alt.LayerChart:
    """A line per series with bars; with its name beside its last point where `named`."""
    middle, low, high = measure.columns
    whole = "89mm" if width == "89mm" else "183mm"
    names = 8 + 0.56 * font_px(width) * max(map(len, order))
    across = (WIDTHS_PX[whole] - AXES * font_px(width) - names) / 2
    if narrow:
        across = NARROW - AXES / 2 * font_px(width) - names
    x = alt.X(
        "n_raters:Q",
        title="Raters",
        scale=alt.Scale(domain=[0, 1.04 * float(rows["n_raters"].max())], nice=False),
        axis=alt.Axis(tickCount=4, tickMinStep=1),
    )
    scale = alt.Scale(domain=[0, 1.05 * measure.top], nice=False)
    y = {
        name: alt.Y(f"{name}:Q", title=measure.axis_title, scale=scale, axis=alt.Axis(tickCount=5))
        for name in (middle, low)
    }
    # Ends of the scale that would be lost on the ground are left out.
    tones = alt.SchemeParams(name="viridis", extent=[0.3, 1.0] if dark else [0.0, 0.75])
    colour = alt.Color(
        f"{SERIES}:O", sort=order, scale=alt.Scale(domain=order, scheme=tones), legend=None
    )
    base = alt.Chart(inline_data(rows.dropna(subset=[middle])))
    layers = [
        watermark(SIMULATED, dark, (f"{across}", f"{PANEL_HEIGHT}")),
        base.mark_rule(strokeWidth=1, opacity=0.45, aria=False).encode(
            x=x, y=y[low], y2=f"{high}:Q", color=colour
        ),
        base.mark_line(strokeWidth=1.5, aria=False).encode(x=x, y=y[middle], color=colour),
        base.mark_point(filled=True, size=34, opacity=1).encode(
            x=x,
            y=y[middle],
            color=colour,
            tooltip=[
                alt.Tooltip(f"{SERIES}:N", title="Design"),
                alt.Tooltip("n_raters:Q", title="Raters"),
                alt.Tooltip("ratings_per_image:Q", title="Ratings per image"),
                alt.Tooltip(f"{middle}:Q", title=measure.title, format=".2f"),
            ],
        ),
    ]
    if measure.line_at is not None:
        mark = alt.Chart(alt.InlineData(values=[{"height": measure.line_at}]))
        layers.insert(
            1,
            mark.mark_rule(strokeDash=[4, 3], color=palette(dark).muted, strokeWidth=1).encode(
                y=alt.Y("height:Q", title=measure.axis_title, scale=scale)
            ),
        )
    if named:
        ends = rows.dropna(subset=[middle]).sort_values("n_raters")
        ends = ends.groupby(SERIES, as_index=False).last()
        # A line of text takes this much of the axis.
        apart = 1.05 * measure.top * 1.15 * font_px(width) / PANEL_HEIGHT
        ends["words_at"] = ends.groupby("n_raters")[middle].transform(_apart, apart)
        layers.append(
            alt.Chart(inline_data(ends))
            .mark_text(align="left", dx=7, aria=False)
            .encode(
                x=x,
                y=alt.Y("words_at:Q", title=measure.axis_title, scale=scale),
                color=colour,
                text=f"{SERIES}:N",
            )
        )
    return alt.LayerChart(layer=layers, width=across, height=PANEL_HEIGHT)


def _apart(heights: pd.Series, gap: float) -> pd.Series:
    """`heights` with those that are too near above others moved up."""
    moved = heights.sort_values()
    for place in range(1, len(moved)):
        moved.iloc[place] = max(moved.iloc[place], moved.iloc[place - 1] + gap)
    return moved.reindex(heights.index)


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _summary(rows: pd.DataFrame) -> str:
    told = "; ".join(
        f"effect {effect:g}, {name}: "
        + ", ".join(
            f"{share:.2f} with {n} raters"
            for n, share in zip(part["n_raters"], part["rejections"], strict=True)
        )
        for (effect, name), part in rows.groupby(["effect", SERIES], sort=False)
    )
    return f"Simulated studies, not people. Share of significant results, {told}."
