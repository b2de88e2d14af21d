"""Models and scans: the list, and everything about one scan."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from studies import queries, wording
from studies.figures.node_maps import node_map
from studies.models import GenerativeModel, JobKind, Scan
from studies.services.detection import detection_power
from studies.views import access
from studies.views.workspace.pages import page_of, workspace_page

SCANS_PER_PAGE = 50
N_EXTREMES = 8
JOBS_SHOWN = 10


@require_GET
@workspace_page
def scans(request: HttpRequest) -> HttpResponse:
    models = access.visible(request.user, GenerativeModel.objects.order_by("-created_at", "pk"))
    rows = access.visible(request.user, Scan.objects.select_related("model"))
    rows = rows.defer("group_nodes", "null_scores", "details")
    context = {
        "section": "scans",
        "models": models,
        "jobs": queries.jobs_without_result(request.user, JobKind.SCAN)[:JOBS_SHOWN],
        "may_start": access.workspaces_with(request.user, "edit").exists(),
        "page": page_of(request, rows.order_by("-created_at", "pk"), SCANS_PER_PAGE),
    }
    return render(request, "workspace/scans.html", context)


@require_GET
@workspace_page
def scan(request: HttpRequest, pk: int) -> HttpResponse:
    row = access.get_scan(request.user, pk)
    sample = queries.results_by_score(row).first()
    image_size = (sample.image.width, sample.image.height) if sample else (0, 0)
    context = {
        "section": "scans",
        "scan": row,
        "test_sets": row.test_sets.order_by("pk"),
        "predictors": [("score", "Score"), ("size", "Subset size")],
        "held_out": row.held_out.order_by("pk"),
        "may_start": access.workspaces_with(request.user, "edit").exists(),
        "calibrated": calibration_words(row),
        "powers": detection_power(scan=row),
        "group_map": node_map(row.node_shape, row.group_nodes, image_size),
        "highest": queries.results_by_score(row)[:N_EXTREMES],
        "lowest": queries.results_by_score(row).reverse()[:N_EXTREMES],
        "in_group": queries.group_by_process(row),
        "studies": row.studies.order_by("-created_at"),
    }
    return render(request, "workspace/scan.html", context)


def calibration_words(scan: Scan) -> str:
    """How unusual the group's score is; empty where it is not calibrated."""
    if not scan.null_kind:
        return ""
    return wording.calibration_sentence(
        {
            "n_exceeding": scan.group_n_exceeding,
            "n_replicates": scan.n_replicates,
            "pvalue": scan.group_pvalue,
            "interval": [scan.group_pvalue_low, scan.group_pvalue_high],
            "confidence": scan.confidence,
        }
    )
