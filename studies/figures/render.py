"""Charts as files and as specifications; nothing is fetched."""

from typing import Any, Literal

import altair as alt

from .theme import WIDTHS_PX


def spec(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """The Vega-Lite specification for a page."""
    return chart.to_dict()


def render(
    chart: alt.TopLevelMixin,
    format: Literal["svg", "png"] = "svg",  # noqa: A002
    scale: float = 2.0,
) -> bytes:
    """The figure as SVG (UTF-8) or PNG; `scale` is pixels per CSS pixel of the PNG.

    A chart as wide as its page gets the width of a full print page.

    Raises
    ------
    ValueError
        If the format is unknown or the scale not positive.
    """
    import vl_convert

    if format not in ("svg", "png"):
        raise ValueError(f"format must be 'svg' or 'png'; got {format!r}")
    if not scale > 0:
        raise ValueError(f"scale must be positive; got {scale!r}")
    specification = spec(chart)
    if specification.get("width") == "container":
        specification["width"] = WIDTHS_PX["183mm"]
        # On a page the figure is transparent; a file needs the ground it was drawn for.
        specification["config"]["background"] = specification["usermeta"]["ground"]
    if format == "svg":
        return vl_convert.vegalite_to_svg(specification, allowed_base_urls=[]).encode()
    return vl_convert.vegalite_to_png(specification, scale=scale, allowed_base_urls=[])
