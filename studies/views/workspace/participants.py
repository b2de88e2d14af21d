"""Participants of a study: the list with its marks, one participant's record, decisions."""

from dataclasses import dataclass, replace

from django.contrib import messages
from django.core.paginator import Page
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from studies import queries
from studies.errors import DomainError
from studies.models import (
    Participant,
    ParticipantKind,
    ParticipantState,
    Study,
    TrialRole,
    TrialState,
    Verdict,
)
from studies.quality import Finding
from studies.services.decisions import decide as decide_service
from studies.services.quality import judge
from studies.views import access
from studies.views.workspace.pages import (
    MemberRequest,
    page_of,
    sort_key,
    sorted_by_request,
    workspace_page,
)
from studies.views.workspace.record import answered_blocks, told_events, told_trials
from studies.views.workspace.studies import study_context

PER_PAGE = 50
TRIALS_PER_PAGE = 60

COLUMNS = {
    "kind": ("Kind", "kind", False),
    "state": ("State", "state", False),
    "outcome": ("Outcome", "outcome", False),
    "marks": ("Marks", None, True),
    "decision": ("Decision", "verdict", False),
    "rated": ("Rated", "n_completed", True),
    "started": ("Started", "started_at", True),
    "duration": ("Duration", "duration", True),
}
UNDECIDED = Q(verdict=None) | Q(verdict=Verdict.UNDECIDED)
DECISIONS = {
    "none": ("Not decided", UNDECIDED),
    "approved": ("Approved", Q(verdict=Verdict.APPROVED)),
    "excluded": ("Excluded", Q(verdict=Verdict.EXCLUDED)),
}
MARKED = {"any": "Marked", "none": "Not marked"}
DECIDED_WORDS = {
    Verdict.APPROVED: "Approved.",
    Verdict.EXCLUDED: "Excluded. Analyses leave this participant out; no answer was deleted.",
    Verdict.UNDECIDED: "The decision was taken back.",
}


@dataclass(frozen=True)
class Filter:
    """A choice that narrows the list: its name in the address, its label, what can be chosen."""

    name: str
    label: str
    options: list[tuple[str, str]]
    chosen: str


def filters_of(request: HttpRequest) -> dict[str, Filter]:
    """The filters with what the query string chooses; what cannot be chosen is no choice."""
    choices = {
        "kind": ("Kind", list(ParticipantKind.choices)),
        "state": ("State", list(ParticipantState.choices)),
        "marks": ("Marks", list(MARKED.items())),
        "decision": ("Decision", [(name, words) for name, (words, _) in DECISIONS.items()]),
    }
    filters = {}
    for name, (label, options) in choices.items():
        given = request.GET.get(name, "")
        chosen = given if given in dict(options) else ""
        filters[name] = Filter(name, label, [(v, str(w)) for v, w in options], chosen)
    return filters


def narrowed(rows: QuerySet[Participant], filters: dict[str, Filter]) -> QuerySet[Participant]:
    """`rows` without those that the filters by kind, state and decision leave out."""
    for name in ("kind", "state"):
        if filters[name].chosen:
            rows = rows.filter(**{name: filters[name].chosen})
    if filters["decision"].chosen:
        rows = rows.filter(DECISIONS[filters["decision"].chosen][1])
    return rows


@dataclass(frozen=True)
class Row:
    """A participant on the list, with their marks."""

    participant: Participant
    marks: list[Finding]


