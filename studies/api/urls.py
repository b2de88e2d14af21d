from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer

from studies.api import exports, results, views

app_name = "api"
urlpatterns = [
    path("studies/", views.StudyList.as_view(), name="studies"),
    path("studies/<slug:slug>/", views.StudyDetail.as_view(), name="study"),
    path("studies/<slug:slug>/images/", views.StudyImages.as_view(), name="study-images"),
    path(
        "studies/<slug:slug>/participants/",
        views.StudyParticipants.as_view(),
        name="study-participants",
    ),
    path("studies/<slug:slug>/responses/", views.StudyResponses.as_view(), name="study-responses"),
    path("studies/<slug:slug>/plan/", views.StudyPlan.as_view(), name="study-plan"),
    path("studies/<slug:slug>/results/", results.StudyResults.as_view(), name="study-results"),
    path("studies/<slug:slug>/export/", views.StudyExport.as_view(), name="study-export"),
    path("studies/<slug:slug>/exports/", exports.StudyExports.as_view(), name="study-exports"),
    path(
        "studies/<slug:slug>/exports/<int:pk>/",
        exports.StudyExportDetail.as_view(),
        name="study-export-detail",
    ),
    path(
        "studies/<slug:slug>/exports/<int:pk>/file/",
        exports.StudyExportFile.as_view(),
        name="study-export-file",
    ),
    path("scans/", views.ScanList.as_view(), name="scans"),
    path("scans/<int:pk>/", views.ScanDetail.as_view(), name="scan"),
    path("scans/<int:pk>/results/", views.ScanResults.as_view(), name="scan-results"),
    path(
        "scans/<int:pk>/results/<public_id:image>/",
        views.ScanResultDetail.as_view(),
        name="scan-result",
    ),
    # JSON, so that errors have their shape here too; every tool that reads YAML reads it.
    path(
        "schema/",
        SpectacularAPIView.as_view(
            permission_classes=[IsAuthenticated], renderer_classes=[JSONRenderer]
        ),
        name="schema",
    ),
    # Only with a slash at the end, so that an address without one is still led to the right one.
    re_path(r"^(.*/)?$", views.NotThere.as_view(), name="not-there"),
]
