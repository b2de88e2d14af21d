"""What the ratings say."""

import secrets
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from studies import queries, tasks, wording
from studies.errors import DomainError
from studies.models import ENDED_WITHOUT_RESULT, AnalysisRun, JobState, ParticipantKind, Study
from studies.services import jobs
from studies.services.analysis import (
    PREDICTORS,
    RATERS,
    chosen_kind,
    code_version,
    latest_run,
    n_newer_answers,
)
from studies.views import access
from studies.views.errors import error_page
from studies.views.workspace.jobs import led_to, standing
from studies.views.workspace.pages import MemberRequest, workspace_page
from studies.views.workspace.results_tables import result_context
from studies.views.workspace.studies import study_context

MAX_KEY = 40

RATERS_WORDS = {
    ParticipantKind.PERSON: "People",
    ParticipantKind.PILOT: "Pilot participants",
    ParticipantKind.SIMULATED: "Simulated raters",
}


@require_GET
@workspace_page
def results(request: HttpRequest, slug: str) -> HttpResponse:
    """The latest analysis as it is stored; nothing is computed here."""
    study = access.get_study(request.user, slug)
    asked = request.GET.get("raters")
    context = study_context(request, study, "results")
    kinds = queries.kinds_with_ratings(study)
    try:
        kind = chosen_kind(study, asked, kinds)
    except DomainError as error:
        if error.code == "unknown_kind":
            return error_page(request, status=404, heading="No such raters", detail=error.detail)
        return render(request, "workspace/results_empty.html", context | {"reason": error})
    latest = latest_run(study, kind)
    context |= {
        "kind": kind,
        "raters": RATERS_WORDS[ParticipantKind(kind)],
        "choices": [
            (each, words, each == kind) for each, words in RATERS_WORDS.items() if each in kinds
        ],
        "key": secrets.token_urlsafe(16),
        **work_context(study, kind, latest.run),
    }
    run = latest.run
    if run is None:
        return render(request, "workspace/results_none.html", context)
    result = run.result
    context |= {
        "run": run,
        "is_current": latest.is_current,
        "n_newer": 0 if latest.is_current else n_newer_answers(run),
        "is_old_code": run.versions.get("musescan") != code_version(),
        "result": result,
        "by_whom": wording.count(result["n_raters"], *RATERS[ParticipantKind(kind)]),
        "predictors": list(PREDICTORS.items()),
        **result_context(result),
    }
    return render(request, "workspace/results.html", context)


def work_context(study: Study, kind: str, run: AnalysisRun | None) -> dict[str, Any]:
    """The analysis under way, or the one that ended without a result after `run`."""
    job = jobs.latest_analysis_job(study, kind)
    if job is None or (not job.is_under_way and job.state not in ENDED_WITHOUT_RESULT):
        return {}
    if job.is_under_way:
        return {"job": job, **standing(job)}
    since = run is None or job.created_at > run.created_at
    return {"failed": job} if since and job.state != JobState.CANCELLED else {}


@require_POST
@workspace_page
def analyse(request: MemberRequest, slug: str) -> HttpResponse:
    """Have the ratings analysed; any member may ask, as it changes nothing of the study."""
    study = access.get_study(request.user, slug)
    key = request.POST.get("key", "").replace("\0", "")[:MAX_KEY] or secrets.token_urlsafe(16)
    kind = request.POST.get("raters") or None
    try:
        job = tasks.start_analysis(study=study, kind=kind, key=key, asked_by=request.user)
    except DomainError as error:
        messages.error(request, f"Nothing was started: {error.detail}")
        response = redirect("workspace:results", study.slug)
        response.status_code = 303
        return response
    return led_to(job)
