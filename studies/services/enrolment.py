"""Coming in and coming back."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from studies.errors import DomainError
from studies.models import (
    ConsentText,
    EntryService,
    Participant,
    ParticipantKind,
    ParticipantState,
    Session,
    Study,
    StudyState,
)
from studies.services.hashes import new_token, sha256_of_text
from studies.services.identities import participant_of, remember, update_submission
from studies.services.leaving import locked
from studies.services.recruitment import Arrival
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


def require_arrival(study: Study, kind: str, arrival: Arrival | None) -> None:
    """DomainError where people must come from elsewhere to enter `study`, and this one did not."""
    wanted = kind == ParticipantKind.PERSON and study.entry != EntryService.OPEN
    if wanted != (arrival is not None) or (arrival and arrival.service != study.entry):
        raise DomainError(
            "arrival_incomplete",
            _("Please open this study from where you found it once more. Nothing was stored."),
        )


@transaction.atomic
def enrol_participant(
    *,
    study: Study,
    consent_sha256: str,
    token: str | None = None,
    kind: ParticipantKind = ParticipantKind.PERSON,
    seed: int | None = None,
    environment: dict[str, Any] | None = None,
    arrival: Arrival | None = None,
) -> Enrolment:
    """Record consent and make a participant; nothing is assigned yet.

    `consent_sha256` is the hash of the text that was shown: where the study's text is
    another by now, DomainError, because nobody agrees to what they did not read.

    One person is one participant, however many pages, tabs or devices they agree on:

    1. `token` is the one that was issued with the page; the same page sent twice finds the
       session that holds it.
    2. `arrival` names the person; one who is known comes back as who they were, with `token`
       for this browser. An invitation is locked while this is found out.
    3. Otherwise a participant, a session and an identity are made. The database holds a
       token's hash once, and a person once per study: of two that do this at once, one is
       refused there, undoes what it made, and finds the other by 1 or 2.
    """
    study = Study.objects.get(pk=study.pk)
    require_running(study)
    require_arrival(study, kind, arrival)
    if consent_sha256 != sha256_of_text(study.consent):
        raise DomainError(
            "consent_changed",
            _("The text has changed since this page was loaded. Please read it once more."),
        )
    token = token or new_token(kind)
    ConsentText.objects.get_or_create(
        study=study, sha256=consent_sha256, defaults={"text": study.consent}
    )
    known = recognise(study, token, arrival)
    if known is None:
        try:
            with transaction.atomic():
                known = make_participant(
                    study=study,
                    kind=kind,
                    seed=secrets.randbits(63) if seed is None else seed,
                    consent_sha256=consent_sha256,
                    environment=environment or {},
                    token=token,
                    arrival=arrival,
                )
        except IntegrityError:
            known = recognise(study, token, arrival)
            if known is None:
                raise
    return Enrolment(participant=known, token=token)


def recognise(study: Study, token: str, arrival: Arrival | None) -> Participant | None:
    """The participant who holds `token`, or whom `arrival` names, who then holds it too."""
    session = (
        Session.objects.select_related("participant")
        .filter(token_sha256=sha256_of_text(token), participant__study=study)
        .first()
    )
    if session is not None:
        session.participant.study = study
        return session.participant
    known = participant_of(study, arrival, lock=True) if arrival else None
    if known is not None and arrival is not None:
        known = let_back_in(known, arrival, token)
    return known


def make_participant(
    *, study: Study, token: str, arrival: Arrival | None, **fields: Any
) -> Participant:
    now = timezone.now()
    first_block = study.blocks.order_by("position").values_list("position", flat=True).first()
    participant = Participant.objects.create(
        study=study, at_block=first_block or 1, consented_at=now, last_active_at=now, **fields
    )
    open_session(participant, token)
    if arrival is not None:
        remember(participant, arrival)
    record_event(
        study=study,
        participant=participant,
        kind="participant_consented",
        data={"consent_sha256": participant.consent_sha256, "kind": participant.kind},
    )
    return participant


def let_back_in(participant: Participant, arrival: Arrival, token: str) -> Participant | None:
    """Open a session for somebody known, on another device or in another tab.

    None where what is known of them was erased since they were found.
    """
    participant = locked(participant)
    if participant.state == ParticipantState.ERASED:
        return None
    update_submission(participant, arrival)
    _session, opened = Session.objects.get_or_create(
        token_sha256=sha256_of_text(token),
        defaults={"participant": participant, "expires_at": session_end(participant)},
    )
    if opened:
        record_event(study=participant.study, participant=participant, kind="participant_rejoined")
    return participant


@transaction.atomic
def rejoin_participant(*, study: Study, arrival: Arrival, token: str) -> Enrolment:
    """Let somebody whom `arrival` names go on with `token`; DomainError where nobody is known."""
    participant = recognise(study, token, arrival)
    if participant is None:
        raise DomainError(
            "unknown_token",
            _(
                "We could not find that you have begun this study. Nothing was changed; please "
                "begin on the first page."
            ),
        )
    return Enrolment(participant=participant, token=token)


def session_end(participant: Participant) -> datetime:
    return participant.consented_at + timedelta(days=participant.study.session_days)


def open_session(participant: Participant, token: str) -> Session:
    """Let whoever holds `token` go on as `participant`, on this device as well."""
    return Session.objects.create(
        participant=participant,
        token_sha256=sha256_of_text(token),
        expires_at=session_end(participant),
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
