"""Where each file of an export lies, as Psych-DS (schema 1.5) wants it."""

from collections.abc import Collection

from studies.models import ParticipantKind, Study
from studies.services.tables import Table

DESCRIPTION = "dataset_description.json"
README, CHANGES, IGNORE = "README.md", "CHANGES.md", ".psychds-ignore"
CONSENT = "materials/consent.txt"
DESIGN = "materials/design.json"
PLAN = "materials/plan.json"
SCAN = "materials/scan.json"
CODEBOOK = "documentation/codebook.json"
SCRIPTS = ("check_files.py", "headline.py", "headline.R")
# Of the scripts: the test that the headline is, and the statistics that compute it.
PLANNED, LIBRARY = "analysis/headline_test.csv", "analysis/musescan_stats"
MANIFEST = "manifest.json"

# Beside data/, which the standard keeps for its own: copies, and what it does not know.
SPREADSHEET, PARQUET, IDENTIFIERS = "spreadsheet", "parquet", "identifiers"
IGNORED = (f"{SPREADSHEET}/", f"{PARQUET}/", f"{IDENTIFIERS}/", MANIFEST)

MARKS = {ParticipantKind.SIMULATED: "Simulated", ParticipantKind.PILOT: "Pilot"}


def mark(kinds: Collection[str]) -> str:
    """What names say of raters who are not the study's people: “” where there are none.

    “Simulated”, “Pilot” and “PilotAndSimulated” where nobody else rated, “WithSimulated” and so
    on where people did, too.
    """
    others = "And".join(word for kind, word in sorted(MARKS.items()) if kind in kinds)
    return f"With{others}" if others and ParticipantKind.PERSON in kinds else others


class Layout:
    """The paths of an export of `study`, to which raters of `kinds` answered."""

    def __init__(self, study: Study, kinds: Collection[str]) -> None:
        slug = "".join(each for each in study.slug if each.isascii() and each.isalnum())
        self.name = f"{slug or study.pk}{mark(kinds)}"

    def stem(self, table: Table) -> str:
        """A file name's pairs of keyword and value; values are letters and digits only."""
        return f"study-{self.name}_description-{table.name}"

    def data(self, table: Table) -> str:
        return f"data/{self.stem(table)}_data.csv"

    def spreadsheet(self, table: Table) -> str:
        return f"{SPREADSHEET}/{self.stem(table)}.csv"

    def parquet(self, table: Table) -> str:
        return f"{PARQUET}/{self.stem(table)}.parquet"

    def identifiers(self, table: Table) -> str:
        return f"{IDENTIFIERS}/{self.stem(table)}.csv"

    def identifiers_spreadsheet(self, table: Table) -> str:
        return f"{IDENTIFIERS}/{SPREADSHEET}/{self.stem(table)}.csv"


def script_path(name: str) -> str:
    return f"analysis/{name}"
