"""What every file and column of an export means, where each value comes from, and in words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from studies import queries
from studies.models import ParticipantKind, ParticipantState, Process, Question, Scan, Study
from studies.questions import question_type


@dataclass(frozen=True)
class Column:
    """A column of an exported table; `path` leads from the table's rows to its value."""

    name: str
    path: str
    type: str
    description: str
    unit: str | None = None
    allowed: tuple[str, ...] | None = None
    empty: str | None = None


@dataclass(frozen=True)
class Table:
    """An exported file: its rows in a fixed order, and its columns."""

    name: str
    description: str
    rows: Callable[[Study], QuerySet]
    columns: tuple[Column, ...]


RATER_KIND = (
    "Who rated: “person” took part in the study, “pilot” tried it out, “simulated” is a program "
    "whose answers say nothing about people. It never changes."
)
IMAGE = "The image's public id; the same in every file and in the API"
PARTICIPANT = "The participant's public id; it says nothing about who they are"
MILLISECONDS = "milliseconds"
UTC_TIME = "UTC, ISO 8601"

RESPONSES = Table(
    "responses.csv",
    "One row per answer: a participant, a trial (one image), a question.",
    queries.response_rows,
    (
        Column("participant", "trial__participant__public_id", "text", PARTICIPANT),
        Column(
            "rater_kind",
            "trial__participant__kind",
            "text",
            RATER_KIND,
            allowed=tuple(ParticipantKind.values),
        ),
        Column(
            "trial",
            "trial__position",
            "integer",
            "Which image of theirs it was, in the order shown to this participant, from 1",
        ),
        Column("image", "trial__study_image__image__public_id", "text", IMAGE),
        Column("question", "question__key", "text", "The question's key; see “questions”"),
        Column(
            "value",
            "value",
            "integer or text",
            "What was answered: a point of the scale, or the value of a label; see “questions”",
        ),
        Column("label", "label", "text", "The words shown for the answer"),
        Column(
            "number",
            "number",
            "number",
            "What the analysis counts; see “questions”",
            empty="the label is one that counts as undecided",
        ),
        Column(
            "response_time_ms",
            "trial__response_time_ms",
            "integer",
            "From painted image to answer, once per trial: with several questions the same value "
            "stands in each of the trial's rows. Measured in the browser, times run some "
            "10–40 ms long (display and input devices)",
            unit=MILLISECONDS,
            empty="the participant's browser ran no JavaScript",
        ),
        Column(
            "completed_at",
            "trial__completed_at",
            "time",
            "When the trial was completed",
            unit=UTC_TIME,
        ),
        Column("received_at", "received_at", "time", "When the answer was stored", unit=UTC_TIME),
    ),
)

PARTICIPANTS = Table(
    "participants.csv",
    "One row per participant, those who left or never answered among them.",
    lambda study: queries.participants_with_progress(study).order_by("pk"),
    (
        Column("participant", "public_id", "text", PARTICIPANT),
        Column("rater_kind", "kind", "text", RATER_KIND, allowed=tuple(ParticipantKind.values)),
        Column(
            "state",
            "state",
            "text",
            "How far they are. Answers given before somebody withdrew are kept",
            allowed=tuple(ParticipantState.values),
        ),
        Column("n_trials", "n_assigned", "integer", "Trials that were assigned", unit="trials"),
        Column("n_completed", "n_completed", "integer", "Trials that were answered", unit="trials"),
        Column(
            "seed",
            "seed",
            "integer",
            "Of the choice and order of their images; up to 19 digits, more than a spreadsheet "
            "keeps",
        ),
        Column(
            "consent_sha256",
            "consent_sha256",
            "text",
            "SHA-256 of the text that they agreed to (UTF-8)",
        ),
        Column(
            "consented_at", "consented_at", "time", "When they agreed to take part", unit=UTC_TIME
        ),
        Column(
            "started_at",
            "started_at",
            "time",
            "When images were assigned to them",
            unit=UTC_TIME,
            empty="not started",
        ),
        Column(
            "ended_at",
            "ended_at",
            "time",
            "When they finished or withdrew",
            unit=UTC_TIME,
            empty="neither",
        ),
    ),
)

NOT_SCANNED = "the study's scan does not have the image"

