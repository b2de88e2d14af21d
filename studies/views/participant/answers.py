"""Answers that the script of a trial page sends: one request stores one and brings the next."""

import json
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from studies.errors import DomainError
from studies.models import Study
from studies.services.enrolment import session_by_token
from studies.services.responses import (
    Recorded,
    Submission,
    mark_unseen,
    record_answers_by_token,
)
from studies.services.usual_answers import record_usual_answer
from studies.views.participant.access import (
    cookie_name,
    here,
    never_kept,
    standing_of,
    status_of,
)
from studies.views.participant.presenting import coming_queue, queue, submission_key

MAX_BODY = 100_000


@require_POST
def answers(request: HttpRequest, slug: str) -> JsonResponse:
    """Store the answer that a script sends, and tell of the trials that come next.

    The acknowledgement leaves after the transaction has been committed, never before.
    """
    token = request.COOKIES.get(cookie_name(slug), "")
    sent = sent_object(request.body)
    submission = submission_of(sent)
    unseen = bool(sent.get("unseen"))
    if submission is None or unseen:
        standing = standing_of(request, slug)
    else:
        standing, stored = record_usual_answer(slug=slug, token=token, submission=submission)
        if standing is not None and stored:
            return saved(submission.trial, coming_queue(standing))
    if standing is None:
        study = Study.objects.filter(slug=slug).first()
        with translation.override(study.language if study else translation.get_language()):
            return refused("unknown_token", 403, _("Your session was not recognised."))
    with translation.override(standing.look.language):
        if submission is None:
            return refused(
                "bad_request", 400, _("The answer could not be read. Nothing was stored.")
            )
        try:
            if unseen:
                participant = session_by_token(slug=slug, token=token).participant
                recorded = mark_unseen(participant=participant, trial_id=submission.trial)
            else:
                recorded = record_answers_by_token(slug=slug, token=token, submission=submission)
        except DomainError as error:
            return refused(error.code, status_of(error), error.detail, error.fields)
        return acknowledged(recorded, submission.trial)


def sent_object(body: bytes) -> dict[str, Any]:
    """What a script sent; empty where it cannot be read or is too long."""
    try:
        sent = json.loads(body) if len(body) <= MAX_BODY else None
    except (ValueError, RecursionError):
        sent = None
    return sent if isinstance(sent, dict) else {}


def submission_of(sent: dict[str, Any]) -> Submission | None:
    """The submission in what was sent; None where it is none."""
    if not sent or not isinstance(sent.get("answers", {}), dict):
        return None
    return Submission(
        trial=str(sent.get("trial", "")),
        answers=sent.get("answers", {}),
        key=submission_key(sent.get("key")),
        response_time_ms=sent.get("response_time_ms"),
        evidence=sent.get("evidence"),
    )


def acknowledged(recorded: Recorded, trial_id: str) -> JsonResponse:
    participant = recorded.participant
    onward = here(participant)
    # A block that is over, or slots that were given back: the page itself says what comes.
    leave = onward != "participant:trial" or not recorded.upcoming
    where = queue(participant, [] if leave else recorded.upcoming)
    go = reverse(onward, args=[participant.study.slug]) if leave else None
    return saved(trial_id, where, go)


def saved(trial_id: str, where: dict[str, Any], go: str | None = None) -> JsonResponse:
    return never_kept(JsonResponse({"saved": True, "trial": trial_id, **where, "go": go}))


def refused(
    code: str, status: int, detail: str, fields: dict[str, str] | None = None
) -> JsonResponse:
    told = {"code": code, "detail": detail, "fields": fields or {}}
    return never_kept(JsonResponse(told, status=status))
