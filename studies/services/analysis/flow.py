"""From who came to whose ratings are analysed."""

from typing import Any

from django.db.models import Count, Exists, OuterRef, Q

from studies.models import (
    Event,
    Outcome,
    Participant,
    ParticipantState,
    Trial,
    TrialState,
)
from studies.services.analysis.inputs import Inputs

TURNED_AWAY = (
    Outcome.SCREENED_OUT,
    Outcome.COMPREHENSION,
    Outcome.OVER_QUOTA,
    Outcome.EXCLUDED,
    Outcome.TOO_LATE,
)


def participant_flow(inputs: Inputs) -> dict[str, Any]:
    """Counts of one kind of participants, in the order of a CONSORT diagram.

    `arrived` and `declined` are None: of who does not agree to take part nothing is stored, not
    even that they came. `kept_despite_decision` are those whom a researcher excluded and the plan
    keeps in.
    """
    people = Participant.objects.filter(study=inputs.study, kind=inputs.kind)
    given_back = Trial.objects.filter(participant=OuterRef("pk"), state=TrialState.RETURNED)
    open_ = Q(ended_at__isnull=True)
    counts = people.annotate(gave_back=Exists(given_back)).aggregate(
        consented=Count("pk"),
        started=Count("pk", filter=Q(started_at__isnull=False)),
        finished=Count("pk", filter=Q(state=ParticipantState.FINISHED)),
        withdrew=Count("pk", filter=Q(outcome=Outcome.WITHDREW)),
        erased=Count("pk", filter=Q(state=ParticipantState.ERASED)),
        turned_away=Count("pk", filter=Q(state=ParticipantState.TURNED_AWAY)),
        silent=Count("pk", filter=open_ & Q(gave_back=True)),
        still_open=Count("pk", filter=open_ & Q(gave_back=False)),
        decided=Count("pk", filter=Q(is_excluded=True)),
        **{
            f"turned_away_{outcome.value}": Count(
                "pk", filter=Q(state=ParticipantState.TURNED_AWAY, outcome=outcome)
            )
            for outcome in TURNED_AWAY
        },
    )
    screened = Event.objects.filter(
        study=inputs.study, kind="visitor_screened_out", data__kind=inputs.kind
    ).count()
    rated = {*inputs.all_ratings["rater"], *inputs.all_comparisons["rater"]}
    decided = counts.pop("decided")
    left_out = inputs.exclusions.decisions
    return {
        "arrived": None,
        "declined": None,
        "screened_out": screened,
        **counts,
        "rated": len(rated),
        "excluded_by_decision": decided if left_out else 0,
        "kept_despite_decision": 0 if left_out else decided,
        "excluded_by_plan": len(rated & inputs.exclusions.raters),
        "analysed": len({*inputs.ratings["rater"], *inputs.comparisons["rater"]}),
        "warnings": ["Who came and did not agree is not stored, and not counted."],
    }
