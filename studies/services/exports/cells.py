"""Values as they stand in a CSV file."""

import json
from datetime import UTC, datetime
from typing import Any

# What a spreadsheet would take for the beginning of a formula, after OWASP's page on CSV
# injection; the last four are what spreadsheets make of the first four in East Asian locales.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(value: Any) -> Any:
    """`value` as it stands in a CSV file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else value


def spreadsheet_cell(value: Any) -> Any:
    """`value` as a spreadsheet may open it: text that it would run gets an apostrophe.

    Objects and lists are JSON, which begins with a bracket and so is no formula.
    """
    shown = cell(value)
    if isinstance(shown, str) and shown.startswith(FORMULA_STARTS):
        return f"'{shown}"
    return shown
