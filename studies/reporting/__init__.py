"""A study's report: an analysis and the facts of its study in, a tree of parts out.

Nothing here knows a database, a request or how the parts are drawn: pages, files and plain text
are made from the same tree.
"""

from .document import (
    Block,
    Figure,
    Inline,
    Items,
    Mark,
    Note,
    Paragraph,
    Report,
    Section,
    Table,
    Words,
    plain,
)
from .drawings import scatter
from .facts import Facts, Picture
from .pdf import to_pdf, to_pngs
from .sections import write_report

__all__ = [
    "Block",
    "Facts",
    "Figure",
    "Inline",
    "Items",
    "Mark",
    "Note",
    "Paragraph",
    "Picture",
    "Report",
    "Section",
    "Table",
    "Words",
    "plain",
    "scatter",
    "to_pdf",
    "to_pngs",
    "write_report",
]