@require_GET
@workspace_page
def participants(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.get_study(request.user, slug)
    filters = filters_of(request)
    everybody = queries.participants_with_progress(study)
    rows, columns = sorted_by_request(request, narrowed(everybody, filters), COLUMNS)
    context = study_context(request, study, "participants") | {
        # Most marks first, as with numbers, but set like words.
        "columns": [
            replace(column, numeric=False) if column.key == "marks" else column
            for column in columns
        ],
        "filters": filters.values(),
        "narrowed": any(each.chosen for each in filters.values()),
        "sort": request.GET.get("sort", ""),
        "rules_error": "",
    }
    try:
        page, shown = marked_page(request, study, rows, filters["marks"].chosen)
    except DomainError as error:
        # Without limits nobody can be marked; everything else is as it is.
        page = page_of(request, rows, PER_PAGE)
        shown = [Row(each, []) for each in page]
        context["rules_error"] = error.detail
    return render(request, "workspace/participants.html", context | {"page": page, "rows": shown})


def marked_page(
    request: HttpRequest, study: Study, rows: QuerySet[Participant], marked: str
) -> tuple[Page, list[Row]]:
    """The page asked for, each participant with their marks.

    Everybody is judged only where the list is narrowed or sorted by marks; else those shown.
    """
    key, downwards = sort_key(request)
    if not marked and key != "marks":
        page = page_of(request, rows, PER_PAGE)
        found = {
            each.pk: each.marks
            for each in judge(study=study, participants=[row.pk for row in page])
        }
        return page, [Row(each, found.get(each.pk, [])) for each in page]
    found = {each.pk: marks for each in judge(study=study) if (marks := each.marks)}
    keys = list(rows.values_list("pk", flat=True))
    if marked:
        keys = [pk for pk in keys if (pk in found) == (marked == "any")]
    if key == "marks":
        keys.sort(key=lambda pk: len(found.get(pk, [])), reverse=downwards)
    page = page_of(request, keys, PER_PAGE)
    people = {each.pk: each for each in rows.filter(pk__in=list(page))}
    return page, [Row(people[pk], found.get(pk, [])) for pk in page if pk in people]


@require_GET
@workspace_page
def participant(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    study, row = access.get_participant(request.user, slug, public_id)
    return record_page(request, study, row, confirming=request.GET.get("confirm") == "exclude")


def record_page(
    request: HttpRequest,
    study: Study,
    row: Participant,
    *,
    confirming: bool = False,
    reason: str = "",
    wrong: str = "",
) -> HttpResponse:
    """Everything that is known of a participant, and the form to decide about them."""
    rules_error = ""
    found: list[Finding] = []
    try:
        found = [each for one in judge(study=study, participants=[row.pk]) for each in one.findings]
    except DomainError as error:
        rules_error = error.detail
    decisions = list(row.decisions.select_related("actor").order_by("-at", "-pk"))
    main = row.trials.filter(role=TrialRole.MAIN).order_by()
    counts = dict(main.values_list("state").annotate(n=Count("pk")))
    page = page_of(request, row.trials.order_by("position", "pk"), TRIALS_PER_PAGE)
    questions = list(study.questions.all())
    context = study_context(request, study, "participants") | {
        "row": row,
        "marks": [each for each in found if each.marked],
        "measured": [each for each in found if not each.marked and each.value is not None],
        "unmeasured": [each for each in found if each.value is None],
        "rules_error": rules_error,
        "decisions": decisions,
        "last": decisions[0] if decisions else None,
        "n_rated": counts.get(TrialState.COMPLETED, 0),
        "n_open": counts.get(TrialState.ASSIGNED, 0),
        "under_way": row.ended_at is None,
        "erased": row.state == ParticipantState.ERASED,
        "confirming": confirming,
        "reason": reason,
        "wrong": wrong,
        "questions": questions,
        "page": page,
        "trials": told_trials(page, questions),
        "blocks": answered_blocks(study, row),
        "events": told_events(row),
    }
    return render(request, "workspace/participant.html", context, status=422 if wrong else 200)


@require_POST
@workspace_page
def decide(request: MemberRequest, slug: str, public_id: str) -> HttpResponse:
    study, row = access.get_participant(request.user, slug, public_id, "edit")
    verdict, reason = request.POST.get("verdict", ""), request.POST.get("reason", "")
    try:
        decide_service(participant=row, verdict=verdict, reason=reason, actor=request.user)
    except DomainError as error:
        return record_page(
            request,
            study,
            row,
            confirming=verdict == Verdict.EXCLUDED,
            reason=reason,
            wrong=f"Nothing was changed. {error.detail}",
        )
    messages.success(request, DECIDED_WORDS[Verdict(verdict)])
    response = redirect("workspace:participant", study.slug, row.public_id)
    response.status_code = 303
    return response
