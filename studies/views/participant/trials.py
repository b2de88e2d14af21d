"""Rating: the page of a trial, answers by form and by script, the images."""

import json
import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from studies import queries
from studies.errors import DomainError
from studies.models import Participant, ReturnPolicy, Study, Trial, TrialState
from studies.services import slots
from studies.services.blocks import come_back
from studies.services.enrolment import require_running, session_by_token
from studies.services.evidence import evidence_from_text
from studies.services.responses import (
    Recorded,
    Submission,
    mark_unseen,
    record_answers,
    record_answers_by_token,
)
from studies.views.participant.access import (
    cookie_name,
    here,
    is_active,
    participant_page,
    status_of,
    to_here,
)
from studies.views.participant.presenting import (
    assets,
    described,
    queue,
    rating_questions_html,
    rows_below,
    sent_answers,
    shown_image,
)
from studies.views.pictures import picture

MAX_BODY = 100_000


def submission_key(raw: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(raw))
    except ValueError:
        return None


@require_http_methods(["GET", "POST"])
@participant_page
def trial(request: HttpRequest, participant: Participant) -> HttpResponse:
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


def take_form(request: HttpRequest, participant: Participant) -> HttpResponse:
    if request.POST.get("come_back"):
        return to_here(come_back(participant=participant))
    submission = Submission(
        trial=request.POST.get("trial", ""),
        answers=sent_answers(request.POST.dict()),
        key=submission_key(request.POST.get("key")),
        response_time_ms=request.POST.get("response_time_ms"),
        evidence=evidence_from_text(request.POST.get("evidence", "")),
        replaces=bool(request.POST.get("replaces")),
    )
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
    protocol = queries.protocol(study)
    sent = sent_answers(request.POST.dict()) if wrong else None
    where = queue(participant, upcoming)
    context = {
        "study": study,
        "participant": participant,
        "queue": where,
        "now": where["trials"][0],
        "number": where["done"] + 1,
        "key": uuid.uuid4(),
        "questions": rating_questions_html(study, sent=sent, wrong=wrong),
        "below": rows_below(study),
        "reference": shown_reference(study),
        "previous": study.allow_changes and last_completed(participant),
        **assets(protocol.questions),
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
    done = (
        participant.trials.filter(state=TrialState.COMPLETED, public_id=trial_id)
        .select_related("study_image__image", "check_asked")
        .first()
    )
    if done is None:
        raise Http404
    sent = sent or fields_of(done)
    protocol = queries.protocol(study)
    context = {
        "study": study,
        "queue": None,
        "now": described(done, study.slug),
        "number": participant.trials.filter(
            position__lte=done.position, state=TrialState.COMPLETED
        ).count(),
        "key": uuid.uuid4(),
        "changing": True,
        "questions": rating_questions_html(study, sent=sent, wrong=wrong),
        "below": rows_below(study),
        "reference": shown_reference(study),
        **assets(protocol.questions),
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


def shown_reference(study: Study) -> dict[str, Any] | None:
    reference = queries.protocol(study).reference
    if reference is None:
        return None
    return shown_image(reference, reverse("participant:reference", args=[study.slug]))


@require_POST
def answers(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Store the answer that a script sends, and tell of the trials that come next.

    The acknowledgement leaves after the transaction has been committed, never before.
    """
    token = request.COOKIES.get(cookie_name(slug))
    if token is None:
        return refused("unknown_token", 403, _("Your session was not recognised."))
    try:
        sent = json.loads(request.body) if len(request.body) <= MAX_BODY else None
    except ValueError:
        sent = None
    if not isinstance(sent, dict) or not isinstance(sent.get("answers", {}), dict):
        return refused("bad_request", 400, _("The answer could not be read. Nothing was stored."))
    try:
        recorded = stored(slug, token, sent)
    except DomainError as error:
        return refused(error.code, status_of(error), error.detail, error.fields)
    return JsonResponse(acknowledged(recorded, str(sent.get("trial", ""))))


def stored(slug: str, token: str, sent: dict[str, Any]) -> Recorded:
    if sent.get("unseen"):
        participant = session_by_token(slug=slug, token=token).participant
        return mark_unseen(participant=participant, trial_id=str(sent.get("trial", "")))
    submission = Submission(
        trial=str(sent.get("trial", "")),
        answers=sent.get("answers", {}),
        key=submission_key(sent.get("key")),
        response_time_ms=sent.get("response_time_ms"),
        evidence=sent.get("evidence"),
    )
    return record_answers_by_token(slug=slug, token=token, submission=submission)


def acknowledged(recorded: Recorded, trial_id: str) -> dict[str, Any]:
    participant = recorded.participant
    slug = participant.study.slug
    onward = here(participant)
    # A block that is over, or slots that were given back: the page itself says what comes.
    leave = onward != "participant:trial" or not recorded.upcoming
    where = queue(participant, [] if leave else recorded.upcoming)
    return {
        "saved": True,
        "trial": trial_id,
        **where,
        "go": reverse(onward, args=[slug]) if leave else None,
    }


def refused(
    code: str, status: int, detail: str, fields: dict[str, str] | None = None
) -> JsonResponse:
    return JsonResponse({"code": code, "detail": detail, "fields": fields or {}}, status=status)


def shown_trial(participant: Participant, trial_id: str) -> Trial:
    trials = Trial.objects.select_related("study_image__image")
    trial = trials.filter(participant=participant, public_id=trial_id).first()
    if trial is None:
        raise Http404
    return trial


@require_GET
@participant_page
def image(request: HttpRequest, participant: Participant, trial_id: str) -> HttpResponseBase:
    """The picture of one of the participant's own trials.

    The address is the trial's random id, another one for every participant, and the answer
    carries neither a file name nor anything else that tells where the image is from.
    """
    shown = shown_trial(participant, trial_id).study_image
    if shown is None:
        raise Http404
    return picture(shown.image)


@require_GET
@participant_page
def compared(
    request: HttpRequest, participant: Participant, trial_id: str, place: int
) -> HttpResponseBase:
    """One of several pictures of one of the participant's own trials, by its place."""
    shown = (
        shown_trial(participant, trial_id)
        .images.filter(place=place)
        .select_related("study_image__image")
        .first()
    )
    if shown is None:
        raise Http404
    return picture(shown.study_image.image)


@require_GET
@participant_page
def reference(request: HttpRequest, participant: Participant) -> HttpResponseBase:
    """The picture that stands beside each image, for those who are rating."""
    shown = queries.protocol(participant.study).reference
    if shown is None or not is_active(participant):
        raise Http404
    return picture(shown)
