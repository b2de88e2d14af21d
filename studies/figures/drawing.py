"""What drawings that are no charts are written with: SVG in the colours and type of the figures."""

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from .parts import marked
from .theme import FONT, Palette


def tag(name: str, text: str | None = None, **attributes: Any) -> str:
    """One element; underscores in names stand for hyphens, and values are escaped.

    Examples
    --------
    >>> tag("text", "a < b", x=1, font_size=9)
    '<text x="1" font-size="9">a &lt; b</text>'
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}={quoteattr(_value(value))}"
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}/>" if text is None else f"<{name}{written}>{escape(text)}</{name}>"


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def broken(text: str, width: float, size: float) -> list[str]:
    """`text` in lines of at most `width` pixels, by the usual width of a letter."""
    room = max(8, int(width / (0.54 * size)))
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def whole(
    parts: Sequence[str],
    *,
    width: float,
    height: float,
    description: str,
    colours: Palette,
    mark: str | None,
) -> str:
    """`parts` as a drawing of its own, over the watermark `mark` and a ground."""
    label = f"{marked(mark)} {description}" if mark else description
    words = (
        [
            tag(
                "text",
                mark,
                x=width / 2,
                y=height / 2,
                fill=colours.muted,
                opacity=0.24,
                font_size=min(48.0, width / 10),
                font_weight="bold",
                text_anchor="middle",
                transform=f"rotate(-20 {width / 2:g} {height / 2:g})",
            )
        ]
        if mark
        else []
    )
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
            f'viewBox="0 0 {width:g} {height:g}" role="img" aria-label={quoteattr(label)} '
            f"font-family={quoteattr(FONT)}>",
            tag("rect", width=width, height=height, fill=colours.ground),
            *words,
            *parts,
            "</svg>",
        ]
    )
