"""The addresses of a participant, all under ``/s/<slug>/``."""

from django.urls import path

from studies.views.participant import entry, steps, trials

app_name = "participant"

urlpatterns = [
    path("", entry.landing, name="landing"),
    path("consent/", entry.consent, name="consent"),
    path("rejoin/", entry.rejoin, name="rejoin"),
    path("declined/", entry.declined, name="declined"),
    path("step/", steps.step, name="step"),
    path("trial/", trials.trial, name="trial"),
    path("answers/", trials.answers, name="answers"),
    path("image/<public_id:trial_id>/", trials.image, name="image"),
    path("image/<public_id:trial_id>/<int:place>/", trials.compared, name="compared"),
    path("reference/", trials.reference, name="reference"),
    path("stop/", steps.stop, name="stop"),
    path("debrief/", steps.debrief, name="debrief"),
]
