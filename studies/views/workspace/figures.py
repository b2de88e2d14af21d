"""Figures of studies and scans, as specifications for a page and as files for a paper."""

from typing import Any, Literal

import altair as alt
import pandas as pd
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from studies import queries, wording
from studies.errors import DomainError
from studies.figures import (
    label_shares,
    null_histogram,
    plan_curves,
    render,
    size_distribution,
    spec,
    specification_curve,
)
from studies.models import Scan, Study
from studies.quality import RULES
from studies.reporting import scatter
from studies.services.analysis import chosen_kind, latest_run
from studies.views import access
from studies.views.workspace.pages import workspace_page
from studies.views.workspace.planning import finished_plan

MEDIA_TYPES = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}
PREDICTORS = ("size", "score")
PANELS_PX = 680

Extension = Literal["svg", "png", "pdf", "json"]


def respond(request: HttpRequest, chart: alt.TopLevelMixin, extension: Extension) -> HttpResponse:
    if extension == "json":
        return JsonResponse(spec(chart))
    return HttpResponse(render(chart, extension), content_type=MEDIA_TYPES[extension])


def look(request: HttpRequest, extension: Extension) -> dict[str, Any]:
    """Width and ground: files are as wide as a printed page, a specification as its page."""
    return {
        "dark": request.GET.get("theme") == "dark",
        "width": "container" if extension == "json" else "183mm",
    }


def is_narrow(request: HttpRequest, extension: Extension) -> bool:
    """Whether the page has less room than two panels side by side take; files never have."""
    px = request.GET.get("px", "")
    return extension == "json" and px.isdecimal() and int(px[:6]) < PANELS_PX


@require_GET
@workspace_page
def study_figure(
    request: HttpRequest, slug: str, question: str, name: str, extension: Extension
) -> HttpResponse:
    """`name` is size or score (ratings against it), labels (their shares), or exclusions."""
    study = access.get_study(request.user, slug)
    result = stored_result(study, request.GET.get("raters"))
    asked = next((each for each in result["questions"] if each["key"] == question), None)
    if asked is None:
        raise Http404
    options = look(request, extension) | {"mark": wording.MARKS.get(result["kind"])}
    if name in PREDICTORS:
        if not asked["n_images"]:
            raise Http404
        chart = scatter(asked, name, **options)
    elif name == "labels" and asked["labels"]:
        counts = pd.DataFrame(asked["labels"])
        chart = label_shares(counts, labels=list(counts["label"].unique()), **options)
    elif name == "exclusions" and is_multiverse_of(result, question):
        chart = multiverse_curve(result, options)
    else:
        raise Http404
    return respond(request, chart, extension)


def is_multiverse_of(result: dict[str, Any], question: str) -> bool:
    """Whether the headline is of `question`, and was tried under more than one set of rules."""
    found = result.get("multiverse")
    return bool(found and found["question"] == question and len(found["specifications"]) > 1)


def multiverse_curve(result: dict[str, Any], options: dict[str, Any]) -> alt.LayerChart:
    found = result["multiverse"]
    return specification_curve(
        found,
        unit=found["unit"],
        labels={rule.name: rule.title for rule in RULES},
        planned=result["exclusions"]["rules"],
        **options,
    )


def stored_result(study: Study, asked: str | None) -> dict[str, Any]:
    """The latest analysis of the ratings by the raters asked for; 404 where there is none."""
    try:
        kind = chosen_kind(study, asked, queries.kinds_with_ratings(study))
    except DomainError as error:
        raise Http404 from error
    run = latest_run(study, kind).run
    if run is None:
        raise Http404
    return dict(run.result)


@require_GET
@workspace_page
def scan_figure(
    request: HttpRequest, pk: int, predictor: str, extension: Extension
) -> HttpResponse:
    """Sizes or scores of the scan's images by process."""
    scan = access.get_scan(request.user, pk)
    if predictor not in PREDICTORS:
        raise Http404
    frame = results_frame(scan)
    chart = size_distribution(frame, predictor, **look(request, extension))
    return respond(request, chart, extension)


@require_GET
@workspace_page
def null_figure(request: HttpRequest, pk: int, extension: Extension) -> HttpResponse:
    """Scores of null groups, and the group's own."""
    scan = access.get_scan(request.user, pk)
    if not scan.null_kind:
        raise Http404
    chart = null_histogram(scan.null_scores, scan.group_score, **look(request, extension))
    return respond(request, chart, extension)


@require_GET
@workspace_page
def plan_figure(request: HttpRequest, pk: int, extension: Extension) -> HttpResponse:
    """Power and interval width against the number of raters."""
    plan = finished_plan(request, pk).result or {}
    chart = plan_curves(
        pd.DataFrame(plan["rows"]),
        target=plan["power"],
        alpha=plan["alpha"],
        confidence_level=plan["confidence_level"],
        unit=plan["unit"],
        width_unit=plan["width_unit"],
        narrow=is_narrow(request, extension),
        **look(request, extension),
    )
    return respond(request, chart, extension)


def results_frame(scan: Scan) -> pd.DataFrame:
    """A row per image of `scan`: image (public id), process, size, score, in_subset."""
    rows = scan.results.order_by("image_id").values_list(
        "image__public_id", "image__process", "size", "score", "in_group"
    )
    columns = ["image", "process", "size", "score", "in_subset"]
    return pd.DataFrame.from_records(list(rows), columns=columns)
