"""Who is asking: the study of an address, and the participant whose token the browser holds."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext_lazy as _

from studies import queries
from studies.errors import DomainError
from studies.models import BlockKind, Participant, ParticipantState, Study, StudyState
from studies.services import enrolment
from studies.services.usual_answers import standing_by_token
from studies.views.errors import error_page

# What each broken rule is in HTTP, and the heading of its page.
REFUSALS = {
    "study_draft": (404, _("Not started yet")),
    "study_paused": (503, _("This study is paused")),
    "study_closed": (410, _("This study is closed")),
    "unknown_token": (403, _("Session not recognised")),
    "expired_token": (403, _("Session expired")),
    "not_your_trial": (403, _("Not your answer to give")),
    "withdrawn": (403, _("You have stopped taking part")),
    "turned_away": (403, _("Your session has ended")),
    "bad_answer": (422, _("Please check your answers")),
}

View = Callable[..., HttpResponseBase]
Response = TypeVar("Response", bound=HttpResponseBase)


def status_of(error: DomainError) -> int:
    return REFUSALS.get(error.code, (409, ""))[0]


def cookie_name(slug: str) -> str:
    return f"musescan_{slug}"


def set_session_cookie(
    request: HttpRequest, response: HttpResponse, study: Study, token: str
) -> None:
    response.set_cookie(
        cookie_name(study.slug),
        token,
        max_age=study.session_days * 86_400,
        path=f"/s/{study.slug}/",
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )


def refusal(request: HttpRequest, study: Study, error: DomainError) -> HttpResponse:
    heading = REFUSALS.get(error.code, (409, _("That did not work")))[1]
    return error_page(
        request, status=status_of(error), heading=str(heading), detail=error.detail, study=study
    )


def study_page(view: View) -> View:
    """Give the view its study, in whose language the page is; a draft is not there.

    A broken rule becomes a page.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, slug: str, **kwargs: Any) -> HttpResponseBase:
        study = get_object_or_404(Study.objects.exclude(state=StudyState.DRAFT), slug=slug)
        return in_study(request, study, lambda: view(request, study, **kwargs))

    return wrapper


def participant_page(view: View) -> View:
    """Give the view the participant whose token the browser holds; without one, to the start."""

    @wraps(view)
    def wrapper(request: HttpRequest, slug: str, **kwargs: Any) -> HttpResponseBase:
        token = request.COOKIES.get(cookie_name(slug))
        refused = None
        if token is not None:
            try:
                participant = enrolment.session_by_token(slug=slug, token=token).participant
            except DomainError as error:
                refused = error
            else:
                study = participant.study
                return in_study(request, study, lambda: view(request, participant, **kwargs))
        study = get_object_or_404(Study.objects.exclude(state=StudyState.DRAFT), slug=slug)
        if refused is None:
            return redirect("participant:landing", study.slug)
        return in_study(request, study, lambda: refusal(request, study, refused))

    return wrapper


def in_study(
    request: HttpRequest, study: Study, answer: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """What `answer` makes, in the language of `study`; a broken rule becomes a page."""
    with translation.override(study.language):
        try:
            response = answer()
        except DomainError as error:
            response = refusal(request, study, error)
    return response if response.has_header("Cache-Control") else never_kept(response)


def never_kept(response: Response) -> Response:
    """`response`, which no browser or proxy keeps: it is true at this moment, for one person."""
    add_never_cache_headers(response)
    return response


def standing_of(request: HttpRequest, slug: str) -> queries.Standing | None:
    """Where whoever holds the browser's token is; None without one, or where it is not known."""
    token = request.COOKIES.get(cookie_name(slug))
    return None if token is None else standing_by_token(slug=slug, token=token)


def known_participant(request: HttpRequest, study: Study) -> Participant | None:
    """The participant who came back, or None: the first page is open to anybody."""
    token = request.COOKIES.get(cookie_name(study.slug))
    if token is None:
        return None
    try:
        return enrolment.participant_by_token(study=study, token=token)
    except DomainError:
        return None


def here(participant: Participant) -> str:
    """The name of the page where the participant is."""
    if participant.ended_at is not None:
        return "participant:debrief"
    block = queries.protocol(participant.study).block(participant.at_block)
    if block is not None and block.kind in (BlockKind.PRACTICE, BlockKind.RATINGS):
        return "participant:trial"
    return "participant:step"


def to_here(participant: Participant) -> HttpResponse:
    response = redirect(here(participant), participant.study.slug)
    response.status_code = 303
    return response


def is_active(participant: Participant) -> bool:
    return participant.state == ParticipantState.ACTIVE
