"""Coming in, coming back, and leaving."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from studies.errors import DomainError
from studies.models import (
    Coverage,
    Participant,
    ParticipantKind,
    ParticipantState,
    Study,
    StudyState,
    Trial,
    TrialState,
)
from studies.services.saving import record_event

CLOSED_TO_ANSWERS = {
    StudyState.DRAFT: ("study_draft", "This study has not started yet. Nothing was stored."),
    StudyState.PAUSED: (
        "study_paused",
        "This study is paused at the moment. Everything that you answered before is kept; "
        "please come back later.",
    ),
    StudyState.CLOSED: (
        "study_closed",
        "This study is closed and takes no more answers. Everything that you answered before "
        "is kept. Thank you for your interest.",
    ),
}


@dataclass(frozen=True)
class Enrolment:
    """A new participant, and the token that only they hold."""

    participant: Participant
    token: str


def require_running(study: Study) -> None:
    """DomainError where `study`, as the caller has read it, takes no answers."""
    if study.state != StudyState.RUNNING:
        code, detail = CLOSED_TO_ANSWERS[StudyState(study.state)]
        raise DomainError(code, detail)


def sha256_of_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def new_token() -> str:
    """A token that nobody can guess, for one participant."""
    return secrets.token_urlsafe(32)


@transaction.atomic
def enrol_participant(
    *,
    study: Study,
    consent_sha256: str,
    token: str | None = None,
    kind: ParticipantKind = ParticipantKind.PERSON,
    seed: int | None = None,
) -> Enrolment:
    """Record consent and make a participant; nothing is assigned yet.

    `consent_sha256` is the hash of the text that was shown: where the study's text is
    another by now, DomainError, because nobody agrees to what they did not read.

    `token` is the one that was issued with the page: the same page sent twice, even at the
    same moment, makes one participant, because the database holds a token's hash once.
    """
    study.refresh_from_db(fields=["state", "consent"])
    require_running(study)
    if consent_sha256 != sha256_of_text(study.consent):
        raise DomainError(
            "consent_changed",
            "The text has changed since this page was loaded. Please read it once more.",
        )
    token = token or new_token()
    now = timezone.now()
    participant, created = Participant.objects.get_or_create(
        token_sha256=sha256_of_text(token),
        defaults={
            "study": study,
            "kind": kind,
            "token_expires_at": now + timedelta(days=study.session_days),
            "seed": secrets.randbits(63) if seed is None else seed,
            "consent_sha256": consent_sha256,
            "consented_at": now,
            "last_active_at": now,
        },
    )
    if created:
        record_event(
            study=study,
            participant=participant,
            kind="participant_consented",
            data={"consent_sha256": consent_sha256, "kind": kind},
        )
    return Enrolment(participant=participant, token=token)


def participant_by_token(*, study: Study, token: str) -> Participant:
    """The participant of `study` who holds `token`; DomainError where it is forged or expired."""
    try:
        participant = Participant.objects.select_related("study").get(
            study=study, token_sha256=sha256_of_text(token)
        )
    except Participant.DoesNotExist:
        raise DomainError(
            "unknown_token",
            "We could not recognise your session in this study. Nothing was changed; "
            "please begin on the first page.",
        ) from None
    if participant.token_expires_at <= timezone.now():
        raise DomainError(
            "expired_token",
            f"Your session ended after {study.session_days} days. "
            "What you answered before is kept, but it can no longer be continued.",
        )
    return participant


@transaction.atomic
def withdraw_participant(*, participant: Participant) -> None:
    """Stop taking part: open trials are returned, so that others see those images."""
    now = timezone.now()
    changed = Participant.objects.filter(
        pk=participant.pk, state__in=[ParticipantState.CONSENTED, ParticipantState.ACTIVE]
    ).update(state=ParticipantState.WITHDRAWN, ended_at=now)
    participant.refresh_from_db()
    if not changed:
        if participant.state == ParticipantState.WITHDRAWN:
            return
        raise DomainError("already_finished", "You have already finished this study.")
    open_trials = Trial.objects.filter(participant=participant, state=TrialState.ASSIGNED)
    # Coverage before trials, as everywhere, so that no two transactions wait for each other.
    images = list(open_trials.values_list("study_image_id", flat=True))
    rows = Coverage.objects.filter(study_image__in=images, kind=participant.kind)
    list(rows.select_for_update().order_by("pk").values_list("pk"))
    rows.update(n_assigned=F("n_assigned") - 1)
    n_returned = open_trials.update(state=TrialState.RETURNED)
    record_event(
        study=participant.study,
        participant=participant,
        kind="participant_withdrew",
        data={"n_returned": n_returned},
    )
