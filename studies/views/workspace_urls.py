from django.urls import path, re_path

from studies.views.workspace import (
    analysis_plan,
    exports,
    figures,
    images,
    jobs,
    new_scan,
    participants,
    planning,
    quality,
    reports,
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
    path("studies/<slug:slug>/plan/", analysis_plan.analysis_plan, name="analysis-plan"),
    path(
        "studies/<slug:slug>/plan.json", analysis_plan.analysis_plan_file, name="analysis-plan-file"
    ),
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
    path("studies/<slug:slug>/results/analyse/", results.analyse, name="analyse"),
    path("studies/<slug:slug>/exports/", exports.exports, name="exports"),
    path("studies/<slug:slug>/exports/<int:pk>/file", exports.export_file, name="export-file"),
    re_path(
        r"^studies/(?P<slug>[-\w]+)/figures/(?P<question>[-\w]+)/"
        r"(?P<name>size|score|labels|exclusions)\.(?P<extension>svg|png|pdf|json)$",
        figures.study_figure,
        name="figure",
    ),
    path("studies/<slug:slug>/report/", reports.report, name="report"),
    re_path(
        r"^studies/(?P<slug>[-\w]+)/report/report\.(?P<extension>html|pdf)$",
        reports.report_file,
        name="report-file",
    ),
    re_path(
        r"^studies/(?P<slug>[-\w]+)/report/figures/(?P<name>[-\w]+)\.(?P<extension>svg|png|pdf)$",
        reports.report_figure,
        name="report-figure",
    ),
    path("sets/", images.image_sets, name="image-sets"),
    path("sets/<int:pk>/", images.image_set, name="image-set"),
    path("images/<public_id:public_id>/", images.image, name="image"),
    path("images/<public_id:public_id>/file", images.image_file, name="image-file"),
    path("scans/", scans.scans, name="scans"),
    path("scans/new/", new_scan.new_scan, name="new-scan"),
    path("scans/<int:pk>/", scans.scan, name="scan"),
    re_path(
        r"^scans/(?P<pk>\d+)/figures/(?P<predictor>size|score)\.(?P<extension>svg|png|pdf|json)$",
        figures.scan_figure,
        name="scan-figure",
    ),
    re_path(
        r"^scans/(?P<pk>\d+)/figures/null\.(?P<extension>svg|png|pdf|json)$",
        figures.null_figure,
        name="null-figure",
    ),
    path("planning/", planning.plans, name="planning"),
    path("planning/<int:pk>/", planning.plan, name="plan"),
    re_path(
        r"^planning/(?P<pk>\d+)/plan\.(?P<extension>csv|json)$",
        planning.plan_file,
        name="plan-file",
    ),
    re_path(
        r"^planning/(?P<pk>\d+)/figures/curves\.(?P<extension>svg|png|pdf|json)$",
        figures.plan_figure,
        name="plan-figure",
    ),
    path("jobs/<int:pk>/", jobs.job, name="job"),
    path("jobs/<int:pk>/state/", jobs.job_state, name="job-state"),
    path("jobs/<int:pk>/cancel/", jobs.cancel_job, name="cancel-job"),
    path("jobs/<int:pk>/again/", jobs.repeat_job, name="repeat-job"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/revoke/", tokens.revoke, name="revoke-token"),
]
