"""Coming in: the first page, consent, and leaving before anything is stored."""

from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from studies.errors import DomainError
from studies.models import Study, StudyState
from studies.services import enrolment
from studies.views.participant.access import (
    here,
    known_participant,
    set_session_cookie,
    study_page,
    to_here,
)


def signer(study: Study) -> Signer:
    return Signer(salt=f"enrolment in {study.slug}")


def issued_token(study: Study, signed: str) -> str:
    """The token that a consent page of `study` was issued with.

    The page carries it, so that the page sent twice enrols one participant.
    """
    try:
        return signer(study).unsign(signed)
    except BadSignature:
        raise DomainError(
            "consent_changed",
            _("This page could not be recognised. Please read it once more and try again."),
        ) from None


@require_GET
@study_page
def landing(request: HttpRequest, study: Study) -> HttpResponse:
    participant = known_participant(request, study)
    over = participant is not None and participant.ended_at is not None
    closed = ""
    if study.state != StudyState.RUNNING and not over:
        closed = str(enrolment.CLOSED_TO_ANSWERS[StudyState(study.state)][1])
    context = {
        "study": study,
        "participant": participant,
        "here": participant and reverse(here(participant), args=[study.slug]),
        "closed": closed,
    }
    return render(request, "participant/landing.html", context)


@require_http_methods(["GET", "POST"])
@study_page
def consent(request: HttpRequest, study: Study) -> HttpResponse:
    participant = known_participant(request, study)
    if participant is not None:
        return to_here(participant)
    enrolment.require_running(study)
    error = ""
    if request.method == "POST":
        try:
            enrolled = enrolment.enrol_participant(
                study=study,
                consent_sha256=request.POST.get("consent_sha256", ""),
                token=issued_token(study, request.POST.get("enrolment", "")),
            )
        except DomainError as refused:
            if refused.code != "consent_changed":
                raise
            error = refused.detail
        else:
            response = to_here(enrolled.participant)
            set_session_cookie(request, response, study, enrolled.token)
            return response
    context = {
        "study": study,
        "error": error,
        "enrolment": signer(study).sign(enrolment.new_token()),
        "consent_sha256": enrolment.sha256_of_text(study.consent),
    }
    return render(request, "participant/consent.html", context, status=409 if error else 200)


@require_GET
@study_page
def declined(request: HttpRequest, study: Study) -> HttpResponse:
    return render(request, "participant/declined.html", {"study": study})
