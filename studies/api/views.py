"""Reading over HTTP: what the user's workspaces hold, and nothing else."""

from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.exceptions import NotFound
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.views import APIView

from studies import queries
from studies.api import filters, serializers
from studies.models import Participant, Response, Scan, ScanResult, Study, StudyImage
from studies.services import plans
from studies.services.exports import stream_zip
from studies.views import access


def errors(*statuses: int) -> dict[int, OpenApiResponse]:
    """The error answers of an operation, for the schema."""
    words = {
        400: "A filter or page size is not allowed; `fields` says which and what is.",
        401: "No token or session, or one that is not valid.",
        403: "Your role in the workspace does not allow it.",
        404: "Not there, or in a workspace that you are not a member of; or no such page.",
    }
    return {
        status: OpenApiResponse(serializers.ErrorSerializer, words[status]) for status in statuses
    }


def operation(name: str, summary: str, description: str, **more: Any) -> Any:
    """The schema's words for the GET of a view."""
    schema = extend_schema(operation_id=name, summary=summary, description=description, **more)
    return extend_schema_view(get=schema)


class Listing(ListAPIView):
    """A list in a stable order, narrowed by `filter_class`."""

    filter_class: type[filters.Filters] = filters.Filters

    def chosen(self, **context: Any) -> dict[str, Any]:
        """The filters of the request, checked. `context` is what checking them needs."""
        given = self.filter_class(data=self.request.query_params, context=context)
        given.is_valid(raise_exception=True)
        return given.validated_data


@operation(
    "list_studies",
    "Studies",
    "The studies of your workspaces, by slug, with how many took part.",
    responses={200: serializers.StudySerializer(many=True), **errors(400, 401, 404)},
)
class StudyList(Listing):
    serializer_class = serializers.StudySerializer

    def get_queryset(self) -> QuerySet[Study]:
        self.chosen()
        return studies_of(self.request).order_by("slug")


@operation(
    "get_study",
    "One study",
    "A study with its texts, its steps, its questions and what it decided for all participants.",
    responses={200: serializers.StudyDetailSerializer, **errors(401, 404)},
)
class StudyDetail(RetrieveAPIView):
    serializer_class = serializers.StudyDetailSerializer

    def get_object(self) -> Study:
        rows = studies_of(self.request).prefetch_related("questions", "blocks__items")
        return get_object_or_404(rows, slug=self.kwargs["slug"])


def studies_of(request: Request) -> QuerySet[Study]:
    """The studies that the user may see, with their counts."""
    rows = access.visible(request.user, Study.objects.select_related("workspace"))
    return queries.with_participant_counts(rows)


@operation(
    "list_study_images",
    "Images of a study",
    "The images of a study in the order they were added, each with what the study's scan "
    "found in it and how often it was rated.",
    parameters=[filters.ImageFilters],
    responses={200: serializers.StudyImageSerializer(many=True), **errors(400, 401, 404)},
)
class StudyImages(Listing):
    serializer_class = serializers.StudyImageSerializer
    filter_class = filters.ImageFilters

    def get_queryset(self) -> QuerySet[StudyImage]:
        study = access.get_study(self.request.user, self.kwargs["slug"])
        rows = queries.study_images(study).select_related("image__image_set").order_by("pk")
        chosen = self.chosen()
        if "process" in chosen:
            rows = rows.filter(image__process=chosen["process"])
        return rows


@operation(
    "list_study_participants",
    "Participants of a study",
    "Everybody who agreed to take part, in that order: how far they are, how it ended, what was "
    "decided about their data. Who they are is not here.",
    parameters=[filters.ParticipantFilters],
    responses={200: serializers.ParticipantSerializer(many=True), **errors(400, 401, 404)},
)
class StudyParticipants(Listing):
    serializer_class = serializers.ParticipantSerializer
    filter_class = filters.ParticipantFilters

    def get_queryset(self) -> QuerySet[Participant]:
        study = access.get_study(self.request.user, self.kwargs["slug"])
        chosen = self.chosen()
        if "excluded" in chosen:
            chosen["is_excluded"] = chosen.pop("excluded") == "true"
        return queries.participants_with_progress(study).filter(**chosen).order_by("pk")


@operation(
    "list_study_responses",
    "Answers given in a study",
    "One row per answer, in the order they were stored: pages read while people take part "
    "neither skip nor repeat a row. Every kind of participants is there unless one is "
    "chosen; simulated raters are never to be taken for people.",
    parameters=[filters.ResponseFilters],
    responses={200: serializers.ResponseSerializer(many=True), **errors(400, 401, 404)},
)
class StudyResponses(Listing):
    serializer_class = serializers.ResponseSerializer
    filter_class = filters.ResponseFilters

    def get_queryset(self) -> QuerySet[Response]:
        study = access.get_study(self.request.user, self.kwargs["slug"])
        paths = {
            "kind": "trial__participant__kind",
            "process": "trial__study_image__image__process",
            "role": "trial__role",
            "question": "question__key",
        }
        keys = list(study.questions.values_list("key", flat=True))
        chosen = {paths[name]: value for name, value in self.chosen(keys=keys).items()}
        return (
            queries.response_rows(study)
            .filter(**chosen)
            .select_related("question", "trial__participant", "trial__study_image__image")
            .order_by("pk")
        )


