"""Exports over HTTP: asked for, followed, downloaded whole or in parts."""

import secrets
from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.generics import RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from studies import queries, tasks
from studies.api.views import Listing, errors, operation
from studies.models import Job, JobState, Study
from studies.services import files
from studies.services.exports import file_name
from studies.views import access
from studies.views.downloads import download

COUNTS = {"type": "object", "additionalProperties": {"type": "integer"}}
WHY_REMOVED = ("newer", "erased", "identities_deleted")


class ExportAsked(serializers.Serializer):
    """What is to be exported."""

    identifiers = serializers.BooleanField(
        default=False, help_text="Add who took part. For owners only, and logged."
    )
    key = serializers.CharField(
        required=False,
        max_length=40,
        help_text="Of your choice: the same key again leads to the same export.",
    )


class ExportSerializer(serializers.ModelSerializer):
    asked_by = serializers.CharField(source="asked_by.username", default=None, allow_null=True)
    identifiers = serializers.SerializerMethodField(help_text="Whether it says who took part.")
    file = serializers.SerializerMethodField(help_text="Where the zip is; null: not there.")
    removed = serializers.SerializerMethodField(
        help_text="Why the file went: newer exports took its place, a person's data were erased, "
        "or the study's identifiers were deleted."
    )
    sha256 = serializers.SerializerMethodField()
    bytes = serializers.SerializerMethodField()
    rows = serializers.SerializerMethodField(help_text="By table.")
    rater_kinds = serializers.SerializerMethodField(
        help_text="Participants by kind. Simulated raters are never to be taken for people."
    )
    data_at = serializers.SerializerMethodField(help_text="The state of the data that it tells.")
    newer_data = serializers.SerializerMethodField(
        help_text="Whether the study has changed since; null while there is no result."
    )

    class Meta:
        model = Job
        fields = [
            "id", "state", "asked_by", "created_at", "started_at", "ended_at", "n_done", "n_total",
            "message", "error", "identifiers", "file", "removed", "sha256", "bytes", "rows",
            "rater_kinds", "data_at", "newer_data",
        ]  # fmt: skip

    def fact(self, job: Job, name: str) -> Any:
        return (job.result or {}).get(name)

    def get_identifiers(self, job: Job) -> bool:
        return bool(job.parameters.get("identifiers"))

    @extend_schema_field({"type": ["string", "null"], "format": "uri-reference"})
    def get_file(self, job: Job) -> str | None:
        slug = self.context["study"].slug
        return reverse("api:study-export-file", args=[slug, job.pk]) if job.file else None

    @extend_schema_field({"type": ["string", "null"], "enum": [*WHY_REMOVED, None]})
    def get_removed(self, job: Job) -> str | None:
        return self.fact(job, "removed")

    def get_sha256(self, job: Job) -> str | None:
        return self.fact(job, "sha256")

    def get_bytes(self, job: Job) -> int | None:
        return self.fact(job, "bytes")

    @extend_schema_field(COUNTS)
    def get_rows(self, job: Job) -> dict[str, int] | None:
        return self.fact(job, "rows")

    @extend_schema_field(COUNTS)
    def get_rater_kinds(self, job: Job) -> dict[str, int] | None:
        return self.fact(job, "rater_kinds")

    @extend_schema_field({"type": ["string", "null"], "format": "date-time"})
    def get_data_at(self, job: Job) -> str | None:
        return self.fact(job, "data_at")

    def get_newer_data(self, job: Job) -> bool | None:
        then = self.fact(job, "state")
        return None if then is None else then != self.context["now"]


@extend_schema_view(
    get=extend_schema(
        operation_id="list_study_exports",
        summary="Exports of a study",
        description="Every export that was asked for, latest first, with its state and what it "
        "holds. Of each study the last few files are kept.",
        responses={200: ExportSerializer(many=True), **errors(400, 401, 404)},
    ),
    post=extend_schema(
        operation_id="start_study_export",
        summary="Export a study",
        description="Has the study's data exported: at once (201) where that takes a moment, else "
        "by the worker (202); ask for its state until it is finished. One at a time is made.",
        request=ExportAsked,
        responses={201: ExportSerializer, 202: ExportSerializer, **errors(400, 401, 403, 404)},
    ),
)
class StudyExports(Listing):
    serializer_class = ExportSerializer

    def get_queryset(self) -> QuerySet[Job]:
        self.chosen()
        self.study = access.get_study(self.request.user, self.kwargs["slug"])
        return queries.exports_of(self.study)

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), **context_of(self.study)}

    def post(self, request: Request, slug: str) -> Response:
        self.study = access.get_study(request.user, slug)
        asked = ExportAsked(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        if given["identifiers"]:
            access.require(request.user, "own", self.study.workspace)
        job = tasks.start_export(
            study=self.study,
            key=given.get("key") or secrets.token_urlsafe(16),
            asked_by=cast(User, request.user),
            identifiers=given["identifiers"],
        )
        done = job.state == JobState.FINISHED
        return Response(
            self.get_serializer(job).data,
            status=status.HTTP_201_CREATED if done else status.HTTP_202_ACCEPTED,
        )


def context_of(study: Study) -> dict[str, Any]:
    return {"study": study, "now": queries.state_of_data(study)}


@operation(
    "get_study_export",
    "One export",
    "An export with its state and what it holds. One with identifiers is there for owners only.",
    responses={200: ExportSerializer, **errors(401, 403, 404)},
)
class StudyExportDetail(RetrieveAPIView):
    serializer_class = ExportSerializer

    def get_object(self) -> Job:
        self.study, job = access.get_export(
            self.request.user, self.kwargs["slug"], self.kwargs["pk"]
        )
        return job

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), **context_of(self.study)}


@operation(
    "download_study_export",
    "The file of an export",
    "The zip, whole or the part that Range asks for: a download that was cut can go on. ETag and "
    "Repr-Digest have its SHA-256.",
    parameters=[OpenApiParameter("Range", str, OpenApiParameter.HEADER)],
    responses={
        (200, "application/zip"): OpenApiTypes.BINARY,
        (206, "application/zip"): OpenApiTypes.BINARY,
        **errors(401, 403, 404),
    },
)
class StudyExportFile(APIView):
    def get(self, request: Request, slug: str, pk: int) -> HttpResponseBase:
        study, job = access.get_export(request.user, slug, pk)
        path = files.path_of("exports", job.file) if job.file else None
        if path is None or not path.exists():
            raise NotFound("This export has no file, or it is not kept any more.")
        return download(
            request._request,
            path,
            name=file_name(study, job),
            sha256=job.file,
            content_type="application/zip",
        )
