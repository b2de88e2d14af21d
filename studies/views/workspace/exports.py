"""The data to take away: exports that were made, and another."""

import secrets
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from studies import queries, tasks
from studies.errors import DomainError
from studies.models import Job, JobState, ParticipantKind, Study
from studies.services import files
from studies.services.exports import KEPT, file_name
from studies.views import access
from studies.views.downloads import download
from studies.views.errors import error_page
from studies.views.workspace.pages import MemberRequest, workspace_page
from studies.views.workspace.studies import study_context

MAX_KEY = 40
# Exports on the page; those before them have long lost their files.
SHOWN = 30

REMOVED = {
    "newer": f"Removed: of each study the last {KEPT} are kept",
    "erased": "Removed when a person's data were erased, which it still had",
    "identities_deleted": "Removed when the study's identifiers were deleted",
}
RATERS = {
    ParticipantKind.PERSON: ("person", "people"),
    ParticipantKind.PILOT: ("pilot participant", "pilot participants"),
    ParticipantKind.SIMULATED: ("simulated rater", "simulated raters"),
}


@require_http_methods(["GET", "POST"])
@workspace_page
def exports(request: MemberRequest, slug: str) -> HttpResponse:
    study = access.get_study(request.user, slug)
    if request.method == "POST":
        return start(request, study)
    now = queries.state_of_data(study)
    owner = access.may(request.user, "own", study.workspace)
    rows = [told(job, now, owner=owner) for job in queries.exports_of(study)[:SHOWN]]
    made = request.GET.get("made", "")
    context = study_context(request, study, "exports") | {
        "rows": rows,
        "made": next((row for row in rows if str(row["job"].pk) == made and row["file"]), None),
        "kept": KEPT,
        "owner": owner,
        "n_identities": queries.identity_rows(study).count() if owner else None,
    }
    return render(request, "workspace/exports.html", context)


def start(request: MemberRequest, study: Study) -> HttpResponse:
    """Have one made, and lead to it; where one is being made already, to that."""
    identifiers = "identifiers" in request.POST
    if identifiers:
        access.require(request.user, "own", study.workspace)
    # PostgreSQL has no text with a zero character.
    key = request.POST.get("key", "").replace("\0", "")[:MAX_KEY] or secrets.token_urlsafe(16)
    try:
        job = tasks.start_export(
            study=study, key=key, asked_by=request.user, identifiers=identifiers
        )
    except DomainError as error:
        if error.code != "under_way":
            heading = "The export could not be written"
            return error_page(request, status=409, heading=heading, detail=error.detail)
        messages.info(request, "It is being exported already: the export below is the newest.")
        return seen(reverse("workspace:exports", args=[study.slug]))
    if job.state == JobState.FINISHED:
        return seen(f"{reverse('workspace:exports', args=[study.slug])}?made={job.pk}")
    return seen(reverse("workspace:job", args=[job.pk]))


def seen(address: str) -> HttpResponse:
    response = redirect(address)
    response.status_code = 303
    return response


def told(job: Job, now: dict[str, Any], *, owner: bool) -> dict[str, Any]:
    """What the page says of an export."""
    facts = job.result or {}
    identifiers = bool(job.parameters.get("identifiers"))
    removed = facts.get("removed")
    return {
        "job": job,
        "facts": facts,
        "identifiers": identifiers,
        "n_rows": sum(facts.get("rows", {}).values()),
        "n_answers": facts.get("rows", {}).get("responses"),
        "raters": raters(facts.get("rater_kinds", {})),
        "file": bool(job.file) and (owner or not identifiers),
        "removed": REMOVED.get(removed, "") if removed else "",
        "newer": bool(facts) and facts.get("state") != now,
    }


def raters(kinds: dict[str, int]) -> list[str]:
    return [f"{n:,} {RATERS[ParticipantKind(kind)][n != 1]}" for kind, n in kinds.items() if n]


@require_safe
@workspace_page
def export_file(request: HttpRequest, slug: str, pk: int) -> HttpResponseBase:
    study, job = access.get_export(request.user, slug, pk)
    path = files.path_of("exports", job.file) if job.file else None
    if path is None or not path.exists():
        return error_page(
            request, status=410, heading="This export is not kept any more",
            detail="The study can be exported again: nothing of its data is lost.",
        )  # fmt: skip
    return download(
        request, path, name=file_name(study, job), sha256=job.file, content_type="application/zip"
    )
