"""What participants answered: about images, before they changed it, and besides."""

from dataclasses import replace
from typing import Any

from studies import queries
from studies.models import BlockKind, CheckKind, TrialRole, TrialState
from studies.questions import QUESTION_TYPES
from studies.services.evidence import MEASURED
from studies.services.tables.columns import (
    EXCLUDED,
    IMAGE,
    MILLISECONDS,
    TRIAL,
    UTC_TIME,
    Column,
    Table,
    answer_columns,
    participant_columns,
)

ROLE = (
    "What the trial was for: “main” is a rating, “repeat” the same image once more, “check” an "
    "attention check or catch trial, “practice” came before the ratings. Analyses count “main” "
    "only"
)
TIMING = (
    "From painted image to answer. Measured in the browser, times run some 10–40 ms long (display "
    "and input devices)"
)
NO_SCRIPT = "the participant's browser ran no JavaScript, or sent what cannot be a time"


QUESTION = Column(
    "question", "question__key", "text", "The question's key; see “questions” in the design"
)


def joined(by_place: Any) -> str:
    return " ".join(queries.left_to_right(by_place))


def image_columns(trial: str) -> tuple[Column, Column]:
    """The image of a trial, or the images it compares; `trial` leads to it, ending in “__”."""
    return (
        Column(
            "stimulus_id",
            f"{trial}study_image__image__public_id",
            "text",
            IMAGE,
            empty="several images were compared: see “stimuli”",
        ),
        Column(
            "stimuli",
            "compared",
            "text",
            "The public ids of the images compared, from left to right, with spaces between",
            empty="one image was shown: see “stimulus_id”",
            show=joined,
        ),
    )


RESPONSES = Table(
    "responses",
    "Long format: one row per answer, of a participant, in a trial, to a question. Answers that "
    "were changed stand here as they are now.",
    queries.response_rows,
    (
        *participant_columns("trial__participant__"),
        Column("trial", "trial__position", "integer", TRIAL),
        Column("role", "trial__role", "text", ROLE, allowed=tuple(TrialRole.values)),
        *image_columns("trial__"),
        QUESTION,
        Column(
            "question_kind",
            "question__kind",
            "text",
            "How the question is answered",
            allowed=tuple(QUESTION_TYPES),
        ),
        *answer_columns(),
        Column(
            "n_revisions",
            "n_revisions",
            "integer",
            "How often the answer was changed; see the file “revisions”",
        ),
        Column(
            "response_time_ms",
            "trial__response_time_ms",
            "integer",
            f"{TIMING}. Measured once per trial: with several questions the same value stands in "
            "each of the trial's rows",
            unit=MILLISECONDS,
            empty=NO_SCRIPT,
        ),
        Column(
            "excluded",
            "trial__participant__is_excluded",
            "boolean",
            EXCLUDED,
            allowed=("true", "false"),
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

REVISIONS = Table(
    "revisions",
    "One row per answer that its participant replaced; the one that counts is in “responses”.",
    queries.revision_rows,
    (
        *participant_columns("response__trial__participant__"),
        Column("trial", "response__trial__position", "integer", TRIAL),
        replace(QUESTION, path="response__question__key"),
        *answer_columns(),
        Column("received_at", "received_at", "time", "When this answer was stored", unit=UTC_TIME),
        Column("replaced_at", "replaced_at", "time", "When another took its place", unit=UTC_TIME),
    ),
)


def is_correct(value: Any, correct: Any) -> bool | None:
    return None if correct is None else value in correct


QUESTIONNAIRE = Table(
    "questionnaire",
    "One row per answer to an item of a questionnaire, or of one attempt at a comprehension "
    "check; items are described under “blocks” in the design.",
    queries.item_answer_rows,
    (
        *participant_columns("participant__"),
        Column("block", "item__block__position", "integer", "The block's position, from 1"),
        Column(
            "block_kind",
            "item__block__kind",
            "text",
            "What kind of block it is",
            allowed=(BlockKind.COMPREHENSION.value, BlockKind.QUESTIONNAIRE.value),
        ),
        Column("item", "item__key", "text", "The item's key"),
        Column("attempt", "attempt", "integer", "Of a comprehension check which attempt, from 1"),
        *answer_columns(),
        Column(
            "correct",
            ("value", "item__correct"),
            "boolean",
            "Whether the answer passes the comprehension check",
            allowed=("true", "false"),
            empty="an item without right answers",
            show=is_correct,
        ),
        Column("received_at", "received_at", "time", "When it was stored", unit=UTC_TIME),
    ),
)

COUNTED = {
    "hidden_ms": "How long the page was hidden: another tab, a locked phone",
    "n_hidden": "How often the page was hidden",
    "n_blurred": "How often the window lost the focus",
    "n_resized": "How often the window changed its size",
    "n_zoomed": "How often the image was opened at full size",
    "n_retries": "How often the image had to be fetched again",
}
NEVER = "nothing of the kind happened, or the browser ran no JavaScript"
EVIDENCE = {
    "onset_ms": "From the request to show the image to its first painted frame",
    "shown_ms": "How long the image was shown, where exposure is limited",
    "asked_ms": "How long it should have been shown, where exposure is limited",
    **COUNTED,
    "width_px": "Width of the page's window in CSS pixels",
    "height_px": "Height of the page's window in CSS pixels",
    "pixel_ratio": "Pixels of the screen per CSS pixel; changes when the page is zoomed",
    "input": "What the participant answered with: key, touch, mouse, pen",
    "changes": "Choices before the final one, as JSON: [ms since painted, question, value], …",
}
TYPES = {"ms": "integer", "count": "integer", "number": "number", "word": "text", "changes": "JSON"}


def evidence_column(name: str) -> Column:
    kind = MEASURED[name]
    return Column(
        name,
        "evidence",
        TYPES[kind],
        f"{EVIDENCE[name]}. Measured by the page and not to be trusted blindly",
        unit=MILLISECONDS if kind == "ms" else None,
        empty=NEVER if name in COUNTED else "not measured",
        show=lambda evidence: evidence.get(name),
    )


TRIALS = Table(
    "trials",
    "One row per trial of every participant, answered or not; “subject_id” and “trial” are its "
    "key.",
    queries.trial_rows,
    (
        *participant_columns("participant__"),
        Column("trial", "position", "integer", TRIAL),
        Column("role", "role", "text", ROLE, allowed=tuple(TrialRole.values)),
        Column(
            "state",
            "state",
            "text",
            "“assigned” waits for its answer, “completed” has it, “returned” was given back to "
            "others, “unseen” could not be shown",
            allowed=tuple(TrialState.values),
        ),
        *image_columns(""),
        Column(
            "pair",
            "pair",
            "integer",
            "The pair's place in the study's schedule, from 0",
            empty="not a pair",
        ),
        Column(
            "check",
            "check_asked",
            "integer",
            "Which check it was; see “checks”",
            empty="not a check",
        ),
        Column(
            "check_kind",
            "check_asked__kind",
            "text",
            "What kind of check it was",
            allowed=tuple(CheckKind.values),
            empty="not a check",
        ),
        Column("assigned_at", "assigned_at", "time", "When it was assigned", unit=UTC_TIME),
        Column(
            "completed_at",
            "completed_at",
            "time",
            "When it was completed",
            unit=UTC_TIME,
            empty="not answered",
        ),
        Column(
            "response_time_ms",
            "response_time_ms",
            "integer",
            TIMING,
            unit=MILLISECONDS,
            empty=f"not answered, or {NO_SCRIPT}",
        ),
        *map(evidence_column, MEASURED),
    ),
)
