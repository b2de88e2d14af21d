"""Who took part, what the rules found about them, what was decided, and what happened."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from studies import queries
from studies.models import Outcome, ParticipantState, Study, Verdict
from studies.quality import RULES, Finding
from studies.services.quality import judge
from studies.services.tables.columns import (
    EXCLUDED,
    UTC_TIME,
    Column,
    Table,
    participant_columns,
)

PARTICIPANTS = Table(
    "participants",
    "One row per participant, those who left or never answered among them.",
    lambda study: queries.participants_with_progress(study).order_by("pk"),
    (
        *participant_columns(""),
        Column(
            "state",
            "state",
            "text",
            "How far they are. Answers given before somebody withdrew are kept",
            allowed=tuple(ParticipantState.values),
        ),
        Column(
            "outcome",
            "outcome",
            "text",
            "How taking part ended",
            allowed=tuple(Outcome.values),
            empty="not ended",
        ),
        Column(
            "number",
            "number",
            "integer",
            "Among the participants of this kind who got trials, from 0; balanced orders go by it",
            empty="no trials were assigned",
        ),
        Column(
            "at_block",
            "at_block",
            "integer",
            "Position of the block that they are at, or were at last; see “blocks”",
        ),
        Column("n_trials", "n_assigned", "integer", "Trials that were assigned", unit="trials"),
        Column("n_completed", "n_completed", "integer", "Trials that were answered", unit="trials"),
        Column(
            "n_returned",
            "n_returned",
            "integer",
            "Trials that were given back and are not theirs any more",
            unit="trials",
        ),
        Column("excluded", "is_excluded", "boolean", EXCLUDED, allowed=("true", "false")),
        Column(
            "verdict",
            "verdict",
            "text",
            "The latest decision about them",
            allowed=tuple(Verdict.values),
            empty="nothing was decided",
        ),
        Column(
            "decision_reason",
            "decision_reason",
            "text",
            "Why, in the researcher's words",
            empty="nothing was decided, or no reason given",
        ),
        Column(
            "seed",
            "seed",
            "integer",
            "Of the choice and order of their images; up to 19 digits, more than a spreadsheet "
            "keeps",
        ),
        Column(
            "environment",
            "environment",
            "JSON",
            "Viewport, kind of device and language at entry, as the browser told them",
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
            "last_active_at",
            "last_active_at",
            "time",
            "Last thing they sent that was stored",
            unit=UTC_TIME,
        ),
        Column(
            "ended_at",
            "ended_at",
            "time",
            "When taking part ended",
            unit=UTC_TIME,
            empty="not ended",
        ),
    ),
)


@dataclass(frozen=True)
class Found:
    """A finding beside whom it is about."""

    public_id: str
    kind: str
    rule: str
    finding: Finding


def found_rows(study: Study) -> Iterator[Found]:
    for each in judge(study=study):
        for finding in each.findings:
            if finding.value is not None:
                yield Found(each.public_id, each.kind, finding.rule.name, finding)


QUALITY = Table(
    "quality",
    "One row per participant and rule of quality that there was enough to measure by. A mark "
    "asks for a second look; no rule excludes anybody. Rules, limits and their sources are "
    "under “quality_rules” in the design.",
    found_rows,
    (
        *participant_columns(""),
        Column(
            "rule",
            "rule",
            "text",
            "The rule, by the name of its limit",
            allowed=tuple(rule.name for rule in RULES),
        ),
        Column("value", "finding.value", "number", "What was found, in the unit of the rule"),
        Column(
            "limit",
            "finding.limit",
            "number",
            "What the study holds it against",
            empty="the study has switched the rule off",
        ),
        Column(
            "marked",
            "finding.marked",
            "boolean",
            "Whether the value lies beyond the limit",
            allowed=("true", "false"),
        ),
        Column("words", "finding.sentence", "text", "The finding as a sentence"),
    ),
)

DECISIONS = Table(
    "decisions",
    "One row per decision of a researcher about a participant, in order; the latest counts.",
    queries.decision_rows,
    (
        *participant_columns("participant__"),
        Column("at", "at", "time", "When it was decided", unit=UTC_TIME),
        Column("verdict", "verdict", "text", "What was decided", allowed=tuple(Verdict.values)),
        Column("reason", "reason", "text", "Why, in the researcher's words", empty="none given"),
    ),
)


# What may stand in the log's detail; nothing else of an event's data leaves the database.
DETAILS = {"silent", "withdrawn", "unseen", "not_excluded", *Outcome.values, *Verdict.values}


def detail(data: dict[str, Any]) -> str | None:
    given = (data.get(name) for name in ("reason", "outcome", "verdict"))
    return next((each for each in given if each in DETAILS), None)


def n_images(data: dict[str, Any]) -> int | None:
    if "study_images" in data:
        return len(data["study_images"])
    return data.get("n_images")


EVENTS = Table(
    "events",
    "One row per line of the study's log, in order. Who of the researchers acted is not exported.",
    queries.event_rows,
    (
        Column("at", "at", "time", "When it happened", unit=UTC_TIME),
        Column("event", "kind", "text", "What happened"),
        *(
            replace(column, empty="it is about the study")
            for column in participant_columns("participant__")
        ),
        Column(
            "detail",
            "data",
            "text",
            "Why or how: the reason for slots given back, the outcome, the verdict",
            empty="there is nothing to add",
            allowed=tuple(sorted(DETAILS)),
            show=detail,
        ),
        Column(
            "n_images",
            "data",
            "integer",
            "How many images' slots changed hands",
            unit="images",
            empty="none did",
            show=n_images,
        ),
    ),
)
