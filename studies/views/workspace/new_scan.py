"""The form that starts a scan."""

import secrets

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from studies import queries, tasks
from studies.errors import DomainError
from studies.forms import ScanForm
from studies.models import ImageSet, JobKind, Scan
from studies.views import access
from studies.views.workspace.pages import MemberRequest, workspace_page

# Fields in the order of the page: what is scanned, how, and what seldom changes.
PARTS = {
    "What is scanned": ("background", "test_sets", "held_out", "layer"),
    "How": ("tail", "statistic", "alpha_max", "n_replicates", "name"),
}
SELDOM = ("n_restarts", "seed", "max_images", "max_nodes")
# Where a refusal is shown; others stand above the form.
FIELD_OF = {
    "background_tested": "test_sets",
    "bad_scan_parameter": None,
    "held_out_is_background": "held_out",
    "held_out_is_tested": "held_out",
    "held_out_not_normal": "held_out",
    "held_out_other_model": "held_out",
    "name_taken": "name",
    "other_workspace": "test_sets",
    "too_few_held_out": "held_out",
    "under_way": "name",
    "unknown_layer": "layer",
}
MAX_KEY = 40


@require_http_methods(["GET", "POST"])
@workspace_page
def new_scan(request: MemberRequest) -> HttpResponse:
    """The form; a POST starts the scan and leads to the page that follows it."""
    access.require_somewhere(request.user, "edit")
    workspaces = access.workspaces_with(request.user, "edit")
    # Sets without kept activations cannot be scanned.
    sets = ImageSet.objects.filter(workspace__in=workspaces).exclude(activations_sha256="")
    sets = sets.select_related("workspace", "model").order_by("-created_at", "pk")
    summaries = queries.image_set_summaries(list(sets), n_samples=0)
    posted = request.POST if request.method == "POST" else None
    form = ScanForm(posted, sets=sets, summaries=summaries)
    # PostgreSQL has no text with a zero character.
    key = request.POST.get("key", "").replace("\0", "")[:MAX_KEY] or secrets.token_urlsafe(16)
    if posted is not None and form.is_valid():
        workspace = form.cleaned_data["background"].workspace
        access.require(request.user, "edit", workspace)
        taken = set(Scan.objects.filter(workspace=workspace).values_list("name", flat=True))
        asked = form.request(taken | queries.names_under_way(workspace, JobKind.SCAN))
        try:
            job = tasks.start_scan(asked=asked, key=key, asked_by=request.user)
        except DomainError as error:
            form.add_error(FIELD_OF.get(error.code), sentence(error.detail))
        else:
            response = redirect("workspace:job", job.pk)
            response.status_code = 303
            return response
    return form_page(request, form, key, has_sets=bool(summaries))


def sentence(detail: str) -> str:
    return f"{detail[0].upper()}{detail[1:]}."


def form_page(request: HttpRequest, form: ScanForm, key: str, *, has_sets: bool) -> HttpResponse:
    seldom = [form[name] for name in SELDOM]
    context = {
        "section": "scans",
        "form": form,
        "key": key,
        "has_sets": has_sets,
        "parts": {title: [form[name] for name in names] for title, names in PARTS.items()},
        "seldom": seldom,
        "open_seldom": any(field.errors for field in seldom),
    }
    status = 422 if form.is_bound else 200
    return render(request, "workspace/new_scan.html", context, status=status)