@operation(
    "get_study_plan",
    "Analysis plan of a study",
    "What the study said it would compute: every version that was fixed, each with its content, "
    "the SHA-256 of the content as canonical JSON, when it was fixed, how many answers people had "
    "given by then, and why it was amended. The last one counts. A draft, if there is one, comes "
    "last and has not been fixed.",
    responses={200: serializers.StudyPlanSerializer, **errors(401, 404)},
)
class StudyPlan(RetrieveAPIView):
    serializer_class = serializers.StudyPlanSerializer

    def get_object(self) -> dict[str, Any]:
        study = access.get_study(self.request.user, self.kwargs["slug"])
        versions = plans.history(study)
        fixed = [plan.version for plan in versions if plan.fixed_at is not None]
        return {"study": study.slug, "counts": fixed[-1] if fixed else None, "plans": versions}


@operation(
    "export_study",
    "Export of a study",
    "A zip with a Psych-DS data set: tables of answers, trials, participants, decisions, events "
    "and images as CSV and Parquet, a codebook that explains each column, the design, the scan, "
    "scripts that compute the headline again, and a manifest with the number of rows and the "
    "SHA-256 of each file. It is written while it is sent; of a large study, or where the line may "
    "break, ask for an export instead (POST to exports/).",
    responses={(200, "application/zip"): OpenApiTypes.BINARY, **errors(400, 401, 404)},
)
class StudyExport(APIView):
    def get(self, request: Request, slug: str) -> StreamingHttpResponse:
        study = access.get_study(request.user, slug)
        response = StreamingHttpResponse(stream_zip(study=study), content_type="application/zip")
        response["Content-Disposition"] = f'attachment; filename="{study.slug}-export.zip"'
        response["Cache-Control"] = "private, no-store"
        return response


@operation(
    "list_scans",
    "Scans",
    "The scans of your workspaces in the order they were run, with every parameter and what "
    "was found in the group.",
    parameters=[filters.ScanFilters],
    responses={200: serializers.ScanSerializer(many=True), **errors(400, 401, 404)},
)
class ScanList(Listing):
    serializer_class = serializers.ScanSerializer
    filter_class = filters.ScanFilters

    def get_queryset(self) -> QuerySet[Scan]:
        user = self.request.user
        rows = Scan.objects.select_related("workspace", "model", "background")
        rows = access.visible(user, rows).prefetch_related("test_sets", "held_out")
        rows = rows.defer("null_scores").order_by("pk")
        chosen = self.chosen(visible=access.visible(user, Study.objects.all()))
        return rows.filter(studies=chosen["study"]) if "study" in chosen else rows


@operation(
    "get_scan",
    "One scan",
    "A scan with every parameter and what was found in the group.",
    responses={200: serializers.ScanSerializer, **errors(401, 404)},
)
class ScanDetail(RetrieveAPIView):
    serializer_class = serializers.ScanSerializer

    def get_object(self) -> Scan:
        return access.get_scan(self.request.user, self.kwargs["pk"])


@operation(
    "list_scan_results",
    "What a scan found in each image",
    "Score, calibrated p, size and alpha of each image's own anomalous subset, by image set and "
    "position. "
    "The subset's nodes are on the page of a single result.",
    parameters=[filters.ImageFilters],
    responses={200: serializers.ScanResultSerializer(many=True), **errors(400, 401, 404)},
)
class ScanResults(Listing):
    serializer_class = serializers.ScanResultSerializer
    filter_class = filters.ImageFilters

    def get_queryset(self) -> QuerySet[ScanResult]:
        scan = access.get_scan(self.request.user, self.kwargs["pk"])
        rows = scan.results.select_related("image__image_set").defer("nodes")
        chosen = self.chosen()
        if "process" in chosen:
            rows = rows.filter(image__process=chosen["process"])
        return rows.order_by("image__image_set_id", "image__position")


@operation(
    "get_scan_result",
    "What a scan found in one image",
    "Score, calibrated p, size and alpha of the image's own anomalous subset, and its nodes.",
    responses={200: serializers.ScanResultDetailSerializer, **errors(401, 404)},
)
class ScanResultDetail(RetrieveAPIView):
    serializer_class = serializers.ScanResultDetailSerializer

    def get_object(self) -> ScanResult:
        scan = access.get_scan(self.request.user, self.kwargs["pk"])
        rows = scan.results.select_related("image__image_set")
        return get_object_or_404(rows, image__public_id=self.kwargs["image"])


@extend_schema(exclude=True)
class NotThere(APIView):
    """Any other address: the error has the API's shape here too."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound("There is nothing at this address, or it is not yours to see.")
