"""A report as PDF: a template that is set by typst, with the report as its data.

The compiler and its fonts are parts of the Python package: nothing is fetched and no program of
the system is called. What people wrote reaches the template as strings, so it cannot be markup.
"""

import json
from pathlib import Path
from typing import Any

from .document import Block, Figure, Inline, Items, Report, Table, Words, plain

TEMPLATE = Path(__file__).with_name("report.typ")
# Columns of words that are longer than this share what room there is, where not everything fits
# into lines of so many letters.
WIDE, LINE = 16, 90


def to_pdf(report: Report) -> bytes:
    """The report as a tagged PDF, accessible by PDF/UA-1."""
    import typst

    return bytes(
        typst.compile(
            TEMPLATE.read_bytes(),
            format="pdf",
            sys_inputs={"report": json.dumps(as_data(report))},
            pdf_standards=["ua-1"],
        )
    )


def to_pngs(report: Report, ppi: float = 80) -> list[bytes]:
    """Every page of the PDF as a picture."""
    import typst

    pages = typst.compile(
        TEMPLATE.read_bytes(),
        format="png",
        ppi=ppi,
        sys_inputs={"report": json.dumps(as_data(report))},
    )
    return [pages] if isinstance(pages, bytes) else list(pages)


def as_data(report: Report) -> dict[str, Any]:
    """The report as plain values, in the names of the template."""
    return {
        "title": report.title,
        "running": shortened(report.title, 80),
        "author": report.author,
        "kicker": report.kicker,
        "summary": plain(report.subtitle),
        "subtitle": inline(report.subtitle),
        "byline": inline(report.by_line),
        "mark": report.mark,
        "banner": report.banner,
        "caution": report.caution,
        "made": report.made,
        "colophon": inline(report.colophon),
        "sections": [
            {"title": section.title, "blocks": [block_data(each) for each in section.blocks]}
            for section in report.sections
        ],
    }


def shortened(text: str, n: int) -> str:
    return text if len(text) <= n else f"{text[: n - 1].rstrip()}…"


def block_data(block: Block) -> dict[str, Any]:
    if isinstance(block, Items):
        return {"kind": block.kind, "items": [inline(each) for each in block.items]}
    if isinstance(block, Table):
        return {
            "kind": block.kind,
            "caption": inline(block.caption),
            "heads": [inline(head) for head in block.heads],
            "numeric": list(block.numeric),
            "wide": wide_columns(block),
            "rows": [
                {"span": span, "cells": [inline(cell) for _, cell in row]}
                for span, row in block.grouped()
            ],
            "notes": [inline(each) for each in block.notes],
        }
    if isinstance(block, Figure):
        return {
            "kind": block.kind,
            "caption": inline(block.caption),
            "alt": block.alt,
            "svg": block.render("svg").decode(),
        }
    return {"kind": block.kind, "role": getattr(block, "role", ""), "text": inline(block.text)}


def wide_columns(table: Table) -> list[bool]:
    """Which columns hold sentences rather than a word or a number."""
    longest = [
        max((len(plain(row[place])) for row in table.rows), default=0)
        for place in range(len(table.heads))
    ]
    fits = sum(longest) <= LINE
    return [
        not numeric and not fits and length > WIDE
        for numeric, length in zip(table.numeric, longest, strict=True)
    ]


def inline(text: Words) -> list[dict[str, str]]:
    def part(each: Inline) -> dict[str, str]:
        if isinstance(each, str):
            return {"t": each, "s": ""}
        return {"t": each.text, "s": each.style}

    return [part(each) for each in text]
