"""The usual answer: to the next image of somebody in the middle of rating, given in time.

`responses.record_answers` takes every answer there can be. Where images are shown one by one,
nearly all are of this one kind, and are stored here with a fraction of the work; whatever is
not as it usually is changes nothing here and is left to `record_answers`. That both store the
same is a test.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from threading import Lock
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from studies import queries
from studies.errors import DomainError
from studies.models import TrialRole
from studies.queries.prepared import Statement
from studies.queries.standing import COMING, COMING_TRIALS, IN_ORDER, Coming, Standing
from studies.services.evidence import clean_evidence, plausible_ms
from studies.services.hashes import sha256_of_text
from studies.services.responses import Submission, parse_answers

# What an answer changes. On PostgreSQL all of it is one statement, whose parts take the names
# of these and wait for each other; on SQLite, where nothing travels and one writer is let in at
# a time, they run one by one. The participant's row is locked first, as everywhere.
UNCHANGED = """
    SELECT who.id FROM studies_participant AS who
    JOIN studies_study AS study ON study.id = who.study_id
    JOIN studies_session AS held ON held.participant_id = who.id
    WHERE who.id = %(participant)s AND who.state = 'active' AND who.at_block = %(at_block)s
        AND who.n_done = %(n_done)s AND who.n_trials = %(n_trials)s
        AND who.last_active_at = %(last_active_at)s AND who.is_excluded = %(is_excluded)s
        AND study.state = 'running'
        AND held.token_sha256 = %(token_sha256)s AND held.expires_at > %(now)s
"""
COMPLETED = """
    UPDATE studies_trial SET state = 'completed', completed_at = %(now)s,
        submission = %(submission)s, response_time_ms = %(response_time_ms)s,
        evidence = %(evidence)s
    WHERE id = %(trial)s AND state = 'assigned'
"""
COUNTED = """
    UPDATE studies_participant SET n_done = n_done + 1, last_active_at = %(now)s
    WHERE id = %(participant)s
"""
COVERED = """
    UPDATE studies_coverage SET n_completed = n_completed + 1
    WHERE study_image_id = %(study_image)s AND kind = %(kind)s AND %(counts)s
"""
ANSWERED = """
    INSERT INTO studies_response (trial_id, question_id, value, label, number, received_at)
    SELECT %(trial)s, %(question{i})s, %(value{i})s, %(label{i})s, %(number{i})s, %(now)s
