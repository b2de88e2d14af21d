"""Where each file of an export lies, as Psych-DS (schema 1.5) wants it."""

from studies.models import Study
from studies.services.tables import Table

DESCRIPTION = "dataset_description.json"
README, CHANGES, IGNORE = "README.md", "CHANGES.md", ".psychds-ignore"
CONSENT = "materials/consent.txt"
DESIGN = "materials/design.json"
SCAN = "materials/scan.json"
CODEBOOK = "documentation/codebook.json"
SCRIPTS = ("check_files.py", "headline.py", "headline.R")
MANIFEST = "manifest.json"

# Beside data/, which the standard keeps for its own: copies, and what it does not know.
SPREADSHEET, PARQUET = "spreadsheet", "parquet"
IGNORED = (f"{SPREADSHEET}/", f"{PARQUET}/", MANIFEST)


def stem(study: Study, table: Table) -> str:
    """A file name's pairs of keyword and value; values are letters and digits only."""
    slug = "".join(each for each in study.slug if each.isascii() and each.isalnum())
    return f"study-{slug or study.pk}_description-{table.name}"


def data_path(study: Study, table: Table) -> str:
    return f"data/{stem(study, table)}_data.csv"


def spreadsheet_path(study: Study, table: Table) -> str:
    return f"{SPREADSHEET}/{stem(study, table)}.csv"


def parquet_path(study: Study, table: Table) -> str:
    return f"{PARQUET}/{stem(study, table)}.parquet"


def script_path(name: str) -> str:
    return f"analysis/{name}"
