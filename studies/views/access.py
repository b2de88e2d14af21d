"""An object and the permission for it, from one call at the top of a view.

What a user may not see does not exist for them (404); what they may see but not do is
refused (403).
"""

from typing import Literal

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from studies import queries
from studies.models import Image, Job, Participant, Role, Scan, Study, Workspace

Visitor = User | AnonymousUser
Right = Literal["view", "edit", "own"]

RIGHTS: dict[Right, set[str]] = {
    "view": {Role.OWNER, Role.EDITOR, Role.VIEWER},
    "edit": {Role.OWNER, Role.EDITOR},
    "own": {Role.OWNER},
}


def may(user: Visitor, right: Right, workspace: Workspace) -> bool:
    """Whether `user` has `right` in `workspace`."""
    if not user.is_authenticated:
        return False
    return workspace.memberships.filter(user=user, role__in=RIGHTS[right]).exists()


def require(user: Visitor, right: Right, workspace: Workspace) -> None:
    if not may(user, right, workspace):
        raise PermissionDenied


def workspaces_with(user: Visitor, right: Right) -> QuerySet[Workspace]:
    """The workspaces in which `user` has `right`."""
    return queries.workspaces_of(user, RIGHTS[right])


def require_somewhere(user: Visitor, right: Right) -> None:
    """Refuse who has `right` in none of their workspaces."""
    if not workspaces_with(user, right).exists():
        raise PermissionDenied


def visible(user: Visitor, rows: QuerySet, workspace_path: str = "workspace") -> QuerySet:
    """The rows of `rows` whose workspace `user` is a member of."""
    return rows.filter(**{f"{workspace_path}__in": workspaces_with(user, "view")})


def get_study(user: Visitor, slug: str, right: Right = "view") -> Study:
    """The study called `slug`, for `right`; 404 where it is another workspace's."""
    rows = Study.objects.select_related("workspace", "scan")
    study = get_object_or_404(visible(user, rows), slug=slug)
    require(user, right, study.workspace)
    return study


def get_participant(
    user: Visitor, slug: str, public_id: str, right: Right = "view"
) -> tuple[Study, Participant]:
    """A participant of the study called `slug`, and the study, for `right`."""
    study = get_study(user, slug, right)
    rows = queries.participants_with_progress(study)
    return study, get_object_or_404(rows, public_id=public_id)


def get_image(user: Visitor, public_id: str) -> Image:
    rows = Image.objects.select_related("image_set__model", "image_set__workspace")
    return get_object_or_404(visible(user, rows, "image_set__workspace"), public_id=public_id)


def get_scan(user: Visitor, pk: int) -> Scan:
    rows = Scan.objects.select_related("model", "background", "workspace")
    return get_object_or_404(visible(user, rows), pk=pk)


def get_job(user: Visitor, pk: int, right: Right = "view") -> Job:
    """A job for `right`; 404 where it is another workspace's."""
    rows = Job.objects.select_related("workspace", "asked_by", "scan", "study")
    job = get_object_or_404(visible(user, rows), pk=pk)
    require(user, right, job.workspace)
    return job


def get_export(user: Visitor, slug: str, pk: int) -> tuple[Study, Job]:
    """An export of the study called `slug`, and the study; one with identifiers for owners only."""
    study = get_study(user, slug)
    job = get_object_or_404(queries.exports_of(study), pk=pk)
    if job.parameters.get("identifiers"):
        require(user, "own", study.workspace)
    return study, job
