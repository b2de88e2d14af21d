"""Colours and type, the same as those of the pages' figures, and charts as files."""

from typing import Any

import altair as alt

PX_PER_MM = 96 / 25.4
WIDTH = 183 * PX_PER_MM
FONT_PX = 10.0  # 7.5 pt
FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Arial, sans-serif"
INK, MUTED, HAIRLINE, GROUND = "#1D1B18", "#625D54", "#BDB7AB", "#FFFFFF"
# Okabe and Ito's set, with the colours of normal and creative first.
COLOURS = ("#5B7C99", "#D1663A", "#009E73", "#CC79A7", "#E69F00", "#0072B2", "#56B4E9")


def finished(chart: alt.TopLevelMixin, description: str) -> alt.TopLevelMixin:
    """The chart with type, colours and alternative text."""
    axis = {
        "domainColor": HAIRLINE,
        "tickColor": HAIRLINE,
        "tickSize": 4,
        "grid": False,
        "labelColor": MUTED,
        "labelFontSize": FONT_PX,
        "labelLimit": 260,
        "titleColor": INK,
        "titleFontSize": FONT_PX,
        "titleFontWeight": "normal",
    }
    header = {
        "labelColor": INK,
        "labelFontSize": FONT_PX + 0.5,
        "labelFontWeight": "bold",
        "labelAnchor": "start",
        "title": None,
    }
    legend = {
        "labelColor": INK,
        "labelFontSize": FONT_PX,
        "labelLimit": 300,
        "titleColor": MUTED,
        "titleFontSize": FONT_PX,
        "titleFontWeight": "normal",
        "orient": "top",
        "columns": 6,
        "symbolSize": 50,
        "titleLimit": 400,
    }
    return chart.properties(description=description).configure(
        font=FONT,
        background=GROUND,
        padding=6,
        view={"stroke": None},
        axis=axis,
        header=header,
        legend=legend,
    )


def inline(rows: list[dict[str, Any]]) -> alt.InlineData:
    """The rows themselves in the specification: nothing is fetched."""
    return alt.InlineData(values=rows)


def render(chart: alt.TopLevelMixin) -> tuple[bytes, bytes]:
    """SVG (UTF-8) and PNG of 192 pixels an inch."""
    import vl_convert

    specification = chart.to_dict()
    svg = vl_convert.vegalite_to_svg(specification, allowed_base_urls=[])
    png = vl_convert.vegalite_to_png(specification, scale=2.0, allowed_base_urls=[])
    return svg.encode(), png


def colours(names: list[str]) -> list[str]:
    """One colour per series; pixels are grey wherever they stand beside layers."""
    others = iter(COLOURS * (1 + len(names) // len(COLOURS)))
    return ["#8A8F98" if name == "pixels" else next(others) for name in names]


def series_order(names: list[str]) -> list[str]:
    """As they come, without repeats; layers in their order, pixels last."""
    found = list(dict.fromkeys(names))
    if "pixels" in found:
        found = sorted(found, key=lambda name: (name == "pixels", name.startswith("decoder.conv")))
    return found
