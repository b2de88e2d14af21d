from django.urls import path, re_path

from studies.views.workspace import (
    figures,
    images,
    participants,
    quality,
    results,
    scans,
    sessions,
    studies,
    tokens,
)

app_name = "workspace"
urlpatterns = [
    path("", studies.studies, name="studies"),
    path("sign-in/", sessions.sign_in, name="sign-in"),
    path("sign-out/", sessions.sign_out, name="sign-out"),
    path("studies/<slug:slug>/", studies.study, name="study"),
    path("studies/<slug:slug>/state/", studies.change_state, name="change-state"),
    path("studies/<slug:slug>/images/", studies.study_images, name="study-images"),
    path("studies/<slug:slug>/participants/", participants.participants, name="study-participants"),
    path("studies/<slug:slug>/participants/rules/", quality.rules, name="quality-rules"),
    path(
        "studies/<slug:slug>/participants/<public_id:public_id>/",
        participants.participant,
        name="participant",
    ),
    path(
        "studies/<slug:slug>/participants/<public_id:public_id>/decide/",
        participants.decide,
        name="decide",
    ),
    path("studies/<slug:slug>/results/", results.results, name="results"),
    path("studies/<slug:slug>/export/", results.export, name="export"),
    re_path(
        r"^studies/(?P<slug>[-\w]+)/figures/(?P<question>[-\w]+)/"
        r"(?P<name>size|score|labels)\.(?P<extension>svg|png|json)$",
        figures.study_figure,
        name="figure",
    ),
    path("sets/", images.image_sets, name="image-sets"),
    path("sets/<int:pk>/", images.image_set, name="image-set"),
    path("images/<public_id:public_id>/", images.image, name="image"),
    path("images/<public_id:public_id>/file", images.image_file, name="image-file"),
    path("scans/", scans.scans, name="scans"),
    path("scans/<int:pk>/", scans.scan, name="scan"),
    re_path(
        r"^scans/(?P<pk>\d+)/figures/(?P<predictor>size|score)\.(?P<extension>svg|png|json)$",
        figures.scan_figure,
        name="scan-figure",
    ),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/revoke/", tokens.revoke, name="revoke-token"),
]
