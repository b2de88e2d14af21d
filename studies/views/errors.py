"""Pages for what went wrong, in the same quiet voice as the rest."""

import re

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext_lazy

from studies.models import Study, StudyState

# A participant's address, and the study in it.
IN_STUDY = re.compile(r"/s/([-\w]+)/")

CODES = {400: "bad_request", 403: "permission_denied", 404: "not_found", 500: "server_error"}


def error_page(
    request: HttpRequest, *, status: int, heading: str, detail: str, study: object = None
) -> HttpResponse:
    """A page, or the API's envelope where a program asked."""
    if request.path_info.startswith("/api/"):
        return JsonResponse({"code": CODES[status], "detail": detail, "fields": {}}, status=status)
    context = {"heading": heading, "detail": detail, "study": study}
    return render(request, "participant/error.html", context, status=status)


def explained(request: HttpRequest, status: int, heading: object, detail: object) -> HttpResponse:
    """An error page in the language of the study that the address is in, if it is in one."""
    found = IN_STUDY.match(request.path_info)
    study = found and Study.objects.exclude(state=StudyState.DRAFT).filter(slug=found[1]).first()
    with translation.override(study.language if study else translation.get_language()):
        return error_page(
            request, status=status, heading=str(heading), detail=str(detail), study=study or None
        )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return explained(
        request,
        403,
        gettext_lazy("This page could not be sent"),
        gettext_lazy(
            "Your browser did not send the cookie that protects this form. Nothing was "
            "changed. Allow cookies for this site, go back, reload the page and try again."
        ),
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return explained(
        request,
        400,
        gettext_lazy("The request could not be read"),
        gettext_lazy("Nothing was changed."),
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(
        request,
        status=403,
        heading="This is not open to you",
        detail="You are signed in, but this needs a right that you do not have. "
        "Nothing was changed.",
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return explained(
        request,
        404,
        gettext_lazy("There is nothing at this address"),
        gettext_lazy("Check that the whole link was copied. If somebody gave it to you, ask them."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    return error_page(
        request,
        status=500,
        heading="Something went wrong on our side",
        detail="Everything that was marked as saved is kept. Please reload the page in a minute.",
    )