IMAGES = Table(
    "images.csv",
    "One row per image of the study, with what the scan found in it.",
    lambda study: queries.study_images(study).order_by("pk"),
    (
        Column("image", "image__public_id", "text", IMAGE),
        Column("image_set", "image__image_set__name", "text", "The set that it was made in"),
        Column("position", "image__position", "integer", "Its row in that set, from 0"),
        Column(
            "process",
            "image__process",
            "text",
            "How it was made",
            allowed=tuple(Process.values),
        ),
        Column("stratum", "stratum", "text", "The stratum that it was drawn from; see “strata”"),
        Column(
            "scan",
            "study__scan__name",
            "text",
            "The scan; see “scan”",
            empty="the study has no scan",
        ),
        Column(
            "size",
            "size",
            "integer",
            "How many nodes its own anomalous subset has; 0: nothing is anomalous",
            unit="nodes",
            empty=NOT_SCANNED,
        ),
        Column(
            "score",
            "score",
            "number",
            "The scan statistic of that subset; not negative",
            empty=NOT_SCANNED,
        ),
        Column(
            "alpha",
            "alpha",
            "number",
            "The threshold of p-values at which that score was reached; above 0, at most the "
            "scan's alpha_max",
            empty="nothing is anomalous, or " + NOT_SCANNED,
        ),
        Column(
            "in_group",
            "in_group",
            "boolean",
            "Whether the group scan's anomalous subset has the image",
            allowed=("true", "false"),
            empty=NOT_SCANNED,
        ),
        Column("sha256", "image__sha256", "text", "SHA-256 of the image file"),
    ),
)

TABLES = (RESPONSES, PARTICIPANTS, IMAGES)

NOTES = [
    "Files are UTF-8 without a byte order mark, with commas, a header line, and lines that end "
    "in CR LF (RFC 4180). An empty cell is a value that is not there; each column says why.",
    "In text columns a cell that a spreadsheet would run as a formula (one that starts with "
    "= + - @, a tab or a carriage return) has an apostrophe before it, public ids included, in "
    "every file alike. Numbers are as they are.",
    "Response times from web pages run some 10–40 ms long.",
    "Kinds of raters are never mixed in an analysis: filter by rater_kind first.",
    "Where people take part while the export is written, participants.csv may count trials "
    "whose answers are not yet in responses.csv; every participant and image named in "
    "responses.csv is in the other files.",
    "manifest.json has the number of rows and the SHA-256 of each file: where one differs, the "
    "export is damaged or incomplete.",
]

STRATA_RULE = (
    "A stratum is a process and a quantile of subset size within that process (“creative q2”; "
    "q1 has the smallest subsets). Quantiles go by rank, equal sizes in the order of the images, "
    "so all are equally large. From each stratum images were drawn at random, without "
    "replacement, by the study's seed. Each participant gets the images of each stratum that "
    "were assigned least, in a random order of their own, by the participant's seed."
)


def codebook(study: Study) -> dict[str, Any]:
    """The codebook of an export of `study`, as plain JSON values."""
    return {
        "study": {
            name: getattr(study, name)
            for name in (
                "slug", "title", "state", "responsible", "seed", "trials_per_participant",
                "launched_at", "closed_at", "consent", "debrief",
            )
        },
        "notes": NOTES,
        "files": {
            table.name: {
                "description": table.description,
                "columns": [describe_column(column) for column in table.columns],
            }
            for table in TABLES
        },
        "questions": [describe_question(question) for question in study.questions.all()],
        "strata": {"rule": STRATA_RULE, "n_images": queries.strata(study)},
        "scan": None if study.scan is None else describe_scan(study.scan),
    }  # fmt: skip


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


def describe_question(question: Question) -> dict[str, Any]:
    """The question as it was asked, its answers, and how an answer becomes a number."""
    choices = question_type(question.kind).choices(question.options)
    return {
        "key": question.key,
        "position": question.position,
        "kind": question.kind,
        "text": question.text,
        "options": question.options,
        "choices": [{"value": choice.value, "label": choice.label} for choice in choices],
        "number": (
            "1 for the label named as positive, 0 for the others, empty for those named as "
            "undecided"
            if question.kind == "categorical"
            else "the point chosen, from the low end to the high end"
        ),
    }


def describe_scan(scan: Scan) -> dict[str, Any]:
    """Every parameter of the scan, and what it found in the group."""
    names = (
        "name", "layer", "tail", "statistic", "alpha_max", "n_restarts", "seed", "n_background",
        "n_images", "n_nodes", "node_shape", "versions",
    )  # fmt: skip
    return {
        **{name: getattr(scan, name) for name in names},
        "background": scan.background.name,
        "test_sets": list(scan.test_sets.order_by("name").values_list("name", flat=True)),
        "group": {
            "score": scan.group_score,
            "alpha": scan.group_alpha,
            "n_images": scan.group_n_images,
            "n_nodes": scan.group_n_nodes,
        },
    }
