"""Rating: the page of a trial, and answers by form."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils import translation
from django.utils.html import json_script
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from studies import queries
from studies.errors import DomainError
from studies.models import Participant, ReturnPolicy, Trial, TrialState
from studies.models.fields import PUBLIC_ID
from studies.services import slots
from studies.services.blocks import come_back
from studies.services.enrolment import require_running
from studies.services.evidence import evidence_from_text
from studies.services.responses import Submission, record_answers
from studies.services.usual_answers import record_usual_answer
from studies.views.participant.access import (
    cookie_name,
    here,
    never_kept,
    participant_page,
    standing_of,
    to_here,
)
from studies.views.participant.presenting import (
    asked_context,
    described,
    queue,
    sent_answers,
    submission_key,
)
from studies.views.participant.skeletons import usual_page


@require_http_methods(["GET", "POST"])
def trial(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The next trial, or the answer to it; what most do costs little, the rest is below."""
    if request.method == "POST":
        token = request.COOKIES.get(cookie_name(slug), "")
        submission = sent_form(request)
        _where, stored = record_usual_answer(slug=slug, token=token, submission=submission)
        if not stored:
            return any_trial(request, slug)
        return never_kept(HttpResponseRedirect(request.path, status=303))
    standing = standing_of(request, slug)
    if standing is None or request.GET or not standing.is_rating:
        return any_trial(request, slug)
    if standing.may_be_too_late or standing.look.allow_changes:
        return any_trial(request, slug)
    with translation.override(standing.look.language):
        return never_kept(HttpResponse(usual_page(request, standing)))


@participant_page
def any_trial(request: HttpRequest, participant: Participant) -> HttpResponse:
    if request.method == "POST":
        return take_form(request, participant)
    if here(participant) != "participant:trial":
        return to_here(participant)
    require_running(participant.study)
    slots_gone = participant.study.after_silence == ReturnPolicy.BLOCK and slots.is_silent(
        participant
    )
    upcoming = queries.upcoming_trials(participant)
    if slots_gone or not upcoming:
        context = {
            "study": participant.study,
            "participant": participant,
            "too_late": slots_gone,
        }
        return render(request, "participant/welcome_back.html", context)
    asked_for = request.GET.get("change")
    if asked_for and participant.study.allow_changes:
        return change_page(request, participant, asked_for)
    return trial_page(request, participant, upcoming)


def sent_form(request: HttpRequest) -> Submission:
    return Submission(
        trial=request.POST.get("trial", ""),
        answers=sent_answers(request.POST.dict()),
        key=submission_key(request.POST.get("key")),
        response_time_ms=request.POST.get("response_time_ms"),
        evidence=evidence_from_text(request.POST.get("evidence", "")),
        replaces=bool(request.POST.get("replaces")),
    )


def take_form(request: HttpRequest, participant: Participant) -> HttpResponse:
    if request.POST.get("come_back"):
        return to_here(come_back(participant=participant))
    submission = sent_form(request)
    try:
        recorded = record_answers(participant=participant, submission=submission)
    except DomainError as error:
        if error.code == "bad_answer":
            return asked_again(request, participant, submission, error.fields)
        if error.code != "not_current":
            raise
        return to_here(participant)
    return to_here(recorded.participant)


def asked_again(
    request: HttpRequest, participant: Participant, submission: Submission, wrong: dict[str, str]
) -> HttpResponse:
    """The very trial whose answers were not allowed, with what was chosen and what is wrong."""
    if submission.replaces:
        sent = dict(submission.answers)
        return change_page(request, participant, submission.trial, sent=sent, wrong=wrong)
    upcoming = queries.upcoming_trials(participant)
    if not upcoming or upcoming[0].public_id != submission.trial:
        return to_here(participant)
    return trial_page(request, participant, upcoming, wrong=wrong)


def trial_page(
    request: HttpRequest,
    participant: Participant,
    upcoming: list[Trial],
    *,
    wrong: dict[str, str] | None = None,
) -> HttpResponse:
    """The next trial; with `wrong`, the one just sent, with what was chosen and what is wrong."""
    study = participant.study
    if not upcoming:
        raise DomainError("no_trial", _("There is no image left for you to rate."))
    sent = sent_answers(request.POST.dict()) if wrong else None
    where = queue(participant, upcoming)
    context = {
        "study": study,
        "participant": participant,
        "queue": where,
        "now": where["trials"][0],
        "number": where["done"] + 1,
        "key": uuid.uuid4(),
        "trials": json_script(where, "trials"),
        "previous": study.allow_changes and last_completed(participant),
        **asked_context(study, queries.protocol(study), sent=sent, wrong=wrong),
    }
    return render(request, "participant/trial.html", context, status=422 if wrong else 200)


def last_completed(participant: Participant) -> str:
    """The public id of the trial that was completed last, or nothing."""
    done = participant.trials.filter(state=TrialState.COMPLETED).order_by("-position")
    return done.values_list("public_id", flat=True).first() or ""


def change_page(
    request: HttpRequest,
    participant: Participant,
    trial_id: str,
    *,
    sent: dict[str, str] | None = None,
    wrong: dict[str, str] | None = None,
) -> HttpResponse:
    """A trial that is done, with its answers or those just `sent`, to be changed."""
    study = participant.study
    if not PUBLIC_ID.fullmatch(trial_id):
        raise Http404
    done = (
        participant.trials.filter(state=TrialState.COMPLETED, public_id=trial_id)
        .select_related("study_image__image", "check_asked")
        .first()
    )
    if done is None:
        raise Http404
    sent = sent or fields_of(done)
    context = {
        "study": study,
        "queue": None,
        "now": described(done, study.slug),
        "number": participant.trials.filter(
            position__lte=done.position, state=TrialState.COMPLETED
        ).count(),
        "key": uuid.uuid4(),
        "changing": True,
        **asked_context(study, queries.protocol(study), sent=sent, wrong=wrong),
    }
    return render(request, "participant/trial.html", context, status=422 if wrong else 200)


def fields_of(trial: Trial) -> dict[str, str]:
    """The answers to a trial as its form would send them."""
    sent: dict[str, str] = {}
    for response in trial.responses.select_related("question"):
        key, value = response.question.key, response.value
        if isinstance(value, dict):
            sent |= {f"{key}.{part}": str(each) for part, each in value.items()}
        elif isinstance(value, list):
            sent |= {f"{key}.{rank}": str(place) for rank, place in enumerate(value, start=1)}
        else:
            sent[key] = str(value)
    return sent
