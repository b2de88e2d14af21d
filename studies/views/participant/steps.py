"""The blocks between consent and debrief that are not trials, and the way out."""

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from studies import queries
from studies.errors import DomainError
from studies.models import (
    Block,
    BlockKind,
    Participant,
    ParticipantKind,
    ParticipantState,
    TrialRole,
)
from studies.services import enrolment
from studies.services.blocks import complete_block, n_attempts
from studies.services.leaving import withdraw_participant
from studies.views.participant.access import here, participant_page, to_here
from studies.views.participant.arrivals import kept_for_exit
from studies.views.participant.exits import leaving_context
from studies.views.participant.presenting import (
    asked,
    assets,
    described,
    question_html,
    sent_answers,
)

TEMPLATES = {
    BlockKind.INSTRUCTIONS: "participant/instructions.html",
    BlockKind.GALLERY: "participant/gallery.html",
    BlockKind.COMPREHENSION: "participant/items.html",
    BlockKind.QUESTIONNAIRE: "participant/items.html",
}


@require_http_methods(["GET", "POST"])
@participant_page
def step(request: HttpRequest, participant: Participant) -> HttpResponse:
    if here(participant) != "participant:step":
        return to_here(participant)
    block = queries.protocol(participant.study).block(participant.at_block)
    if block is None:
        raise DomainError("no_block", _("This study has no such page."))
    if request.method == "GET":
        enrolment.require_running(participant.study)
        return block_page(request, participant, block)
    try:
        participant = complete_block(
            participant=participant,
            position=whole_number(request.POST.get("block")),
            attempt=whole_number(request.POST.get("attempt")),
            answers=sent_answers(request.POST.dict()),
        )
    except DomainError as error:
        if error.code != "bad_answer":
            raise
        sent = sent_answers(request.POST.dict())
        return block_page(request, participant, block, sent=sent, wrong=error.fields)
    return to_here(participant)


def whole_number(text: str | None) -> int:
    """A number that a form sends back; 0 where it is missing or none."""
    text = text or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def block_page(
    request: HttpRequest,
    participant: Participant,
    block: Block,
    *,
    sent: dict[str, str] | None = None,
    wrong: dict[str, str] | None = None,
) -> HttpResponse:
    study = participant.study
    items = list(block.items.all())
    following = queries.protocol(study).after(block.position)
    tried = n_attempts(participant, block) if items else 0
    context = {
        "study": study,
        "part": block,
        "again": block.kind == BlockKind.COMPREHENSION and tried > 0,
        "attempt": tried + 1,
        "questions": question_html(asked(items, sent=sent, wrong=wrong, number_keys=False)),
        # The button that reserves images says so.
        "starts": following.kind
        if following and not queries.comes_before_images(following)
        else "",
        "last": following is None,
        **assets(items),
    }
    if block.kind == BlockKind.GALLERY:
        context["images"] = gallery(participant)
    return render(request, TEMPLATES[BlockKind(block.kind)], context, status=422 if wrong else 200)


def gallery(participant: Participant) -> list[dict]:
    """Every image that the participant will rate, once, in an order of their own."""
    trials = list(
        participant.trials.filter(role=TrialRole.MAIN)
        .select_related("study_image__image", "check_asked")
        .prefetch_related("images__study_image__image")
        .order_by("position")
    )
    shown: dict[int, dict] = {}
    for trial in trials:
        images = described(trial, participant.study.slug)["images"]
        if trial.study_image_id is not None:
            shown.setdefault(trial.study_image_id, images[0])
        else:
            for each, image in zip(trial.images.all(), images, strict=True):
                shown.setdefault(each.study_image_id, image)
    # Another order than that of the ratings, so that the sheet does not give it away.
    order = np.random.default_rng([participant.seed, 1]).permutation(len(shown))
    images = list(shown.values())
    return [images[i] for i in order]


@require_http_methods(["GET", "POST"])
@participant_page
def stop(request: HttpRequest, participant: Participant) -> HttpResponse:
    if participant.ended_at is not None:
        return to_here(participant)
    if request.method == "POST":
        return to_here(withdraw_participant(participant=participant))
    context = {
        "study": participant.study,
        "participant": participant,
        "n_done": queries.n_completed_trials(participant),
        "here": reverse(here(participant), args=[participant.study.slug]),
    }
    return render(request, "participant/stop.html", context)


@require_GET
@participant_page
def debrief(request: HttpRequest, participant: Participant) -> HttpResponse:
    if participant.ended_at is None:
        return to_here(participant)
    study = participant.study
    context = {
        "study": study,
        "participant": participant,
        "finished": participant.state == ParticipantState.FINISHED,
        "n_done": queries.n_completed_trials(participant),
        **leaving_context(study, participant.outcome, kept_for_exit(request, study)),
    }
    if participant.kind == ParticipantKind.PILOT:
        # Nobody waits for a pilot at the recruitment service.
        context |= {"way_back": None, "back_by_tab": False}
    return render(request, "participant/debrief.html", context)
