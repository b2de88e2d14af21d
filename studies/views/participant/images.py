"""The pictures of trials."""

from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_GET

from studies import queries
from studies.models import Participant, Trial
from studies.views.participant.access import is_active, participant_page
from studies.views.pictures import picture


def shown_trial(participant: Participant, trial_id: str) -> Trial:
    trials = Trial.objects.select_related("study_image__image")
    trial = trials.filter(participant=participant, public_id=trial_id).first()
    if trial is None:
        raise Http404
    return trial


@require_GET
@participant_page
def image(request: HttpRequest, participant: Participant, trial_id: str) -> HttpResponseBase:
    """The picture of one of the participant's own trials.

    The address is the trial's random id, another one for every participant, and the answer
    carries neither a file name nor anything else that tells where the image is from.
    """
    shown = shown_trial(participant, trial_id).study_image
    if shown is None:
        raise Http404
    return picture(shown.image)


@require_GET
@participant_page
def compared(
    request: HttpRequest, participant: Participant, trial_id: str, place: int
) -> HttpResponseBase:
    """One of several pictures of one of the participant's own trials, by its place."""
    shown = (
        shown_trial(participant, trial_id)
        .images.filter(place=place)
        .select_related("study_image__image")
        .first()
    )
    if shown is None:
        raise Http404
    return picture(shown.study_image.image)


@require_GET
@participant_page
def reference(request: HttpRequest, participant: Participant) -> HttpResponseBase:
    """The picture that stands beside each image, for those who are rating."""
    shown = queries.protocol(participant.study).reference
    if shown is None or not is_active(participant):
        raise Http404
    return picture(shown)
