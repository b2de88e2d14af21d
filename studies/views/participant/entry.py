"""Coming in: the first page, consent, coming back, and leaving before anything is stored."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from csp.constants import SELF
from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language_info, gettext_lazy
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_GET, require_http_methods

from studies.errors import DomainError
from studies.models import EntryService, Outcome, ParticipantKind, Study, StudyState
from studies.services import enrolment
from studies.services.recruitment import MTURK_SUBMIT, SERVICES
from studies.services.screening import (
    Environment,
    missing_here,
    parse_environment,
    screen_visitor,
)
from studies.views.errors import error_page
from studies.views.participant.access import here, set_session_cookie, study_page, to_here
from studies.views.participant.arrivals import Visit, keep_for_exit, visit_by_form, visit_by_link
from studies.views.participant.exits import handing_in, leaving_context

# What a link can lack, as a page: status and heading.
TURNED_BACK = {
    "arrival_incomplete": (400, gettext_lazy("This link is not complete")),
    "unknown_invitation": (404, gettext_lazy("Invitation not recognised")),
    "unknown_form": (403, gettext_lazy("This page was not recognised")),
    "pilot_link": (403, gettext_lazy("This pilot link does not work")),
}

# Mechanical Turk shows a task in a frame of its own pages, and takes the assignment back by a
# form from inside that frame; the marketplace goes on from there to its workers' site.
MTURK_FRAMES = ["https://*.mturk.com"]
MTURK_FORMS = [SELF, *MTURK_SUBMIT, "https://worker.mturk.com"]

Page = Callable[[HttpRequest], HttpResponseBase]


def framable(page: Page) -> Page:
    """Let Mechanical Turk show `page` in its frame; only a page that stores nothing may be."""
    directives = {"frame-ancestors": MTURK_FRAMES, "form-action": MTURK_FORMS}
    return csp_replace(directives)(xframe_options_exempt(page))


def entry_page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A page of a study for whoever may come in; a link that is not good becomes a page."""

    @wraps(view)
    def wrapper(request: HttpRequest, study: Study, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, study, **kwargs)
        except DomainError as error:
            if error.code not in TURNED_BACK:
                raise
            return turned_back(request, study, error)

    return study_page(wrapper)


def turned_back(request: HttpRequest, study: Study, error: DomainError) -> HttpResponseBase:
    status, heading = TURNED_BACK[error.code]

    def page(request: HttpRequest) -> HttpResponseBase:
        return error_page(request, status=status, heading=str(heading), detail=error.detail)

    return (framable(page) if study.entry == EntryService.MTURK else page)(request)


@require_GET
@entry_page
def landing(request: HttpRequest, study: Study) -> HttpResponseBase:
    visit = visit_by_link(request, study)
    known = visit.known
    over = known is not None and known.ended_at is not None
    closed = ""
    if study.state != StudyState.RUNNING and not over:
        closed = str(enrolment.CLOSED_TO_ANSWERS[StudyState(study.state)][1])
    context = {
        "study": study,
        "visit": visit,
        "over": over,
        "here": onward(visit),
        "closed": closed,
        "identified": bool(SERVICES[study.entry].person),
        "invited": study.entry == EntryService.SINGLE_USE,
        "service": study.get_entry_display(),
        "pilot": is_pilot(visit),
    }
    if study.entry != EntryService.MTURK or visit.pilot:
        return render(request, "participant/landing.html", context)
    context["framed"] = True
    context["hand_in"] = known and handing_in(study, known, visit.arrival)
    return framable(lambda request: render(request, "participant/landing.html", context))(request)


def onward(visit: Visit) -> str:
    """Where the first page's button leads."""
    if visit.participant is not None:
        return reverse(here(visit.participant), args=[visit.study.slug])
    return visit.address("rejoin" if visit.elsewhere else "consent")


def is_pilot(visit: Visit) -> bool:
    """Whether the page says that this is a pilot: by the link, or by who has begun."""
    participant = visit.participant
    return bool(visit.pilot) or (
        participant is not None and participant.kind == ParticipantKind.PILOT
    )


@require_http_methods(["GET", "POST"])
@entry_page
def consent(request: HttpRequest, study: Study) -> HttpResponse:
    if request.method == "GET":
        visit = visit_by_link(request, study)
        if visit.participant is not None:
            return to_here(visit.participant)
        if visit.preview or visit.elsewhere is not None:
            return redirect(visit.address("rejoin" if visit.elsewhere else "landing"))
        enrolment.require_running(study)
        return consent_page(request, visit)
    try:
        return take_consent(request, study)
    except DomainError as error:
        if error.code not in ("consent_changed", "unknown_form", "not_measured"):
            raise
        return consent_page(request, visit_by_link(request, study), error.detail)


