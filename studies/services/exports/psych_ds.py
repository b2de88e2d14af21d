"""`dataset_description.json`: what Psych-DS and schema.org want to know of a data set."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from studies import __version__
from studies.models import ParticipantKind, Study
from studies.services.tables import Column, Table

SCHEMA_VERSION = "Psych-DS 1.5.0"
KEYWORDS = ["creativity", "image ratings", "generative models", "anomalous subset scanning"]
NOT_PEOPLE = {
    ParticipantKind.PILOT: "pilot participants",
    ParticipantKind.SIMULATED: "simulated raters",
}


def description(
    study: Study, tables: Iterable[Table], rater_kinds: dict[str, int], written_at: datetime
) -> dict[str, Any]:
    """Licence, funder and citation are not known here: researchers add them before publishing.

    Nobody shall take a program's answers for people's: the name says so, too.
    """
    participants = ", ".join(f"{kind} {n:,}" for kind, n in rater_kinds.items())
    warning = not_people({kind for kind, n in rater_kinds.items() if n})
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": f"{study.title} ({warning})" if warning else study.title,
        "description": (
            f"Ratings of generated images, gathered with the study “{study.title}”, beside what a "
            "subset scan of the generative model’s activations found in each image. Participants: "
            f"{participants}; the column rater_kind tells them apart. They were told: "
            f"{study.summary}"
        ),
        "schemaVersion": SCHEMA_VERSION,
        "identifier": study.slug,
        "author": [study.responsible],
        "inLanguage": study.language,
        "keywords": KEYWORDS,
        "dateModified": written_at,
        "creditText": f"Written by Musescan {__version__}",
        "variableMeasured": variables(tables),
    }


def not_people(kinds: Collection[str]) -> str:
    """What a name says where not only people rated; “” where only they did."""
    others = [words for kind, words in NOT_PEOPLE.items() if kind in kinds]
    if not others:
        return ""
    named = " and ".join(others)
    return f"with {named}" if ParticipantKind.PERSON in kinds else f"{named} only, no people"


def variables(tables: Iterable[Table]) -> list[dict[str, Any]]:
    """Every column of every table, once by its name, as the standard has one list for all."""
    uses: dict[str, list[tuple[str, Column]]] = {}
    for table in tables:
        for column in table.columns:
            uses.setdefault(column.name, []).append((table.name, column))
    return [variable(name, of_name) for name, of_name in uses.items()]


def variable(name: str, uses: list[tuple[str, Column]]) -> dict[str, Any]:
    """A column; where it means different things in different tables, each of them."""
    meanings: dict[str, list[str]] = {}
    for table, column in uses:
        meanings.setdefault(words(column), []).append(table)
    told = list(meanings)
    if len(meanings) > 1:
        told = [f"{', '.join(tables)}: {meaning}" for meaning, tables in meanings.items()]
    units = dict.fromkeys(column.unit for _, column in uses if column.unit)
    return {
        "@type": "PropertyValue",
        "name": name,
        "description": "; ".join(told),
        **({"unitText": "; ".join(units)} if units else {}),
    }


def words(column: Column) -> str:
    allowed = f". One of: {', '.join(column.allowed)}" if column.allowed else ""
    empty = f". Empty: {column.empty}" if column.empty else ""
    return f"{column.description}{allowed}{empty}"
