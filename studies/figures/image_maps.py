"""Images with the nodes of their subsets under them, in groups such as highest and lowest."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field

from .drawing import broken, tag, whole
from .node_maps import NodeMap
from .theme import PROCESS_COLOURS, WIDTHS_PX, Palette, font_px, palette

COLUMNS = 4
SPACE = 18.0
PICTURE_PX = 112.0


@dataclass(frozen=True)
class MappedImage:
    """An image's file and its map; `lines` are what is known of it, the first in bold."""

    process: str
    lines: Sequence[str]
    content: bytes = field(repr=False)
    media_type: str
    width: int
    height: int
    map: NodeMap = field(repr=False)


def image_maps(
    groups: Sequence[tuple[str, Sequence[MappedImage]]],
    *,
    mark: str | None = None,
    dark: bool = False,
) -> str:
    """Rows of images, each under its group's name, with maps in the colours of processes; as SVG.

    Pictures are shown whole and unchanged, one over each map, pixels of small ones by themselves.
    """
    groups = [(name, images) for name, images in groups if images]
    if not groups:
        raise ValueError("groups must hold at least one image; got none")
    colours, size, width = palette(dark), font_px("183mm"), WIDTHS_PX["183mm"]
    line = size * 1.35
    cell = (width - (COLUMNS - 1) * SPACE) / COLUMNS
    parts: list[str] = []
    y = line
    for name, images in groups:
        parts.append(
            tag("text", name, x=0, y=y, fill=colours.ink, font_size=size + 1, font_weight="bold")
        )
        y += 8
        for first in range(0, len(images), COLUMNS):
            row = images[first : first + COLUMNS]
            depth = 0.0
            for place, image in enumerate(row):
                drawn, deep = _image(image, place * (cell + SPACE), y, cell, size, colours)
                parts += drawn
                depth = max(depth, deep)
            y += depth + 14
        y += line
    told = "; ".join(
        f"{name}: " + ", ".join(" ".join([*image.lines, image.map.summary]) for image in images)
        for name, images in groups
    )
    return whole(
        parts,
        width=width,
        height=y - line - 8,
        description=f"Images over maps of the nodes in their anomalous subsets. {told}",
        colours=colours,
        mark=mark,
    )


def _image(
    image: MappedImage, x: float, y: float, cell: float, size: float, colours: Palette
) -> tuple[list[str], float]:
    """One image with its map and its lines; how deep that is."""
    times = min(PICTURE_PX / image.width, PICTURE_PX / image.height)
    if times > 1:
        times = int(times)
    wide, high = image.width * times, image.height * times
    source = f"data:{image.media_type};base64,{base64.b64encode(image.content).decode()}"
    parts = [
        tag(
            "rect", x=x + 0.5, y=y + 0.5, width=wide + 8, height=high + 8, rx=2,
            fill=colours.ground, stroke=colours.hairline,
        ),
        tag(
            "image", x=x + 4.5, y=y + 4.5, width=float(wide), height=float(high), href=source,
            image_rendering="pixelated" if times > 1 else None,
        ),
    ]  # fmt: skip
    down = y + PICTURE_PX + 16
    scale = min(cell / image.map.width, cell / image.map.height)
    colour = PROCESS_COLOURS.get(image.process, colours.ink)
    parts.append(f'<g transform="translate({x:g} {down:g}) scale({scale:g})">')
    for panel in image.map.panels:
        parts.append(
            tag(
                "rect", x=float(panel.x), y=float(panel.y), width=float(panel.width),
                height=float(panel.height), fill="none", stroke=colours.hairline,
                stroke_width=0.75 / scale,
            )
        )  # fmt: skip
        if panel.path:
            parts.append(tag("path", d=panel.path, fill=colour))
    parts.append("</g>")
    down += image.map.height * scale + size * 1.5
    texts = [
        (text, bold)
        for number, words in enumerate(image.lines)
        for text in broken(words, cell, size)
        for bold in [number == 0]
    ]
    for text, bold in texts:
        parts.append(
            tag(
                "text", text, x=x, y=down, font_size=size,
                fill=colours.ink if bold else colours.muted,
                font_weight="bold" if bold else None,
            )
        )  # fmt: skip
        down += size * 1.35
    return parts, down - y
