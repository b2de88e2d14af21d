"""The error rules of Psych-DS (schema 1.5) that a data set can break, by their official codes.

Written after the rules of github.com/psych-ds/psych-DS and what its validator does with them;
warnings (recommended keys and files, unofficial keywords) are left out.
"""

import csv
import io
import json
import re
from collections.abc import Mapping
from typing import Any

DATA_FILE = re.compile(r"([a-z]+-[a-zA-Z0-9]+)(_[a-z]+-[a-zA-Z0-9]+)*_data\.(csv|tsv)")
REQUIRED = ("name", "description", "variableMeasured")
SCHEMA_ORG = re.compile(r"https?://(www\.)?schema\.org/?")


def errors(files: Mapping[str, bytes]) -> list[str]:
    """What is wrong with the data set of `files` (path → content), as “CODE: where”."""
    found = [f"{code}: dataset_description.json" for code in description_errors(files)]
    data = {
        path: content
        for path, content in files.items()
        if path.startswith("data/") and path.endswith((".csv", ".tsv"))
    }
    if not any(path.startswith("data/") for path in files):
        found.append("MISSING_DATA_DIRECTORY: data/")
    if not data:
        found.append("MISSING_DATAFILE: data/")
    declared = declared_variables(files)
    seen: set[str] = set()
    for path, content in data.items():
        if not DATA_FILE.fullmatch(path.rpartition("/")[2]):
            found.append(f"FILENAME_KEYWORD_FORMATTING_ERROR: {path}")
        header, faults = read(content)
        found += [f"{code}: {path}" for code in faults]
        seen |= set(header)
        found += [
            f"CSV_COLUMN_MISSING_FROM_METADATA: {path} {name}"
            for name in header
            if name not in declared
        ]
    found += [f"VARIABLE_MISSING_FROM_CSV_COLUMNS: {name}" for name in sorted(declared - seen)]
    return found


def description_errors(files: Mapping[str, bytes]) -> list[str]:
    if "dataset_description.json" not in files:
        return ["MISSING_DATASET_DESCRIPTION"]
    try:
        text = files["dataset_description.json"].decode("utf-8")
    except UnicodeDecodeError:
        return ["JSON_ENCODING_ERROR"]
    try:
        description = json.loads(text)
    except ValueError:
        return ["INVALID_JSON_FORMATTING"]
    if not SCHEMA_ORG.fullmatch(str(description.get("@context"))):
        return ["INVALID_JSONLD_FORMATTING"]
    found = ["JSON_KEY_REQUIRED" for key in REQUIRED if key not in description]
    if "@type" not in description:
        found.append("MISSING_DATASET_TYPE")
    elif description["@type"] != "Dataset":
        found.append("INCORRECT_DATASET_TYPE")
    return found


def declared_variables(files: Mapping[str, bytes]) -> set[str]:
    """Names in variableMeasured, which holds words or objects with a name."""
    try:
        description: dict[str, Any] = json.loads(files["dataset_description.json"])
    except (KeyError, ValueError):
        return set()
    return {
        each if isinstance(each, str) else each["name"]
        for each in description.get("variableMeasured", [])
    }


def read(content: bytes) -> tuple[list[str], list[str]]:
    """The header of a CSV file, and the codes of what is wrong with it."""
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return [], ["CSV_FORMATTING_ERROR"]
    if not rows or not rows[0]:
        return [], ["CSV_HEADER_MISSING"]
    header, *body = rows
    found = []
    if any(len(row) != len(header) for row in body):
        found.append("CSV_HEADER_LENGTH_MISMATCH")
    if "row_id" in header:
        place = header.index("row_id")
        ids = [row[place] for row in body if len(row) > place]
        if len(set(ids)) < len(ids):
            found.append("ROWID_VALUES_NOT_UNIQUE")
    return header, found
