"""What every file and column of an export means."""

from typing import Any

from studies.models import Study
from studies.services.tables import Column, tables_of

NOTES = [
    "Each table is there three times, with the same rows: in data/ as it is, in spreadsheet/ safe "
    "to open, in parquet/ with types.",
    "CSV files are UTF-8, with commas, a header line, and lines that end in CR LF (RFC 4180). An "
    "empty cell is a value that is not there; each column says why.",
    "In data/ and parquet/ text stands as its author wrote it. Do not open data/ in a spreadsheet: "
    "it would run text that looks like a formula. In spreadsheet/ such text (it starts with "
    "= + - @, one of their full-width forms, a tab or a line break) has an apostrophe before it, "
    "public ids included, and files begin with a byte order mark. Numbers are as they are.",
    "Response times from web pages run some 10–40 ms long.",
    "Kinds of raters are never mixed in an analysis: filter by rater_kind first. Analyses count "
    "trials of the role “main” and leave excluded participants out.",
    "Where people take part while the export is written, a later file may count answers that are "
    "not yet in an earlier one; every participant and image named in an earlier file is in the "
    "later ones.",
    "Nothing here says who somebody is: neither ids of recruitment services nor codes, links or "
    "invitations are exported. Free text may say what its author wanted.",
    "manifest.json has the number of rows and the SHA-256 of each file: where one differs, the "
    "export is damaged or incomplete. analysis/check_files.py compares them.",
]


def codebook(study: Study) -> dict[str, Any]:
    """The codebook of an export of `study`, as plain JSON values."""
    return {
        "notes": NOTES,
        "files": {
            table.name: {
                "description": table.description,
                "columns": [describe_column(column) for column in table.columns],
            }
            for table in tables_of(study)
        },
    }


def describe_column(column: Column) -> dict[str, Any]:
    fields = {
        "name": column.name,
        "description": column.description,
        "type": column.type,
        "unit": column.unit,
        "allowed": column.allowed,
        "empty": column.empty,
    }
    return {name: value for name, value in fields.items() if value is not None}
