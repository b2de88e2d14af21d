"""Participants from consent to analysis, as the CONSORT statement draws it."""

from collections.abc import Sequence
from dataclasses import dataclass

from .drawing import broken, tag, whole
from .theme import WIDTHS_PX, font_px, palette

BOX_SHARE = 0.46
PAD = 9.0
GAP = 26.0


@dataclass(frozen=True)
class Step:
    """How many came so far, and who of them came no further: (why, how many)."""

    label: str
    n: int
    left: Sequence[tuple[str, int]] = ()
    notes: Sequence[str] = ()


def participant_flow(steps: Sequence[Step], *, mark: str | None = None, dark: bool = False) -> str:
    """A box for each step, one under another, and beside the arrows who left; as SVG.

    Examples
    --------
    >>> steps = [Step("Agreed to take part", 12, [("Withdrew", 2)]), Step("Analysed", 10)]
    >>> participant_flow(steps).count("<rect")
    4
    """
    if not steps:
        raise ValueError("steps must hold at least one; got none")
    colours, size, width = palette(dark), font_px("183mm"), WIDTHS_PX["183mm"]
    line = size * 1.35
    across = width * BOX_SHARE
    aside_x = across + 40
    aside = width - aside_x - 1
    parts: list[str] = []
    y = 1.0

    def box(x: float, top: float, wide: float, lines: Sequence[str], bold: int) -> float:
        height = len(lines) * line + 2 * PAD - 3
        parts.append(
            tag(
                "rect", x=x, y=top, width=wide, height=height, rx=3,
                fill=colours.ground, stroke=colours.hairline,
            )
        )  # fmt: skip
        for number, text in enumerate(lines):
            parts.append(
                tag(
                    "text", text, x=x + PAD, y=top + PAD + (number + 0.75) * line - 2,
                    fill=colours.ink if number < bold else colours.muted, font_size=size,
                    font_weight="bold" if number < bold else None,
                )
            )  # fmt: skip
        return height

    for place, step in enumerate(steps):
        heading = broken(f"{step.label} (n\u00a0=\u00a0{step.n:,})", across - 2 * PAD, size)
        notes = [text for note in step.notes for text in broken(note, across - 2 * PAD, size)]
        height = box(1, y, across, [*heading, *notes], len(heading))
        bottom = y + height
        if place == len(steps) - 1:
            y = bottom
            break
        gone = [(why, n) for why, n in step.left if n]
        middle = 1 + across / 2
        if gone:
            heads = broken(
                f"Left (n\u00a0=\u00a0{sum(n for _, n in gone):,})", aside - 2 * PAD, size
            )
            lines = [
                text
                for why, n in gone
                for text in broken(f"{why} (n\u00a0=\u00a0{n:,})", aside - 2 * PAD, size)
            ]
            deep = box(aside_x, bottom + GAP / 2, aside, [*heads, *lines], len(heads))
            level = bottom + GAP / 2 + deep / 2
            parts += _arrow(middle, level, aside_x, level, colours.muted)
            following = bottom + GAP + deep
        else:
            following = bottom + GAP
        parts += _arrow(middle, bottom, middle, following, colours.muted)
        y = following
    told = "; ".join(
        f"{step.label}: {step.n}" + "".join(f", {why.lower()}: {n}" for why, n in step.left if n)
        for step in steps
    )
    return whole(
        parts,
        width=width,
        height=y + 1,
        description=f"Flow of participants. {told}.",
        colours=colours,
        mark=mark,
    )


def _arrow(x1: float, y1: float, x2: float, y2: float, colour: str) -> list[str]:
    head = (
        f"M{x2 - 5:g} {y2 - 3:g}L{x2:g} {y2:g}L{x2 - 5:g} {y2 + 3:g}"
        if y1 == y2
        else f"M{x2 - 3:g} {y2 - 5:g}L{x2:g} {y2:g}L{x2 + 3:g} {y2 - 5:g}"
    )
    return [
        tag("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour, stroke_width=1.0),
        tag("path", d=head, fill="none", stroke=colour, stroke_width=1.0),
    ]