def consent_page(request: HttpRequest, visit: Visit, error: str = "") -> HttpResponse:
    context = {
        "study": visit.study,
        "visit": visit,
        "error": error,
        "enrolment": visit.signed(),
        "consent_sha256": enrolment.sha256_of_text(visit.study.consent),
        "declined": visit.address("declined"),
        "pilot": is_pilot(visit),
    }
    return render(request, "participant/consent.html", context, status=409 if error else 200)


def take_consent(request: HttpRequest, study: Study) -> HttpResponse:
    """Let somebody in who agreed, unless what they have in front of them keeps them out."""
    token, visit = visit_by_form(request, study)
    if visit.participant is not None:
        return to_here(visit.participant)
    enrolment.require_running(study)
    environment = parse_environment(request.POST.dict())
    if visit.elsewhere is not None:
        if reasons := missing_to_go_on(visit, environment):
            return rejoin_page(request, visit, reasons=reasons)
    elif reasons := screen_visitor(study=study, environment=environment, kind=visit.kind):
        return screened_out(request, visit, reasons)
    enrolled = enrolment.enrol_participant(
        study=study,
        consent_sha256=request.POST.get("consent_sha256", ""),
        token=token,
        kind=visit.kind,
        environment=environment.kept() if environment else {},
        arrival=visit.arrival,
    )
    return let_in(request, visit, enrolled)


def let_in(request: HttpRequest, visit: Visit, enrolled: enrolment.Enrolment) -> HttpResponse:
    response = to_here(enrolled.participant)
    set_session_cookie(request, response, visit.study, enrolled.token)
    keep_for_exit(request, response, visit.study, visit.arrival)
    return response


def screened_out(request: HttpRequest, visit: Visit, reasons: list[str]) -> HttpResponse:
    study = visit.study
    context = {
        "study": study,
        "again": visit.address("consent"),
        "pilot": is_pilot(visit),
        **needed(study, reasons),
        **leaving_context(study, Outcome.SCREENED_OUT, visit.arrival),
    }
    return render(request, "participant/screened_out.html", context)


def needed(study: Study, reasons: list[str]) -> dict[str, Any]:
    """What `study` needs, for the page that says which of it is missing."""
    return {
        "reasons": reasons,
        "min_width_px": study.screening.get("min_width_px"),
        "devices": study.screening.get("devices", []),
        "languages": [name_of(tag) for tag in study.screening.get("languages", [])],
    }


def name_of(tag: str) -> str:
    """The language `tag` in the words of the page; the tag itself where it is not known."""
    try:
        return str(get_language_info(tag.lower())["name_translated"])
    except KeyError:
        return tag


@require_http_methods(["GET", "POST"])
@entry_page
def rejoin(request: HttpRequest, study: Study) -> HttpResponse:
    """Going on in another browser; like every session, it begins with a button."""
    if request.method == "GET":
        token, visit = "", visit_by_link(request, study)
    else:
        token, visit = visit_by_form(request, study)
    if visit.participant is not None:
        return to_here(visit.participant)
    if visit.elsewhere is None or visit.arrival is None:
        return redirect(visit.address("landing"))
    if request.method == "GET":
        return rejoin_page(request, visit)
    try:
        reasons = missing_to_go_on(visit, parse_environment(request.POST.dict()))
    except DomainError as error:
        return rejoin_page(request, visit, error=error.detail)
    if reasons:
        return rejoin_page(request, visit, reasons=reasons)
    enrolled = enrolment.rejoin_participant(study=study, arrival=visit.arrival, token=token)
    return let_in(request, visit, enrolled)


def missing_to_go_on(visit: Visit, environment: Environment | None) -> list[str]:
    """What somebody known lacks in this browser; nothing is needed to see the last page."""
    if visit.elsewhere is None or visit.elsewhere.ended_at is not None:
        return []
    return missing_here(visit.study, environment)


def rejoin_page(
    request: HttpRequest, visit: Visit, *, reasons: Sequence[str] = (), error: str = ""
) -> HttpResponse:
    """Who lacks something here is not turned away: they can go on where they began."""
    context = {
        "study": visit.study,
        "enrolment": visit.signed(),
        "over": visit.elsewhere is not None and visit.elsewhere.ended_at is not None,
        "error": error,
        **needed(visit.study, list(reasons)),
    }
    status = 409 if error else 200
    return render(request, "participant/rejoin.html", context, status=status)


@require_GET
@study_page
def declined(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        visit = visit_by_link(request, study)
    except DomainError:
        visit = Visit(study)
    context = {
        "study": study,
        "first_page": visit.address("landing"),
        "pilot": is_pilot(visit),
        **leaving_context(study, Outcome.NO_CONSENT, visit.arrival),
    }
    return render(request, "participant/declined.html", context)