"""
TYPES = {
    "now": "timestamptz",
    "participant": "bigint",
    "at_block": "integer",
    "n_done": "integer",
    "n_trials": "integer",
    "last_active_at": "timestamptz",
    "is_excluded": "boolean",
    "token_sha256": "text",
    "trial": "bigint",
    "submission": "uuid",
    "response_time_ms": "integer",
    "evidence": "jsonb",
    "study_image": "bigint",
    "kind": "text",
    "counts": "boolean",
}
ANSWER_TYPES = {
    "question": "bigint",
    "value": "jsonb",
    "label": "text",
    "number": "double precision",
}


@lru_cache(maxsize=64)
def at_once(n_questions: int) -> Statement:
    """The statement that stores answers to so many questions; it gives the trials after it."""
    locked, after = "EXISTS (SELECT 1 FROM unchanged)", "EXISTS (SELECT 1 FROM completed)"
    parts = {
        "unchanged": f"{UNCHANGED} FOR UPDATE OF who",
        "completed": f"{COMPLETED} AND {locked} RETURNING id",
        "counted": f"{COUNTED} AND {after}",
        "covered": f"{COVERED} AND {after}",
    }
    for i in range(n_questions):
        parts[f"answered{i}"] = f"{ANSWERED.format(i=i)} WHERE {after}"
    changes = ", ".join(f"{name} AS ({sql})" for name, sql in parts.items())
    return Statement(
        f"musescan_answer_{n_questions}",
        f"WITH {changes} {COMING_TRIALS} AND trial.id <> %(trial)s AND {after} {IN_ORDER}",
        TYPES | {f"{k}{i}": v for i in range(n_questions) for k, v in ANSWER_TYPES.items()},
    )


def store(values: Mapping[str, Any], n_questions: int) -> list[tuple[Any, ...]]:
    """Change all or nothing; the trials that come then, or none where nothing was changed."""
    if connection.vendor == "postgresql":
        return at_once(n_questions).run(values)
    with transaction.atomic(), connection.cursor() as cursor:
        if cursor.execute(UNCHANGED, values).fetchone() is None:
            return []
        if cursor.execute(COMPLETED, values).rowcount != 1:
            return []
        answered = (ANSWERED.format(i=i) for i in range(n_questions))
        for sql in (COUNTED, COVERED, *answered):
            cursor.execute(sql, values)
        return COMING.run(values)


@dataclass
class Recent:
    """Where those were who answered last, as this process stored it or read it.

    What is remembered may be out of date: an answer is stored only where the database holds
    the same. It spares reading, for every answer, what the one before it left behind.
    """

    n_most: int
    standings: OrderedDict[str, Standing] = field(default_factory=OrderedDict)
    lock: Lock = field(default_factory=Lock)

    def remember(self, token_sha256: str, standing: Standing) -> None:
        with self.lock:
            self.standings[token_sha256] = standing
            self.standings.move_to_end(token_sha256)
            while len(self.standings) > self.n_most:
                self.standings.popitem(last=False)

    def take(self, token_sha256: str) -> Standing | None:
        with self.lock:
            return self.standings.pop(token_sha256, None)


recent = Recent(n_most=2_000)


def standing_by_token(*, slug: str, token: str) -> Standing | None:
    """Where the holder of `token` is in the study `slug`; None where there is nobody."""
    token_sha256 = sha256_of_text(token)
    standing = queries.standing(slug=slug, token_sha256=token_sha256)
    if standing is not None:
        recent.remember(token_sha256, standing)
    return standing


def record_usual_answer(
    *, slug: str, token: str, submission: Submission
) -> tuple[Standing | None, bool]:
    """Store the answers of the holder of `token` to their next trial, if it is the usual answer.

    Where they are then, and True; otherwise nothing was changed, and it is where they were
    (None where there is nobody), and False.
    """
    token_sha256 = sha256_of_text(token)
    known = recent.take(token_sha256)
    after = known and known.look.slug == slug and answered(known, token_sha256, submission)
    standing = None
    if not after:
        standing = queries.standing(slug=slug, token_sha256=token_sha256)
        after = standing and answered(standing, token_sha256, submission)
    if not after:
        return standing, False
    recent.remember(token_sha256, after)
    return after, True


def answered(standing: Standing, token_sha256: str, submission: Submission) -> Standing | None:
    """Store the answers to the next trial in `standing`; None where nothing was changed.

    1. The trial must be their next one, and not the last of the block.
    2. The participant's row is locked where it is as it was read. Whatever changes a
       participant's trials changes that row, so the trials are as they were read, too.
    3. The trial is completed where it is still open. What else is to be changed, and what is
       told, waits for that, in the same statement or transaction.
    """
    trial = standing.coming[0] if standing.is_rating else None
    if trial is None or trial.public_id != submission.trial or len(standing.coming) == 1:
        return None
    if submission.replaces:
        return None
    try:
        parsed = parse_answers(standing.protocol.questions, submission.answers)
    except DomainError:
        return None
    now = timezone.now()
    adapted = connection.ops.adapt_datetimefield_value
    values: dict[str, Any] = {
        "now": adapted(now),
        "participant": standing.pk,
        "at_block": standing.at_block,
        "n_done": standing.n_done,
        "n_trials": standing.n_trials,
        "last_active_at": adapted(standing.last_active_at),
        "is_excluded": standing.is_excluded,
        "token_sha256": token_sha256,
        "trial": trial.pk,
        "submission": submission.key and submission.key.hex,
        "response_time_ms": plausible_ms(submission.response_time_ms),
        "evidence": json.dumps(clean_evidence(submission.evidence)),
        "study_image": trial.study_image,
        "kind": standing.kind,
        "counts": trial.role == TrialRole.MAIN
        and not (standing.is_excluded and standing.replace_excluded),
    }
    for i, (question, answer) in enumerate(parsed):
        values |= {
            f"question{i}": question.pk,
            f"value{i}": json.dumps(answer.value),
            f"label{i}": answer.label,
            f"number{i}": answer.number,
        }
    coming = store(values, len(parsed))
    if not coming:
        return None
    return replace(
        standing,
        n_done=standing.n_done + 1,
        last_active_at=now,
        coming=tuple(Coming(*row) for row in coming),
    )
