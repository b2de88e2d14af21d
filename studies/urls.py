"""Every address. Only participants' pages, sign-in and the health check are open to strangers."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from studies.views import health

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="workspace:studies"), name="home"),
    path("healthz", health.healthz, name="healthz"),
    path("s/<slug:slug>/", include("studies.views.participant.urls")),
    path("workspace/", include("studies.views.workspace_urls")),
    path("api/v1/", include("studies.api.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "studies.views.errors.bad_request"
handler403 = "studies.views.errors.permission_denied"
handler404 = "studies.views.errors.not_found"
handler500 = "studies.views.errors.server_error"
