"""Studies: the list, and one study's overview, images and participants."""

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from studies import queries
from studies.errors import DomainError
from studies.models import ParticipantKind, ParticipantState, Study, StudyState
from studies.questions import question_type
from studies.services import lifecycle
from studies.views import access
from studies.views.workspace.pages import MemberRequest, page_of, sorted_by_request, workspace_page

IMAGES_PER_PAGE = 50
PARTICIPANTS_PER_PAGE = 50
HEAT_LEVELS = 5

IMAGE_COLUMNS = {
    "process": ("Process", "image__process", False),
    "stratum": ("Stratum", "stratum", False),
    "size": ("Subset size", "size", True),
    "score": ("Score", "score", True),
    "group": ("In group", "in_group", True),
    "people": ("By people", "n_people", True),
    "simulated": ("Simulated", "n_simulated", True),
}
PARTICIPANT_COLUMNS = {
    "kind": ("Kind", "kind", False),
    "state": ("State", "state", False),
    "rated": ("Rated", "n_completed", True),
    "started": ("Started", "started_at", True),
    "duration": ("Duration", "duration", True),
}
KIND_WORDS = {
    ParticipantKind.PERSON: "People",
    ParticipantKind.PILOT: "Pilot",
    ParticipantKind.SIMULATED: "Simulated",
}
DONE_WORDS = {
    "launch": "The study is running. Its link is open to participants.",
    "pause": "The study is paused. Nobody can answer until it is resumed.",
    "resume": "The study is running again.",
    "close": "The study is closed. Every answer is kept.",
}


@require_GET
@workspace_page
def studies(request: HttpRequest) -> HttpResponse:
    rows = queries.with_participant_counts(access.visible(request.user, Study.objects.all()))
    page = page_of(request, rows.select_related("workspace").order_by("-created_at", "pk"), 50)
    return render(request, "workspace/studies.html", {"section": "studies", "page": page})


def study_context(request: HttpRequest, study: Study, tab: str) -> dict[str, Any]:
    """What the head of every page of a study shows."""
    return {
        "section": "studies",
        "tab": tab,
        "study": study,
        "may_edit": access.may(request.user, "edit", study.workspace),
        "missing": lifecycle.missing_for_launch(study) if study.state == StudyState.DRAFT else [],
    }


@require_GET
@workspace_page
def study(request: HttpRequest, slug: str) -> HttpResponse:
    row = access.get_study(request.user, slug)
    flow = queries.participant_flow(row)
    images: QuerySet[Any] = queries.study_images(row).order_by("stratum", "pk")
    counts = list(images.values_list("stratum", "n_people", "n_simulated"))
    heats = [
        heat
        for heat in (
            heat_of("people", ((stratum, n) for stratum, n, _ in counts)),
            heat_of("simulated raters", ((stratum, n) for stratum, _, n in counts)),
        )
        if heat.n_ratings or heat.raters == "people"
    ]
    landing = reverse("participant:landing", args=[row.slug])
    context = study_context(request, row, "overview") | {
        "flow": flow_rows(flow),
        "states": ParticipantState.labels,
        "n_under_way": under_way(flow),
        "heats": heats,
        "n_images": len(counts),
        "questions": [
            (question, question_type(question.kind).choices(question.options))
            for question in row.questions.all()
        ],
        "link": request.build_absolute_uri(landing),
        "confirming": request.GET.get("confirm") == "close",
    }
    return render(request, "workspace/study.html", context)


def flow_rows(flow: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    """Participants by kind for the table: people always, other kinds where there are any."""
    return [
        {"label": label, "kind": kind, "counts": flow[kind].values(), "n": sum(flow[kind].values())}
        for kind, label in KIND_WORDS.items()
        if kind == ParticipantKind.PERSON or any(flow[kind].values())
    ]


def under_way(flow: dict[str, dict[str, int]]) -> int:
    """How many participants have begun and not ended, of whatever kind."""
    open_states = (ParticipantState.CONSENTED, ParticipantState.ACTIVE)
    return sum(counts[state] for counts in flow.values() for state in open_states)


@dataclass(frozen=True)
class Heat:
    """How evenly the images were rated: one cell per image, by stratum."""

    raters: str
    strata: list[tuple[str, list[tuple[int, int]]]]  # (stratum, [(ratings, level), …])
    n_ratings: int
    fewest: int
    median: float
    most: int


def heat_of(raters: str, counts: Iterable[tuple[str, int]]) -> Heat:
    """Cells by stratum, each with its ratings and a level from 0 (none) to HEAT_LEVELS."""
    by_stratum: dict[str, list[int]] = {}
    for stratum, n in counts:
        by_stratum.setdefault(stratum, []).append(n)
    every = [n for cells in by_stratum.values() for n in cells]
    most = max(every, default=0)
    return Heat(
        raters=raters,
        strata=[
            (stratum, [(n, math.ceil(HEAT_LEVELS * n / most) if n else 0) for n in cells])
            for stratum, cells in by_stratum.items()
        ],
        n_ratings=sum(every),
        fewest=min(every, default=0),
        median=statistics.median(every) if every else 0,
        most=most,
    )


@require_GET
@workspace_page
def study_images(request: HttpRequest, slug: str) -> HttpResponse:
    row = access.get_study(request.user, slug)
    rows, columns = sorted_by_request(
        request, queries.study_images(row).order_by("pk"), IMAGE_COLUMNS
    )
    context = study_context(request, row, "images") | {
        "page": page_of(request, rows, IMAGES_PER_PAGE),
        "columns": columns,
    }
    return render(request, "workspace/study_images.html", context)


@require_GET
@workspace_page
def study_participants(request: HttpRequest, slug: str) -> HttpResponse:
    row = access.get_study(request.user, slug)
    rows, columns = sorted_by_request(
        request, queries.participants_with_progress(row), PARTICIPANT_COLUMNS
    )
    context = study_context(request, row, "participants") | {
        "page": page_of(request, rows, PARTICIPANTS_PER_PAGE),
        "columns": columns,
    }
    return render(request, "workspace/study_participants.html", context)


@require_POST
@workspace_page
def change_state(request: MemberRequest, slug: str) -> HttpResponse:
    row = access.get_study(request.user, slug, "edit")
    act = request.POST.get("act", "")
    try:
        lifecycle.change_state(study=row, act=act, actor=request.user)
    except DomainError as error:
        messages.error(request, f"Nothing was changed: {error.detail}.")
    else:
        messages.success(request, DONE_WORDS[act])
    response = redirect("workspace:study", row.slug)
    response.status_code = 303
    return response
