"""The pages of a participant: landing, consent, instructions, trials, debrief.

The server holds the cursor: whatever page is asked for, somebody is led to where they are,
so a reload, the back button or a second submission neither skips nor repeats anything.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.signing import BadSignature, Signer
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_GET, require_http_methods

from studies import queries
from studies.errors import DomainError
from studies.models import Participant, ParticipantState, Study, StudyState, Trial
from studies.questions import question_type
from studies.services import enrolment
from studies.services.assignment import assign_trials
from studies.services.responses import record_answers
from studies.views.errors import error_page
from studies.views.pictures import picture

# What each broken rule is in HTTP, and the heading of its page.
REFUSALS = {
    "study_draft": (404, "Not started yet"),
    "study_paused": (503, "This study is paused"),
    "study_closed": (410, "This study is closed"),
    "unknown_token": (403, "Session not recognised"),
    "expired_token": (403, "Session expired"),
    "not_your_trial": (403, "Not your answer to give"),
    "withdrawn": (403, "You have stopped taking part"),
}

# Images up to this many pixels wide are enlarged by whole multiples.
SMALL_PX = 160

# Pixels that a trial page needs besides the image: bars and Continue, then each question.
FRAME_PX, QUESTION_PX = 170, 122

# Before the key of a question in the names of a form's fields.
ANSWER = "answer-"

View = Callable[..., HttpResponseBase]


def cookie_name(study: Study) -> str:
    return f"musescan_{study.slug}"


def refusal(request: HttpRequest, study: Study, error: DomainError) -> HttpResponse:
    status, heading = REFUSALS.get(error.code, (409, "That did not work"))
    return error_page(request, status=status, heading=heading, detail=error.detail, study=study)


def study_page(view: View) -> View:
    """Give the view its study, and turn a broken rule into a page. A draft is not there."""

    @wraps(view)
    def wrapper(request: HttpRequest, slug: str, **kwargs: Any) -> HttpResponseBase:
        study = get_object_or_404(Study.objects.exclude(state=StudyState.DRAFT), slug=slug)
        try:
            response = view(request, study, **kwargs)
        except DomainError as error:
            response = refusal(request, study, error)
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response

    return wrapper


def participant_page(view: View) -> View:
    """Give the view the participant whose token the browser holds; without one, to the start."""

    @study_page
    @wraps(view)
    def wrapper(request: HttpRequest, study: Study, **kwargs: Any) -> HttpResponseBase:
        token = request.COOKIES.get(cookie_name(study))
        if token is None:
            return redirect("participant:landing", study.slug)
        participant = enrolment.participant_by_token(study=study, token=token)
        return view(request, participant, **kwargs)

    return wrapper


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
            "This page could not be recognised. Please read it once more and try again.",
        ) from None


def here(participant: Participant) -> str:
    """The name of the page where the participant is."""
    return {
        ParticipantState.CONSENTED: "participant:instructions",
        ParticipantState.ACTIVE: "participant:trial",
    }.get(ParticipantState(participant.state), "participant:debrief")


def to_here(participant: Participant) -> HttpResponse:
    response = redirect(here(participant), participant.study.slug)
    response.status_code = 303
    return response


def known_participant(request: HttpRequest, study: Study) -> Participant | None:
    """The participant who came back, or None: the first page is open to anybody."""
    token = request.COOKIES.get(cookie_name(study))
    if token is None:
        return None
    try:
        return enrolment.participant_by_token(study=study, token=token)
    except DomainError:
        return None


@require_GET
@study_page
def landing(request: HttpRequest, study: Study) -> HttpResponse:
    participant = known_participant(request, study)
    over = participant is not None and participant.ended_at is not None
    closed = ""
    if study.state != StudyState.RUNNING and not over:
        closed = enrolment.CLOSED_TO_ANSWERS[StudyState(study.state)][1]
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
            response.set_cookie(
                cookie_name(study),
                enrolled.token,
                max_age=study.session_days * 86_400,
                path=f"/s/{study.slug}/",
                secure=request.is_secure(),
                httponly=True,
                samesite="Lax",
            )
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


@require_http_methods(["GET", "POST"])
@participant_page
def instructions(request: HttpRequest, participant: Participant) -> HttpResponse:
    if participant.state != ParticipantState.CONSENTED:
        return to_here(participant)
    enrolment.require_running(participant.study)
    if request.method == "POST":
        assign_trials(participant=participant)
        return to_here(participant)
    return render(request, "participant/instructions.html", {"study": participant.study})


@require_http_methods(["GET", "POST"])
@participant_page
def trial(request: HttpRequest, participant: Participant) -> HttpResponse:
    if request.method == "POST":
        return take_answers(request, participant)
    if participant.state != ParticipantState.ACTIVE:
        return to_here(participant)
    enrolment.require_running(participant.study)
    return trial_page(request, participant)


def sent_answers(request: HttpRequest) -> dict[str, str]:
    """Answers by question key. A prefix keeps them apart from the form's own fields."""
    return {
        name.removeprefix(ANSWER): str(value)
        for name, value in request.POST.items()
        if name.startswith(ANSWER)
    }


