"""What researchers' pages, the API and the admin read."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import (
    Avg,
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from studies.models import (
    SILENT,
    UNDER_WAY,
    Coverage,
    Decision,
    Image,
    ImageRole,
    ImageSet,
    Job,
    JobKind,
    JobState,
    Participant,
    ParticipantKind,
    ParticipantState,
    Process,
    Response,
    Scan,
    ScanResult,
    Study,
    StudyImage,
    Trial,
    TrialRole,
    TrialState,
    Workspace,
)


def workspaces_of(
    user: User | AnonymousUser, roles: Collection[str] | None = None
) -> QuerySet[Workspace]:
    """The workspaces that `user` is a member of; with `roles`, in one of these."""
    if not user.is_authenticated:
        return Workspace.objects.none()
    # In one filter, so that user and role are those of one membership.
    own = Q(memberships__user=user)
    return Workspace.objects.filter(own if roles is None else own & Q(memberships__role__in=roles))


def with_participant_counts(studies: QuerySet[Study]) -> QuerySet[Study]:
    """`studies` with n_images, n_people, n_finished, n_simulated and n_ratings.

    Each count is a subquery of its own: joined, they would multiply each other.
    """

    def counted(rows: QuerySet[Any]) -> Coalesce:
        per_study = rows.order_by().values("study").annotate(n=Count("pk")).values("n")
        return Coalesce(Subquery(per_study), 0)

    people = Participant.objects.filter(study=OuterRef("pk"), kind=ParticipantKind.PERSON)
    simulated = Participant.objects.filter(study=OuterRef("pk"), kind=ParticipantKind.SIMULATED)
    return studies.annotate(
        n_images=counted(StudyImage.objects.filter(study=OuterRef("pk"), role=ImageRole.RATING)),
        n_people=counted(people),
        n_finished=counted(people.filter(state=ParticipantState.FINISHED)),
        n_simulated=counted(simulated),
    )


def every_image(study: Study) -> QuerySet[StudyImage]:
    """The images of `study`, whatever they are for, with their scan results and ratings."""

    def completed(kind: ParticipantKind) -> Coalesce:
        rows = Coverage.objects.filter(study_image=OuterRef("pk"), kind=kind)
        return Coalesce(Subquery(rows.values("n_completed")), 0)

    result = ScanResult.objects.filter(scan=study.scan_id, image=OuterRef("image"))
    return (
        StudyImage.objects.filter(study=study)
        .select_related("image")
        .annotate(
            n_people=completed(ParticipantKind.PERSON),
            n_pilot=completed(ParticipantKind.PILOT),
            n_simulated=completed(ParticipantKind.SIMULATED),
            score=Subquery(result.values("score")),
            size=Subquery(result.values("size")),
            pvalue=Subquery(result.values("pvalue")),
            alpha=Subquery(result.values("alpha")),
            in_group=Subquery(result.values("in_group")),
        )
        .order_by("pk")
    )


def study_images(study: Study) -> QuerySet[StudyImage]:
    """The images that are to be rated, with their scan results and how often each was."""
    return every_image(study).filter(role=ImageRole.RATING).order_by()


def participant_flow(study: Study) -> dict[str, dict[str, int]]:
    """Participants by kind and state, zeros included."""
    flow = {kind.value: dict.fromkeys(ParticipantState.values, 0) for kind in ParticipantKind}
    for row in study.participants.values("kind", "state").annotate(n=Count("pk")):
        flow[row["kind"]][row["state"]] = row["n"]
    return flow


def participant_outcomes(study: Study) -> dict[str, dict[str, int]]:
    """By kind: how many ended with each outcome ("": not ended), and how many are excluded."""
    outcomes: dict[str, dict[str, int]] = {kind.value: {} for kind in ParticipantKind}
    rows = study.participants.order_by().values_list("kind", "outcome", "is_excluded")
    for kind, outcome, is_excluded, n in rows.annotate(n=Count("pk")):
        counts = outcomes[kind]
        counts[outcome] = counts.get(outcome, 0) + n
        counts["is_excluded"] = counts.get("is_excluded", 0) + n * is_excluded
    return outcomes


def slots_by_state(study: Study) -> dict[str, dict[str, int]]:
    """Ratings to be given, by kind of participants and by state of the trial."""
    slots: dict[str, dict[str, int]] = {kind.value: {} for kind in ParticipantKind}
    rows = Trial.objects.filter(participant__study=study, role=TrialRole.MAIN).order_by()
    for kind, state, n in rows.values_list("participant__kind", "state").annotate(n=Count("pk")):
        slots[kind][state] = n
    return slots


def coverage_by_stratum(study: Study) -> list[tuple[str, str, int, int]]:
    """(kind, stratum, n_assigned, n_completed) of each image, strata and images in order."""
    rows = Coverage.objects.filter(study=study).order_by("stratum", "study_image_id")
    return list(rows.values_list("kind", "stratum", "n_assigned", "n_completed"))


def scans_of_image(image: Image) -> QuerySet[ScanResult]:
    """What every scan found in `image`, newest scan first."""
    return (
        image.scan_results.select_related("scan")
        .defer("scan__null_scores")
        .order_by("-scan__created_at")
    )


def jobs_without_result(user: User | AnonymousUser, kind: JobKind) -> QuerySet[Job]:
    """Jobs of `kind` in the user's workspaces that are under way, failed or stopped; latest first.

    One that was asked for again is told by what became of it then.
    """
    later = Job.objects.filter(
        workspace=OuterRef("workspace"), kind=OuterRef("kind"), name=OuterRef("name")
    ).filter(pk__gt=OuterRef("pk"))
    return (
        Job.objects.filter(workspace__in=workspaces_of(user), kind=kind)
        .exclude(state__in=[JobState.FINISHED, JobState.CANCELLED])
        .exclude(Exists(later))
        .select_related("asked_by")
        .order_by("-created_at", "-pk")
    )


def names_under_way(workspace: Workspace, kind: JobKind) -> set[str]:
    """What jobs of `kind` are making in `workspace` now, by name."""
    rows = Job.objects.filter(workspace=workspace, kind=kind, state__in=UNDER_WAY)
    return set(rows.values_list("name", flat=True))


def n_at_work() -> int:
    """How many jobs some worker is doing now, as far as signs of life tell."""
    return Job.objects.filter(
        state=JobState.RUNNING, heartbeat_at__gt=timezone.now() - SILENT
    ).count()


def participants_with_progress(study: Study) -> QuerySet[Participant]:
    """Participants, latest first, with how far they are and what was decided about them.

    Added are n_assigned, n_completed and n_returned (trials but practice), duration where they
    ended, and of the latest decision verdict, decision_reason and decided_at.
    """

    def counted(trials: QuerySet[Trial]) -> Coalesce:
        per_participant = trials.order_by().values("participant").annotate(n=Count("pk"))
        return Coalesce(Subquery(per_participant.values("n")), 0)

    trials = Trial.objects.filter(participant=OuterRef("pk")).exclude(role=TrialRole.PRACTICE)
    latest = Decision.objects.filter(participant=OuterRef("pk")).order_by("-at", "-pk")
    return (
        Participant.objects.filter(study=study)
        .annotate(
            n_assigned=counted(trials),
            n_completed=counted(trials.filter(state=TrialState.COMPLETED)),
            n_returned=counted(trials.filter(state=TrialState.RETURNED)),
            duration=ExpressionWrapper(
                F("ended_at") - F("started_at"), output_field=DurationField()
            ),
            verdict=Subquery(latest.values("verdict")[:1]),
            decision_reason=Subquery(latest.values("reason")[:1]),
            decided_at=Subquery(latest.values("at")[:1]),
        )
        .order_by("-consented_at", "pk")
    )


@dataclass(frozen=True)
class ImageSetSummary:
    """An image set with how many images of each process it holds, and its first images."""

    image_set: ImageSet
    processes: dict[str, int]
    samples: list[Image]

    @property
    def n_images(self) -> int:
        return sum(self.processes.values())


def image_set_summaries(sets: list[ImageSet], *, n_samples: int) -> list[ImageSetSummary]:
    """What a list of image sets shows of each. Two queries, however many sets."""
    processes: dict[int, dict[str, int]] = {row.pk: {} for row in sets}
    samples: dict[int, list[Image]] = {row.pk: [] for row in sets}
    images = Image.objects.filter(image_set__in=sets)
    for row in images.values("image_set", "process").annotate(n=Count("pk")).order_by("process"):
        processes[row["image_set"]][row["process"]] = row["n"]
    for image in images.filter(position__lt=n_samples).order_by("position"):
        samples[image.image_set_id].append(image)
    return [ImageSetSummary(row, processes[row.pk], samples[row.pk]) for row in sets]


def neighbours_in_set(image: Image) -> dict[str, str]:
    """The public ids of the image before ("previous") and after ("next") in the set."""
    names = {image.position - 1: "previous", image.position + 1: "next"}
    rows = Image.objects.filter(image_set=image.image_set_id, position__in=names)
    return {names[position]: key for position, key in rows.values_list("position", "public_id")}


def results_by_score(scan: Scan) -> QuerySet[ScanResult]:
    """What `scan` found in its images, highest score first."""
    return scan.results.select_related("image").defer("nodes").order_by("-score", "image_id")


def group_by_process(scan: Scan) -> list[dict[str, Any]]:
    """By process: n images, n_in_group of them in the group's subset, mean score and size.

    n_unusual is how many have a calibrated p of at most 0.05.
    """
    rows = (
        scan.results.values(process=F("image__process"))
        .annotate(
            n=Count("pk"),
            n_in_group=Count("pk", filter=Q(in_group=True)),
            n_unusual=Count("pk", filter=Q(pvalue__lte=0.05)),
            mean_score=Avg("score"),
            mean_size=Avg("size"),
        )
        .order_by("process")
    )
    return [dict(row) for row in rows]


def n_creative_in_group(scan: Scan) -> int:
    return scan.results.filter(in_group=True, image__process=Process.CREATIVE).count()


def irreplaceable(demonstration: str, researcher: str) -> dict[str, int]:
    """How much the database holds that no seed can make again.

    `demonstration` and `researcher` name the workspace and the user that can be made again.
    """
    people = Participant.objects.exclude(kind=ParticipantKind.SIMULATED)
    made_again = Study.objects.filter(workspace__name=demonstration, slug__regex=r"^demo(-\d+)?$")
    return {
        "ratings": Response.objects.filter(trial__participant__in=people).count(),
        "people": people.count(),
        "studies": Study.objects.exclude(pk__in=made_again).count(),
        "image_sets": ImageSet.objects.exclude(workspace__name=demonstration).count(),
        "users": User.objects.exclude(username=researcher).count(),
    }
