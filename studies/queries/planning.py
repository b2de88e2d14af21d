"""What the pages that plan studies read."""

from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.fields.json import KT

from studies.models import Job, JobKind, Participant, Study, Trial, TrialRole, TrialState, Workspace
from studies.queries.researchers import workspaces_of


def studies_with_ratings(workspaces: QuerySet[Workspace]) -> QuerySet[Study]:
    """Studies of `workspaces` with a scan and with ratings of whomever, newest first."""
    ratings = Trial.objects.filter(
        participant=OuterRef("pk"), role=TrialRole.MAIN, state=TrialState.COMPLETED
    )
    raters = Participant.objects.filter(Exists(ratings), study=OuterRef("pk"), is_excluded=False)
    return (
        Study.objects.filter(Exists(raters), workspace__in=workspaces, scan__isnull=False)
        .select_related("workspace", "scan")
        .defer("scan__null_scores", "scan__group_nodes", "scan__details")
        .prefetch_related("questions")
        .order_by("-created_at", "pk")
    )


def plans_of(user: User | AnonymousUser) -> QuerySet[Any]:
    """Plans of studies in the user's workspaces, latest first, each with the `answer` it gave."""
    return (
        Job.objects.filter(workspace__in=workspaces_of(user), kind=JobKind.PLANNING)
        .select_related("asked_by", "study")
        .annotate(answer=KT("result__answer"))
        .defer("result", "parameters")
        .order_by("-created_at", "-pk")
    )


def names_of_plans(workspace: Workspace) -> set[str]:
    rows = Job.objects.filter(workspace=workspace, kind=JobKind.PLANNING)
    return set(rows.values_list("name", flat=True))