def take_answers(request: HttpRequest, participant: Participant) -> HttpResponse:
    try:
        record_answers(
            participant=participant,
            trial_id=request.POST.get("trial", ""),
            answers=sent_answers(request),
            response_time_ms=request.POST.get("response_time_ms"),
        )
    except DomainError as error:
        if error.code == "bad_answer":
            return trial_page(request, participant, wrong=error.fields)
        if error.code != "not_current":
            raise
    participant.refresh_from_db()
    return to_here(participant)


def trial_page(
    request: HttpRequest, participant: Participant, *, wrong: dict[str, str] | None = None
) -> HttpResponse:
    """The next trial; with `wrong`, the one just sent, with what was chosen and what is wrong."""
    study = participant.study
    step = queries.next_step(participant)
    if step is None:
        raise DomainError("no_trial", "There is no image left for you to rate.")
    wrong = wrong or {}
    sent = sent_answers(request) if wrong else {}
    items = []
    for question in study.questions.all():
        kind = question_type(question.kind)
        items.append(
            {
                "question": question,
                "template": kind.template,
                "choices": kind.choices(question.options),
                "name": f"{ANSWER}{question.key}",
                "selected": sent.get(question.key, ""),
                "error": wrong.get(question.key, ""),
            }
        )
    image = step.trial.study_image.image
    context = {
        "study": study,
        "step": step,
        "number": step.n_done + 1,
        "image": image,
        "small": image.width <= SMALL_PX,
        "below": FRAME_PX + QUESTION_PX * len(items),
        "questions": items,
    }
    return render(request, "participant/trial.html", context, status=422 if wrong else 200)


@require_http_methods(["GET", "POST"])
@participant_page
def stop(request: HttpRequest, participant: Participant) -> HttpResponse:
    if participant.ended_at is not None:
        return to_here(participant)
    if request.method == "POST":
        enrolment.withdraw_participant(participant=participant)
        return to_here(participant)
    context = {
        "study": participant.study,
        "n_done": queries.n_completed_trials(participant),
        "here": reverse(here(participant), args=[participant.study.slug]),
    }
    return render(request, "participant/stop.html", context)


@require_GET
@participant_page
def debrief(request: HttpRequest, participant: Participant) -> HttpResponse:
    if participant.ended_at is None:
        return to_here(participant)
    context = {
        "study": participant.study,
        "participant": participant,
        "finished": participant.state == ParticipantState.FINISHED,
        "n_done": queries.n_completed_trials(participant),
    }
    return render(request, "participant/debrief.html", context)


@require_GET
@participant_page
def image(request: HttpRequest, participant: Participant, trial_id: str) -> HttpResponseBase:
    """The picture of one of the participant's own trials.

    The address is the trial's random id, another one for every participant, and the answer
    carries neither a file name nor anything else that tells where the image is from.
    """
    trial = (
        Trial.objects.filter(participant=participant, public_id=trial_id)
        .select_related("study_image__image")
        .first()
    )
    if trial is None:
        raise Http404
    return picture(trial.study_image.image)
