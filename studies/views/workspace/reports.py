"""A study's report: as a page, as files, and its figures one by one."""

from typing import Literal

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from studies import queries
from studies.errors import DomainError
from studies.figures import Format
from studies.services import reports
from studies.views import access
from studies.views.errors import error_page
from studies.views.workspace.figures import MEDIA_TYPES
from studies.views.workspace.pages import workspace_page
from studies.views.workspace.results import RATERS_WORDS
from studies.views.workspace.studies import study_context

# Where an address of a figure is taken apart.
NAME = "name"


@require_GET
@workspace_page
def report(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.get_study(request.user, slug)
    context = study_context(request, study, "report")
    asked = request.GET.get("raters")
    try:
        written = reports.latest_report(study=study, kind=asked)
    except DomainError as error:
        if error.code == "unknown_kind":
            return error_page(request, status=404, heading="No such raters", detail=error.detail)
        return render(
            request, "workspace/report_empty.html", context | {"reason": error, "asked": asked}
        )
    kinds = queries.kinds_with_ratings(study)
    address = reverse("workspace:report-figure", args=[study.slug, NAME, "svg"])
    context |= {
        "report": written,
        "slug": study.slug,
        "kind": written.kind,
        "figures": address.removesuffix(f"{NAME}.svg"),
        "choices": [
            (kind, words, kind == written.kind)
            for kind, words in RATERS_WORDS.items()
            if kind in kinds
        ],
    }
    return render(request, "workspace/report.html", context)


@require_GET
@workspace_page
def report_file(request: HttpRequest, slug: str, extension: Literal["html", "pdf"]) -> HttpResponse:
    """The whole report as one file, named after the study and whose ratings they are."""
    study = access.get_study(request.user, slug)
    try:
        written = reports.latest_report(study=study, kind=request.GET.get("raters"))
    except DomainError as error:
        heading = "The report could not be written"
        status = 404 if error.code == "unknown_kind" else 409
        return error_page(request, status=status, heading=heading, detail=error.detail)
    content = reports.to_file(written, extension)
    mark = f"-{written.mark.replace(' ', '-')}" if written.mark else ""
    response = HttpResponse(content, content_type=reports.MEDIA_TYPES[extension])
    response["Content-Disposition"] = (
        f'attachment; filename="{study.slug}-report{mark}.{extension}"'
    )
    return response


@require_GET
@workspace_page
def report_figure(request: HttpRequest, slug: str, name: str, extension: Format) -> HttpResponse:
    study = access.get_study(request.user, slug)
    try:
        written = reports.latest_report(study=study, kind=request.GET.get("raters"))
    except DomainError as error:
        raise Http404 from error
    figure = written.figure(name)
    if figure is None:
        raise Http404
    return HttpResponse(figure.render(extension), content_type=MEDIA_TYPES[extension])
