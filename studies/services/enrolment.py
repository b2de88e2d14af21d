"""Coming in and coming back."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from studies.errors import DomainError
from studies.models import (
    ConsentText,
    Participant,
    ParticipantKind,
    Session,
    Study,
    StudyState,
)
from studies.services.saving import record_event

CLOSED_TO_ANSWERS = {
    StudyState.DRAFT: (
        "study_draft",
        gettext_lazy("This study has not started yet. Nothing was stored."),
    ),
    StudyState.PAUSED: (
        "study_paused",
        gettext_lazy(
            "This study is paused at the moment. Everything that you answered before is kept; "
            "please come back later."
        ),
    ),
    StudyState.CLOSED: (
        "study_closed",
        gettext_lazy(
            "This study is closed and takes no more answers. Everything that you answered "
            "before is kept. Thank you for your interest."
        ),
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
        raise DomainError(code, str(detail))


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
    environment: dict[str, Any] | None = None,
) -> Enrolment:
    """Record consent and make a participant; nothing is assigned yet.

    `consent_sha256` is the hash of the text that was shown: where the study's text is
    another by now, DomainError, because nobody agrees to what they did not read.

    `token` is the one that was issued with the page: the same page sent twice, even at the
    same moment, makes one participant, because the database holds a token's hash once.
    """
    # Of two that send the same page at once, the second waits here for the first.
    study = Study.objects.select_for_update(of=("self",), no_key=True).get(pk=study.pk)
    require_running(study)
    if consent_sha256 != sha256_of_text(study.consent):
        raise DomainError(
            "consent_changed",
            _("The text has changed since this page was loaded. Please read it once more."),
        )
    token = token or new_token()
    known = Session.objects.filter(token_sha256=sha256_of_text(token)).first()
    if known is not None:
        return Enrolment(participant=known.participant, token=token)
    now = timezone.now()
    ConsentText.objects.get_or_create(
        study=study, sha256=consent_sha256, defaults={"text": study.consent}
    )
    first_block = study.blocks.order_by("position").values_list("position", flat=True).first()
    participant = Participant.objects.create(
        study=study,
        kind=kind,
        at_block=first_block or 1,
        seed=secrets.randbits(63) if seed is None else seed,
        consent_sha256=consent_sha256,
        environment=environment or {},
        consented_at=now,
        last_active_at=now,
    )
    open_session(participant, token)
    record_event(
        study=study,
        participant=participant,
        kind="participant_consented",
        data={"consent_sha256": consent_sha256, "kind": kind},
    )
    return Enrolment(participant=participant, token=token)


def open_session(participant: Participant, token: str) -> Session:
    """Let whoever holds `token` go on as `participant`, on this device as well."""
    lasts_until = participant.consented_at + timedelta(days=participant.study.session_days)
    return Session.objects.create(
        participant=participant, token_sha256=sha256_of_text(token), expires_at=lasts_until
    )


def session_by_token(*, slug: str, token: str, lock: bool = False) -> Session:
    """The session in the study `slug` that `token` opens, with its participant and study.

    With `lock` the participant's row is locked: their own requests queue, nobody else's do.
    DomainError where the token is forged or has expired.
    """
    sessions = Session.objects.select_related("participant__study")
    if lock:
        sessions = sessions.select_for_update(of=("participant",))
    session = sessions.filter(
        token_sha256=sha256_of_text(token), participant__study__slug=slug
    ).first()
    if session is None:
        raise DomainError(
            "unknown_token",
            _(
                "We could not recognise your session in this study. Nothing was changed; "
                "please begin on the first page."
            ),
        )
    if session.expires_at <= timezone.now():
        days = session.participant.study.session_days
        raise DomainError(
            "expired_token",
            ngettext(
                "Your session ended after %(days)d day. What you answered before is kept, but "
                "it can no longer be continued.",
                "Your session ended after %(days)d days. What you answered before is kept, but "
                "it can no longer be continued.",
                days,
            )
            % {"days": days},
        )
    return session


def participant_by_token(*, study: Study, token: str) -> Participant:
    """The participant of `study` who holds `token`; DomainError where it is forged or expired."""
    return session_by_token(slug=study.slug, token=token).participant
