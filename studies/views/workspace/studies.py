"""Studies: the list, and one study's overview and images."""

import secrets
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from studies import queries
from studies.errors import DomainError
from studies.models import (
    Outcome,
    ParticipantKind,
    ParticipantState,
    Study,
    StudyState,
    TrialState,
)
from studies.questions import n_images_together, question_type
from studies.services import lifecycle
from studies.views import access
from studies.views.workspace.coverage import heats_of
from studies.views.workspace.pages import MemberRequest, page_of, sorted_by_request, workspace_page

IMAGES_PER_PAGE = 50

IMAGE_COLUMNS = {
    "process": ("Process", "image__process", False),
    "stratum": ("Stratum", "stratum", False),
    "size": ("Subset size", "size", True),
    "score": ("Score", "score", True),
    "p": ("p", "pvalue", True),
    "group": ("In group", "in_group", True),
    "people": ("By people", "n_people", True),
    "pilot": ("Pilot", "n_pilot", True),
    "simulated": ("Simulated", "n_simulated", True),
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
        # So that “Export data”, pressed twice, exports once.
        "export_key": secrets.token_urlsafe(16),
    }


@require_GET
@workspace_page
def study(request: HttpRequest, slug: str) -> HttpResponse:
    row = access.get_study(request.user, slug)
    flow = queries.participant_flow(row)
    heats = heats_of(row, queries.coverage_by_stratum(row))
    questions = list(row.questions.all())
    landing = reverse("participant:landing", args=[row.slug])
    context = study_context(request, row, "overview") | {
        "flow": flow_rows(flow),
        "states": ParticipantState.labels,
        "ends": outcome_rows(queries.participant_outcomes(row)),
        "slots": slot_rows(queries.slots_by_state(row)),
        "n_under_way": under_way(flow),
        "heats": heats,
        "n_images": heats[0].n_images,
        "questions": [
            (question, question_type(question.kind).choices(question.options))
            for question in questions
        ],
        "comparing": n_images_together((each.kind, each.options) for each in questions) > 1,
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


def outcome_rows(outcomes: dict[str, dict[str, int]]) -> dict[str, Any]:
    """How taking part ended, by kind: a column for each outcome that has occurred."""
    seen = [(value, label) for value, label in Outcome.choices if any_has(outcomes, value)]
    return {
        "columns": [label for _, label in seen],
        "rows": [
            {
                "label": label,
                "kind": kind,
                "counts": [outcomes[kind].get(value, 0) for value, _ in seen],
                "n_excluded": outcomes[kind].get("is_excluded", 0),
            }
            for kind, label in KIND_WORDS.items()
            if any(value and n for value, n in outcomes[kind].items())
        ],
    }


def any_has(counts: dict[str, dict[str, int]], name: str) -> bool:
    return any(each.get(name) for each in counts.values())


def slot_rows(slots: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    """What became of the ratings that were assigned, by kind; kinds without any are left out."""
    return [
        {
            "label": label,
            "kind": kind,
            "counts": [slots[kind].get(state, 0) for state in TrialState.values],
        }
        for kind, label in KIND_WORDS.items()
        if slots[kind]
    ]


def under_way(flow: dict[str, dict[str, int]]) -> int:
    """How many participants have begun and not ended, of whatever kind."""
    open_states = (ParticipantState.CONSENTED, ParticipantState.ACTIVE)
    return sum(counts[state] for counts in flow.values() for state in open_states)


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
