"""A table of an export: where its rows come from, and what each column means."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet

from studies.models import ParticipantKind, Study

# Rows fetched at a time.
FETCH_ROWS = 500

MILLISECONDS = "milliseconds"
UTC_TIME = "UTC, ISO 8601"


@dataclass(frozen=True)
class Column:
    """A column of an exported table; `path` leads from the table's rows to its value.

    Where the cell is something else than that value, `show` makes it, from the values of all
    `path`s where there are several.
    """

    name: str
    path: str | tuple[str, ...]
    type: str
    description: str
    unit: str | None = None
    allowed: tuple[str, ...] | None = None
    empty: str | None = None
    show: Callable[..., Any] | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path,) if isinstance(self.path, str) else self.path


@dataclass(frozen=True)
class Table:
    """What an exported file holds: its rows in a fixed order, and its columns.

    Rows are a query's, or objects with the columns' paths as attributes.
    """

    name: str
    description: str
    rows: Callable[[Study], QuerySet[Any] | Iterable[Any]]
    columns: tuple[Column, ...]

    def read(self, study: Study) -> Iterator[list[Any]]:
        """The values of each row, in the order of the columns, read as they are asked for."""
        paths = list(dict.fromkeys(path for column in self.columns for path in column.paths))
        places = [[paths.index(path) for path in column.paths] for column in self.columns]
        for record in self.records(study, paths):
            yield [
                record[where[0]]
                if column.show is None
                else column.show(*(record[place] for place in where))
                for column, where in zip(self.columns, places, strict=True)
            ]

    def records(self, study: Study, paths: list[str]) -> Iterable[tuple[Any, ...]]:
        rows = self.rows(study)
        if isinstance(rows, QuerySet):
            return rows.values_list(*paths).iterator(chunk_size=FETCH_ROWS)
        return map(attrgetter(*paths), rows)


RATER_KIND = (
    "Who rated: “person” took part in the study, “pilot” tried it out, “simulated” is a program "
    "whose answers say nothing about people. It never changes."
)
IMAGE = "The image's public id; the same in every file and in the API"
PARTICIPANT = "The participant's public id; it says nothing about who they are"
TRIAL = (
    "Which trial of theirs it was, in the order shown to this participant, from 1; with "
    "“subject_id” the key to the file “trials”"
)
EXCLUDED = (
    "Whether a researcher has decided that this participant's answers do not count; see "
    "the file “decisions”. Analyses leave them out, unless the plan says “decisions”: false"
)


def participant_columns(path: str) -> tuple[Column, Column]:
    """Who it was and of which kind; `path` leads to the participant and ends in “__”, or is ""."""
    return (
        Column("subject_id", f"{path}public_id", "text", PARTICIPANT),
        Column(
            "rater_kind", f"{path}kind", "text", RATER_KIND, allowed=tuple(ParticipantKind.values)
        ),
    )


def answer_columns(path: str = "") -> tuple[Column, ...]:
    """What was answered: value, label and number."""
    return (
        Column(
            "value",
            f"{path}value",
            "integer, number, text or JSON",
            "What was answered: a point of the scale, the value of a label, a place on a line, "
            "text; for several images at once JSON with their places, from 1; see “questions”",
        ),
        Column("label", f"{path}label", "text", "The words shown for the answer"),
        Column(
            "number",
            f"{path}number",
            "number",
            "What the analysis counts; see “questions”",
            empty="an answer without a number: undecided, text, or about several images",
        ),
    )
