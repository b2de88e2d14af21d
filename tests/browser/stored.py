"""What the served database holds of somebody, read beside the server and past its code."""

import hashlib
import json
import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import BrowserContext

from tests.served import Served

TRIALS = """
    SELECT trial.id, trial.state, trial.response_time_ms, trial.evidence
    FROM studies_trial trial JOIN studies_session session USING (participant_id)
    WHERE session.token_sha256 = ? ORDER BY trial.position
"""
RESPONSES = """
    SELECT response.trial_id, response.id, response.value
    FROM studies_response response
    JOIN studies_trial trial ON trial.id = response.trial_id
    JOIN studies_session session USING (participant_id)
    WHERE session.token_sha256 = ? ORDER BY response.id
"""
REVISIONS = """
    SELECT revision.response_id, revision.value
    FROM studies_revision revision
    JOIN studies_response response ON response.id = revision.response_id
    JOIN studies_trial trial ON trial.id = response.trial_id
    JOIN studies_session session USING (participant_id)
    WHERE session.token_sha256 = ? ORDER BY revision.id
"""


SILENCE = """
    UPDATE studies_participant SET last_active_at = ? WHERE id IN
    (SELECT participant_id FROM studies_session WHERE token_sha256 = ?)
"""


@dataclass
class Stored:
    """One trial, in the order shown: every value that it has, and earlier ones."""

    state: str
    response_time_ms: int | None
    evidence: dict[str, Any]
    values: list[Any] = field(default_factory=list)
    earlier: list[Any] = field(default_factory=list)


def token_digest(context: BrowserContext, slug: str) -> str:
    cookies = {cookie["name"]: cookie["value"] for cookie in context.cookies()}
    return hashlib.sha256(cookies[f"musescan_{slug}"].encode()).hexdigest()


def connected(served: Served) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(served.folder / "musescan.sqlite3", timeout=30))


def fall_silent(served: Served, context: BrowserContext, slug: str) -> None:
    """Let three hours go by for whoever holds the study's cookie in `context`."""
    long_ago = datetime.now(UTC) - timedelta(hours=3)
    with connected(served) as database:
        database.execute(SILENCE, [f"{long_ago:%F %T.%f}", token_digest(context, slug)])
        database.commit()


def stored_trials(served: Served, context: BrowserContext, slug: str) -> list[Stored]:
    """The trials of whoever holds the study's cookie in `context`."""
    digest = token_digest(context, slug)
    with connected(served) as database:
        trials = database.execute(TRIALS, [digest]).fetchall()
        responses = database.execute(RESPONSES, [digest]).fetchall()
        revisions = database.execute(REVISIONS, [digest]).fetchall()
    earlier = defaultdict(list)
    for response, value in revisions:
        earlier[response].append(json.loads(value))
    made = {
        pk: Stored(state, response_time_ms, json.loads(evidence))
        for pk, state, response_time_ms, evidence in trials
    }
    for trial, response, value in responses:
        made[trial].values.append(json.loads(value))
        made[trial].earlier += earlier[response]
    return list(made.values())


def stored_values(served: Served, context: BrowserContext, slug: str) -> list[list[Any]]:
    """The values of each completed trial, in the order shown: one each, unless something broke."""
    trials = stored_trials(served, context, slug)
    return [trial.values for trial in trials if trial.state == "completed"]
