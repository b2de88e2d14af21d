"""What has been exported of a study, and whether it has gone on since."""

from typing import Any

from django.db.models import Count, Max, QuerySet, Sum

from studies.models import (
    Event,
    Job,
    JobKind,
    Participant,
    ParticipantState,
    Response,
    Revision,
    Study,
    Trial,
)

# Lines of the log that change nothing of what is exported but the log itself.
ABOUT_EXPORTS = ("identifiers_exported",)


def exports_of(study: Study) -> QuerySet[Job]:
    """The study's exports, those that failed among them, latest first."""
    rows = Job.objects.filter(study=study, kind=JobKind.EXPORT)
    return rows.select_related("asked_by").order_by("-created_at", "-pk")


def state_of_data(study: Study) -> dict[str, Any]:
    """Counts and times that differ when the study's data do, without reading the data.

    Whatever people send moves a participant's time; whatever researchers do writes a line.
    """
    people = Participant.objects.filter(study=study).aggregate(
        n_participants=Count("pk"), n_done=Sum("n_done"), last_active_at=Max("last_active_at")
    )
    events = Event.objects.filter(study=study).exclude(kind__in=ABOUT_EXPORTS)
    last = people["last_active_at"]
    return {
        **people,
        "last_active_at": None if last is None else last.isoformat(),
        "last_event": events.aggregate(last=Max("pk"))["last"],
        "n_erased": n_erased(study),
    }


def n_erased(study: Study) -> int:
    return Participant.objects.filter(study=study, state=ParticipantState.ERASED).count()


def n_rows_expected(study: Study) -> int:
    """About how many rows the tables of an export have: all of those that can be long."""
    n_trials = Trial.objects.filter(participant__study=study).count()
    return (
        Response.objects.filter(trial__participant__study=study).count()
        + Revision.objects.filter(response__trial__participant__study=study).count()
        # In the table of trials, and in the wide table of answers.
        + 2 * n_trials
        + Event.objects.filter(study=study).count()
    )
