"""Answers once more with a column per question, for programs that want them side by side."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from studies import queries
from studies.models import Question, Study, TrialRole
from studies.services.tables.answers import NO_SCRIPT, ROLE, TIMING, image_columns
from studies.services.tables.columns import (
    EXCLUDED,
    FETCH_ROWS,
    MILLISECONDS,
    TRIAL,
    UTC_TIME,
    Column,
    Table,
    participant_columns,
)

NOT_ASKED = "not answered in this trial"

OF_TRIAL = (
    "trial__participant__public_id",
    "trial__participant__kind",
    "trial__position",
    "trial__role",
    "trial__study_image__image__public_id",
    "compared",
    "trial__response_time_ms",
    "trial__participant__is_excluded",
    "trial__completed_at",
)
OF_ANSWER = ("question__key", "value", "number")


@dataclass(frozen=True)
class Answered:
    """A trial with all its answers, by the question's key."""

    values: dict[str, Any]
    numbers: dict[str, float | None]
    public_id: str
    kind: str
    position: int
    role: str
    study_image__image__public_id: str | None
    compared: Any
    response_time_ms: int | None
    is_excluded: bool
    completed_at: datetime


def answered_rows(study: Study) -> Iterator[Answered]:
    """The trials with answers, in the order of the answers, one at a time in memory."""
    rows = queries.response_rows(study).values_list("trial_id", *OF_TRIAL, *OF_ANSWER)
    for _, of_trial in groupby(rows.iterator(chunk_size=FETCH_ROWS), key=itemgetter(0)):
        answers = list(of_trial)
        yield Answered(
            {key: value for *_, key, value, _ in answers},
            {key: number for *_, key, _, number in answers},
            *answers[0][1 : 1 + len(OF_TRIAL)],
        )


def of_question(key: str) -> Callable[[dict[str, Any]], Any]:
    return lambda answers: answers.get(key)


def question_columns(question: Question) -> tuple[Column, Column]:
    key = question.key
    return (
        Column(
            f"value_{key}",
            "values",
            "integer, number, text or JSON",
            f"What was answered to “{key}”, as “value” has it in “responses”",
            empty=NOT_ASKED,
            show=of_question(key),
        ),
        Column(
            f"number_{key}",
            "numbers",
            "number",
            f"What the analysis counts of the answer to “{key}”, as “number” has it in “responses”",
            empty=f"{NOT_ASKED}, or an answer without a number",
            show=of_question(key),
        ),
    )


def wide_table(study: Study) -> Table:
    """The wide format of the answers about images; its columns are the study's questions."""
    return Table(
        "responsesWide",
        "Wide format: one row per trial with an answer, the questions side by side. The same "
        "answers as in “responses”.",
        answered_rows,
        (
            *participant_columns(""),
            Column("trial", "position", "integer", TRIAL),
            Column("role", "role", "text", ROLE, allowed=tuple(TrialRole.values)),
            *image_columns(""),
            *(
                column
                for question in study.questions.all()
                for column in question_columns(question)
            ),
            Column(
                "response_time_ms",
                "response_time_ms",
                "integer",
                TIMING,
                unit=MILLISECONDS,
                empty=NO_SCRIPT,
            ),
            Column("excluded", "is_excluded", "boolean", EXCLUDED, allowed=("true", "false")),
            Column(
                "completed_at",
                "completed_at",
                "time",
                "When the trial was completed",
                unit=UTC_TIME,
            ),
        ),
    )
