"""Work in the background: how far it is, and what can be done about it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from studies import queries, tasks
from studies.errors import DomainError
from studies.models import WAITING, Job, JobKind, JobState
from studies.services import jobs
from studies.views import access
from studies.views.workspace.pages import MemberRequest, workspace_page

REFRESH_S = 5


@require_GET
@workspace_page
def job(request: HttpRequest, pk: int) -> HttpResponse:
    row = access.get_job(request.user, pk)
    context = standing(row) | {
        "section": "scans" if row.kind == JobKind.SCAN else "studies",
        "place": place_of(row),
        "made": f"workspace/jobs/_{row.kind}.html",
        "change": address_of_change(row),
        "job": row,
        "may_edit": access.may(request.user, "edit", row.workspace),
        "refresh_s": REFRESH_S,
    }
    return render(request, "workspace/job.html", context)


def place_of(job: Job) -> dict[str, str]:
    """Where what the job makes is found: an address and its words."""
    if job.kind == JobKind.SCAN:
        return {"url": reverse("workspace:scans"), "words": "Models and scans"}
    if job.kind == JobKind.PLANNING:
        return {"url": reverse("workspace:planning"), "words": "Planning"}
    if job.study is None:
        return {"url": reverse("workspace:studies"), "words": "Studies"}
    if job.kind == JobKind.EXPORT:
        return {"url": reverse("workspace:exports", args=[job.study.slug]), "words": "Exports"}
    return {"url": reverse("workspace:study", args=[job.study.slug]), "words": job.study.title}


def address_of_change(job: Job) -> str:
    """A form that is filled as it was for this job; empty where there is none."""
    if job.kind != JobKind.PLANNING:
        return ""
    return f"{reverse('workspace:planning')}?again={job.pk}"


@require_GET
@workspace_page
def job_state(request: HttpRequest, pk: int) -> JsonResponse:
    """What the page's script asks for while the job is under way."""
    row = access.get_job(request.user, pk)
    told = standing(row)
    return JsonResponse(
        {
            "page": told["page"],
            "n_done": row.n_done,
            "n_total": row.n_total,
            "message": told["message"],
            "elapsed_s": round(row.elapsed.total_seconds()) if row.elapsed else None,
        }
    )


def standing(job: Job) -> dict[str, Any]:
    """How it stands: in words, and as a mark that changes where the page must be another."""
    silent = job.is_silent
    waits = job.state == JobState.QUEUED and timezone.now() - job.created_at > WAITING
    nobody = waits and not queries.n_at_work()
    message = job.message
    if job.state == JobState.QUEUED:
        message = "Waiting for another job to end" if waits and not nobody else "Waiting to begin"
    elif job.state == JobState.RUNNING and not message:
        message = "Beginning"
    return {
        "silent": silent,
        "nobody": nobody,
        "message": f"{message[:1].upper()}{message[1:]}",
        "page": f"{job.state}{' silent' if silent else ''}{' nobody' if nobody else ''}",
    }


@require_POST
@workspace_page
def cancel_job(request: MemberRequest, pk: int) -> HttpResponse:
    row = access.get_job(request.user, pk, "edit")
    try:
        jobs.cancel_job(job=row)
    except DomainError as error:
        messages.error(request, f"Nothing was cancelled: {error.detail}.")
    else:
        messages.success(request, "It is cancelled. Nothing of it was recorded.")
    return led_to(row)


@require_POST
@workspace_page
def repeat_job(request: MemberRequest, pk: int) -> HttpResponse:
    row = access.get_job(request.user, pk, "edit")
    try:
        row = tasks.start_again(job=row, asked_by=request.user)
    except DomainError as error:
        messages.error(request, f"Nothing was started: {error.detail}.")
    return led_to(row)


def led_to(job: Job) -> HttpResponse:
    response = redirect("workspace:job", job.pk)
    response.status_code = 303
    return response
