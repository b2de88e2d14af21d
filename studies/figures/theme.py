"""Colours, type and widths that every figure shares, on a light and on a dark ground."""

from dataclasses import dataclass
from typing import Any, Literal

Width = Literal["container", "89mm", "183mm"]

PX_PER_MM = 96 / 25.4
PX_PER_PT = 96 / 72
WIDTHS_PX: dict[str, float] = {"89mm": 89 * PX_PER_MM, "183mm": 183 * PX_PER_MM}

PROCESS_COLOURS = {"normal": "#5B7C99", "creative": "#D1663A", "control": "#8A8F98"}
# Okabe and Ito's set, for processes beyond the three that have a colour of their own.
OTHER_COLOURS = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#0072B2", "#F0E442")

FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Arial, sans-serif"


@dataclass(frozen=True)
class Palette:
    """The few neutral colours of one ground."""

    ink: str
    muted: str
    hairline: str
    ground: str


LIGHT = Palette(ink="#1D1B18", muted="#625D54", hairline="#BDB7AB", ground="#FFFFFF")
DARK = Palette(ink="#ECE8E0", muted="#AAA499", hairline="#57534B", ground="#171614")


def palette(dark: bool) -> Palette:
    """The neutral colours for a light or dark ground."""
    return DARK if dark else LIGHT


def process_order(processes: set[str]) -> list[str]:
    """Known processes in their fixed order, then any others by name."""
    known = [name for name in PROCESS_COLOURS if name in processes]
    return known + sorted(processes - set(PROCESS_COLOURS))


def process_colours(order: list[str]) -> list[str]:
    """One colour per process of `order`."""
    others = [name for name in order if name not in PROCESS_COLOURS]
    extra = {name: OTHER_COLOURS[place % len(OTHER_COLOURS)] for place, name in enumerate(others)}
    return [PROCESS_COLOURS.get(name) or extra[name] for name in order]


def font_px(width: Width) -> float:
    """Size of labels: 7.5 pt in print, 12 px on a page."""
    return 7.5 * PX_PER_PT if width in WIDTHS_PX else 12.0


def theme(dark: bool = False, width: Width = "container") -> dict[str, Any]:
    """The Vega-Lite config of all figures.

    On a page the ground is transparent, so that a figure lies on whatever is under it.
    """
    colours = palette(dark)
    label, on_page = font_px(width), width == "container"
    return {
        "font": FONT,
        "background": "transparent" if on_page else colours.ground,
        "padding": 2 if on_page else 4,
        "view": {"stroke": None},
        "axis": {
            "domainColor": colours.hairline,
            "tickColor": colours.hairline,
            "tickSize": 4,
            "grid": False,
            "labelColor": colours.muted,
            "labelFontSize": label,
            "labelPadding": 4,
            "labelSeparation": 8,
            "labelFlush": False,
            "titleColor": colours.ink,
            "titleFontSize": label,
            "titleFontWeight": "normal",
            "titlePadding": 8,
        },
        "title": {
            "anchor": "start",
            "frame": "group",
            "color": colours.ink,
            "fontSize": label + 1,
            "fontWeight": "bold",
            "subtitleColor": colours.muted,
            "subtitleFontSize": label,
            "subtitlePadding": 4,
            "offset": 12,
        },
        "text": {"color": colours.ink, "fontSize": label},
    }
