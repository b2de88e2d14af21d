"""What every file and column of an export means."""

from collections.abc import Iterable
from typing import Any

from studies.services.tables import IDENTITIES, Column, Table

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
    "trials of the role “main”, and leave out whom the plan’s rules leave out (“exclusions”) and, "
    "unless the plan says “decisions”: false, excluded participants.",
    "analysis/headline_test.csv says which test the headline is, by the plan or by default: "
    "analysis/headline.py and analysis/headline.R compute it from the tables.",
    "All files tell one state of the data, that of the moment when the export began (“written_at” "
    "in the manifest): what people answered meanwhile is in none of them.",
    "manifest.json has the number of rows and the SHA-256 of each file: where one differs, the "
    "export is damaged or incomplete. analysis/check_files.py compares them.",
]


WITHOUT_IDENTIFIERS = (
    "Nothing here says who somebody is: neither ids of recruitment services nor codes, links or "
    "invitations are exported. Free text may say what its author wanted."
)
WITH_IDENTIFIERS = (
    "identifiers/ says who took part, as recruitment services and the researchers call them. An "
    "owner of the workspace asked for it, and the study's log says so. Keep it apart from the "
    "data, share it with nobody who need not know, and delete it when it has served. Its file in "
    "identifiers/spreadsheet/ is safe to open in a spreadsheet."
)
PSEUDONYMOUS = (
    "The study pseudonymises: of the services' ids it keeps keyed hashes (HMAC-SHA-256) only, "
    "which tell nobody who it was without the server's secret key."
)


def codebook(
    tables: Iterable[Table], identifiers: bool, *, pseudonymous: bool = False
) -> dict[str, Any]:
    """The codebook of an export of `tables`, and of the identifiers if it has them."""
    said = [WITH_IDENTIFIERS if identifiers else WITHOUT_IDENTIFIERS]
    if identifiers and pseudonymous:
        said.append(PSEUDONYMOUS)
    return {
        "notes": [*NOTES, *said],
        "files": {
            table.name: {
                "description": table.description,
                "columns": [describe_column(column) for column in table.columns],
            }
            for table in (*tables, *([IDENTITIES] if identifiers else []))
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
