"""Image sets, their contact sheets, single images and their files."""

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from studies import queries
from studies.figures.node_maps import node_map
from studies.models import ImageSet
from studies.services.scans import pvalue_interval
from studies.views import access
from studies.views.pictures import picture
from studies.views.workspace.pages import page_of, workspace_page

SETS_PER_PAGE = 20
SHEET_PER_PAGE = 96
N_SAMPLES = 6


@require_GET
@workspace_page
def image_sets(request: HttpRequest) -> HttpResponse:
    rows = access.visible(request.user, ImageSet.objects.select_related("model"))
    page = page_of(request, rows.order_by("-created_at", "pk"), SETS_PER_PAGE)
    sets = queries.image_set_summaries(list(page), n_samples=N_SAMPLES)
    context = {"section": "images", "page": page, "sets": sets}
    return render(request, "workspace/image_sets.html", context)


@require_GET
@workspace_page
def image_set(request: HttpRequest, pk: int) -> HttpResponse:
    rows = access.visible(request.user, ImageSet.objects.select_related("model"))
    row = get_object_or_404(rows, pk=pk)
    images = row.images.order_by("position")
    context = {
        "section": "images",
        "image_set": row,
        "parameters": list(row.generation.items()),
        "page": page_of(request, images, SHEET_PER_PAGE),
    }
    return render(request, "workspace/image_set.html", context)


@require_GET
@workspace_page
def image(request: HttpRequest, public_id: str) -> HttpResponse:
    """The picture, what it is, and what each scan found; ``?scan=`` picks the subset shown."""
    row = access.get_image(request.user, public_id)
    results = list(queries.scans_of_image(row))
    wanted = request.GET.get("scan")
    chosen = results[0] if results else None
    if wanted is not None:
        chosen = next((result for result in results if str(result.scan_id) == wanted), None)
        if chosen is None:
            raise Http404
    context = {
        "section": "images",
        "image": row,
        "results": results,
        "chosen": chosen,
        "p_interval": chosen and pvalue_interval(chosen),
        "map": chosen and node_map(chosen.scan.node_shape, chosen.nodes, (row.width, row.height)),
        "neighbours": queries.neighbours_in_set(row),
        "studies": [place.study for place in row.study_images.select_related("study")],
    }
    return render(request, "workspace/image.html", context)


@require_GET
@workspace_page
def image_file(request: HttpRequest, public_id: str) -> FileResponse:
    return picture(access.get_image(request.user, public_id))
