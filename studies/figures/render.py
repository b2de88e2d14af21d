"""Charts and drawings as files and as specifications; nothing is fetched."""

import json
import re
from functools import lru_cache
from typing import Any, Literal

import altair as alt

from .theme import PX_PER_PT, WIDTHS_PX

FORMATS = ("svg", "png", "pdf")
Format = Literal["svg", "png", "pdf"]
# The size of the outermost element; its viewBox, which stays, has the drawing's own units.
SIZE = re.compile(r'(<svg[^>]*?\swidth=")([\d.]+)("[^>]*?\sheight=")([\d.]+)')


def spec(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """The Vega-Lite specification for a page."""
    return chart.to_dict()


def render(
    chart: alt.TopLevelMixin | str,
    format: Format = "svg",  # noqa: A002
    scale: float = 2.0,
) -> bytes:
    """The figure as SVG (UTF-8), PNG or PDF; `scale` is pixels per CSS pixel of the PNG.

    A drawing that is SVG already is a string. A chart as wide as its page gets the width of a full
    print page. Text of a PDF stays text.

    Raises
    ------
    ValueError
        If the format is unknown or the scale not positive.
    """
    if format not in FORMATS:
        raise ValueError(f"format must be 'svg', 'png' or 'pdf'; got {format!r}")
    if not scale > 0:
        raise ValueError(f"scale must be positive; got {scale!r}")
    return (
        _drawing(chart, format, scale) if isinstance(chart, str) else _chart(chart, format, scale)
    )


def _chart(chart: alt.TopLevelMixin, format: Format, scale: float) -> bytes:  # noqa: A002
    import vl_convert

    specification = spec(chart)
    if specification.get("width") == "container":
        specification["width"] = WIDTHS_PX["183mm"]
        # On a page the figure is transparent; a file needs the ground it was drawn for.
        specification["config"]["background"] = specification["usermeta"]["ground"]
    if format == "png":
        return vl_convert.vegalite_to_png(specification, scale=scale, allowed_base_urls=[])
    svg = _svg(json.dumps(specification, sort_keys=True))
    return svg.encode() if format == "svg" else _pdf(svg)


@lru_cache(maxsize=64)
def _svg(specification: str) -> str:
    """The drawing of a specification: pages and files of a report want the same ones again."""
    import vl_convert

    return vl_convert.vegalite_to_svg(specification, allowed_base_urls=[])


def _drawing(svg: str, format: Format, scale: float) -> bytes:  # noqa: A002
    import vl_convert

    if format == "svg":
        return svg.encode()
    return _pdf(svg) if format == "pdf" else vl_convert.svg_to_png(svg, scale=scale)


def _pdf(svg: str) -> bytes:
    """`svg` on a page of its own size, which its pixels would be points of otherwise."""
    import vl_convert

    return vl_convert.svg_to_pdf(re.sub(SIZE, _in_points, svg, count=1))


def _in_points(tag: re.Match[str]) -> str:
    before, width, between, height = tag.groups()
    return f"{before}{float(width) / PX_PER_PT:g}{between}{float(height) / PX_PER_PT:g}"
