"""The parts that a report is made of: frozen, with words apart from how they are drawn."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from studies.figures import Format, render

# Between what belongs on one line, such as a symbol and its value.
NBSP = "\u00a0"
Style = Literal["i", "b", "sub", "code"]
# Where a drawing names one of its parts, or refers to one.
LOCAL_ID = re.compile(r'(\bid="|url\(#|href="#)([\w-]+)')


@dataclass(frozen=True)
class Mark:
    """Words that are set apart: a statistic's symbol in italics, a name as code."""

    text: str
    style: Style


Inline = str | Mark
Words = tuple[Inline, ...]


def i(text: str) -> Mark:
    """A statistic's symbol, in italics."""
    return Mark(text, "i")


def code(text: Any) -> Mark:
    return Mark(str(text), "code")


def words(*parts: Inline | Words | None) -> Words:
    """`parts` one after another; what is None is left out.

    Examples
    --------
    >>> plain(words("with ", (i("n"), " = 3"), None))
    'with n = 3'
    """
    flat: list[Inline] = []
    for part in parts:
        if isinstance(part, tuple):
            flat.extend(part)
        elif part is not None:
            flat.append(part)
    return tuple(flat)


def joined(parts: list[Words], between: str = " ") -> Words:
    """`parts` with `between` among them; empty ones are left out."""
    flat: list[Inline] = []
    for part in parts:
        if part:
            flat += [between, *part] if flat else list(part)
    return tuple(flat)


def plain(text: Words) -> str:
    """`text` without its marks, and with spaces that may break."""
    whole = "".join(part if isinstance(part, str) else part.text for part in text)
    return whole.replace(NBSP, " ")


@dataclass(frozen=True)
class Paragraph:
    """`role` "lead" is the sentence that a section is about, "note" stands behind it."""

    kind: ClassVar[str] = "paragraph"
    text: Words
    role: Literal["", "lead", "note"] = ""


@dataclass(frozen=True)
class Note:
    """Something to be told before a number is read."""

    kind: ClassVar[str] = "note"
    text: Words


@dataclass(frozen=True)
class Items:
    kind: ClassVar[str] = "items"
    items: tuple[Words, ...]


@dataclass(frozen=True)
class Table:
    """Rows under heads; `numeric` says of each column whether it holds numbers."""

    kind: ClassVar[str] = "table"
    caption: Words
    heads: tuple[Words, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[Words, ...], ...]
    notes: tuple[Words, ...] = ()

    def columns(self) -> list[tuple[bool, Words]]:
        """The heads, each with whether its column is of numbers."""
        return list(zip(self.numeric, self.heads, strict=True))

    def grouped(self) -> list[tuple[int, list[tuple[bool, Words]]]]:
        """The rows, each with how many from it on begin alike; 0 where one before says so.

        Each cell comes with whether its column is of numbers.
        """
        spans = [0] * len(self.rows)
        first = 0
        for place, row in enumerate(self.rows):
            if row[0] != self.rows[first][0]:
                first = place
            spans[first] += 1
        return [
            (span, list(zip(self.numeric, row, strict=True)))
            for span, row in zip(spans, self.rows, strict=True)
        ]


@dataclass(frozen=True)
class Figure:
    """A drawing with its name in files and addresses, its caption, and what is seen in words.

    `drawing` is a chart or SVG.
    """

    kind: ClassVar[str] = "figure"
    name: str
    caption: Words
    alt: str
    drawing: Any = field(repr=False)

    def render(self, format: Format = "svg") -> bytes:  # noqa: A002
        return render(self.drawing, format)

    def inline_svg(self) -> str:
        """The drawing for a page that holds others too: what it refers to is named after it."""
        svg = self.render().decode()
        return LOCAL_ID.sub(lambda found: f"{found[1]}{self.name}-{found[2]}", svg)


Block = Paragraph | Note | Items | Table | Figure


@dataclass(frozen=True)
class Section:
    """`copyable` sections are offered as plain text, to be taken into a manuscript."""

    key: str
    title: str
    blocks: tuple[Block, ...]
    copyable: bool = False

    def as_text(self) -> str:
        """Its paragraphs as plain text."""
        parts = [plain(each.text) for each in self.blocks if isinstance(each, Paragraph)]
        return "\n\n".join(parts)


@dataclass(frozen=True)
class Report:
    """A whole report. `mark` and `banner` are there where the ratings are none of the study's.

    `kind` is whose ratings they are, `kicker` says what kind of text it is, `subtitle` what was
    found, `made` when it was written, and `caution` that data have come since.
    """

    kind: str
    kicker: str
    title: str
    author: str
    made: str
    subtitle: Words
    by_line: Words
    mark: str | None
    banner: str | None
    caution: str | None
    sections: tuple[Section, ...]
    colophon: Words

    def figures(self) -> Iterator[Figure]:
        for section in self.sections:
            for block in section.blocks:
                if isinstance(block, Figure):
                    yield block

    def figure(self, name: str) -> Figure | None:
        return next((each for each in self.figures() if each.name == name), None)
