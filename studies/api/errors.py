"""One shape for every error: ``{"code", "detail", "fields"}``."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from studies.errors import DomainError

BAD_REQUEST = 400


def envelope(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer for `error`; None, and so a server error, for what nobody expected."""
    if isinstance(error, DomainError):
        set_rollback()
        return Response(body(error.code, error.detail, error.fields), status=BAD_REQUEST)
    # Their messages are for logs: what a user may not see must look like what is not there.
    if isinstance(error, Http404):
        error = exceptions.NotFound("There is nothing at this address, or it is not yours to see.")
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    response = exception_handler(error, context)
    if response is None or not isinstance(error, exceptions.APIException):
        return response
    if isinstance(error, exceptions.ValidationError):
        fields = sentences(error.detail)
        detail = " ".join(dict.fromkeys(fields.values()))
        response.data = body(error.default_code, detail, fields)
    else:
        code = error.get_codes()
        response.data = body(
            code if isinstance(code, str) else error.default_code, str(error.detail), {}
        )
    return response


def body(code: str, detail: str, fields: dict[str, str]) -> dict[str, Any]:
    return {"code": code, "detail": detail, "fields": fields}


def sentences(detail: Any, name: str = "") -> dict[str, str]:
    """What is wrong with each field; of a field within another, as “outer.inner”."""
    if isinstance(detail, dict):
        found: dict[str, str] = {}
        for key, value in detail.items():
            inner = "" if key == "non_field_errors" else str(key)
            found.update(sentences(value, ".".join(filter(None, [name, inner]))))
        return found
    if isinstance(detail, list):
        return {name: " ".join(map(str, detail))}
    return {name: str(detail)}
