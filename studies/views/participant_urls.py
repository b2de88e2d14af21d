from django.urls import path

from studies.views import participant

app_name = "participant"
urlpatterns = [
    path("", participant.landing, name="landing"),
    path("consent/", participant.consent, name="consent"),
    path("declined/", participant.declined, name="declined"),
    path("instructions/", participant.instructions, name="instructions"),
    path("trial/", participant.trial, name="trial"),
    path("image/<public_id:trial_id>/", participant.image, name="image"),
    path("stop/", participant.stop, name="stop"),
    path("debrief/", participant.debrief, name="debrief"),
]
