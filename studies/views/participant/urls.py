"""The addresses of a participant, all under ``/s/<slug>/``."""

from django.urls import path

from studies.views.participant import answers, entry, images, steps, trials

app_name = "participant"

urlpatterns = [
    path("", entry.landing, name="landing"),
    path("consent/", entry.consent, name="consent"),
    path("rejoin/", entry.rejoin, name="rejoin"),
    path("declined/", entry.declined, name="declined"),
    path("step/", steps.step, name="step"),
    path("trial/", trials.trial, name="trial"),
    path("answers/", answers.answers, name="answers"),
    path("image/<public_id:trial_id>/", images.image, name="image"),
    path("image/<public_id:trial_id>/<int:place>/", images.compared, name="compared"),
    path("reference/", images.reference, name="reference"),
    path("stop/", steps.stop, name="stop"),
    path("debrief/", steps.debrief, name="debrief"),
]
