"""The code and the way back, by how taking part ended."""

from typing import Any

from studies.models import EntryService, Participant, Study
from studies.services.identities import is_own_submission
from studies.services.recruitment import Arrival, WayBack, hand_in, way_back


def code_of(study: Study, outcome: str) -> str:
    """What participants hand to the service whose part ends with `outcome`, or nothing."""
    row = study.codes.filter(outcome=outcome).first()
    return row.code if row else ""


def leaving_context(study: Study, outcome: str, arrival: Arrival | None) -> dict[str, Any]:
    """What `participant/_leaving.html` shows. An outcome of the participant is stored by now."""
    code = code_of(study, outcome)
    return {
        "code": code,
        "service": study.get_entry_display(),
        "back_by_tab": study.entry == EntryService.MTURK,
        "way_back": way_back(
            study.entry, study.service_settings, outcome=outcome, code=code, arrival=arrival
        ),
    }


def handing_in(study: Study, participant: Participant, arrival: Arrival | None) -> WayBack | None:
    """The form that hands in the assignment of `participant`, whose part is over.

    None for another assignment than theirs, which nobody worked on, and where the outcome has
    no code: then the place is to be returned.
    """
    if arrival is None or participant.ended_at is None:
        return None
    code = code_of(study, participant.outcome)
    if not code or not is_own_submission(participant, arrival):
        return None
    return hand_in(arrival, code)
