"""The latest analysis of a study, and asking for a newer one."""

import secrets
from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from studies import queries, tasks
from studies.api import filters
from studies.api.serializers import OBJECT
from studies.api.views import errors
from studies.models import AnalysisRun, Job, ParticipantKind
from studies.services.analysis import chosen_kind, latest_run, n_newer_answers
from studies.views import access

NOT_YET = "These ratings have not been analysed yet; POST here, and they will be."


class AnalysisFilters(filters.Filters):
    kind = filters.one_of(
        "kind", ParticipantKind.values, "Whose ratings; people's, where they have rated."
    )


class AnalysisSerializer(serializers.ModelSerializer):
    """An analysis as it was stored, and whether it is of the data as they are now."""

    is_current = serializers.SerializerMethodField(
        help_text="Whether nothing has come or changed since."
    )
    n_newer_answers = serializers.SerializerMethodField(help_text="Answers that came since.")
    versions = extend_schema_field(OBJECT)(serializers.JSONField)()
    result = extend_schema_field(OBJECT)(serializers.JSONField)(
        help_text="What the results page shows; `format` is the version of its shape."
    )

    class Meta:
        model = AnalysisRun
        fields = [
            "id",
            "kind",
            "seed",
            "input_sha256",
            "created_at",
            "duration_ms",
            "is_current",
            "n_newer_answers",
            "versions",
            "result",
        ]

    def get_is_current(self, run: AnalysisRun) -> bool:
        return bool(self.context["is_current"])

    def get_n_newer_answers(self, run: AnalysisRun) -> int:
        return 0 if self.context["is_current"] else n_newer_answers(run)


class AnalysisJobSerializer(serializers.ModelSerializer):
    """An analysis under way; its result is at the same address when it has finished."""

    class Meta:
        model = Job
        fields = ["id", "name", "state", "n_done", "n_total", "message", "created_at"]


class StudyResults(APIView):
    """What the ratings say, as it was last computed; any member may have it computed anew."""

    @extend_schema(
        operation_id="get_study_results",
        summary="Results of a study",
        description="The latest analysis: headline with its plan, models, tests, agreement and "
        "the images' numbers, with what it was computed from. Nothing is computed by asking.",
        parameters=[AnalysisFilters],
        responses={200: AnalysisSerializer, **errors(400, 401, 404)},
    )
    def get(self, request: Request, slug: str) -> Response:
        study = access.get_study(request.user, slug)
        kind = chosen_kind(study, given_kind(request), queries.kinds_with_ratings(study))
        latest = latest_run(study, kind)
        if latest.run is None:
            raise NotFound(NOT_YET)
        context = {"is_current": latest.is_current}
        return Response(AnalysisSerializer(latest.run, context=context).data)

    @extend_schema(
        operation_id="analyse_study",
        summary="Analyse a study",
        description="Have the ratings analysed in the background; whoever asks while that goes on "
        "is told of the same job.",
        parameters=[AnalysisFilters],
        request=None,
        responses={202: AnalysisJobSerializer, **errors(400, 401, 404)},
    )
    def post(self, request: Request, slug: str) -> Response:
        study = access.get_study(request.user, slug)
        user = request.user
        assert isinstance(user, User), "only who is signed in comes here"
        job = tasks.start_analysis(
            study=study, kind=given_kind(request), key=secrets.token_urlsafe(16), asked_by=user
        )
        return Response(AnalysisJobSerializer(job).data, status=202)


def given_kind(request: Request) -> Any:
    given = AnalysisFilters(data=request.query_params)
    given.is_valid(raise_exception=True)
    return given.validated_data.get("kind")
