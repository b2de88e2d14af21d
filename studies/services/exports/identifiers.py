"""Who took part, in an export: only for an owner who asks for it, and never without a trace."""

from pathlib import Path

from django.contrib.auth.models import User

from studies import queries
from studies.errors import DomainError
from studies.models import Event, Role, Study
from studies.services.exports.folders import Progress, silent, write_export
from studies.services.saving import record_event


def require_owner(user: User | None, study: Study) -> None:
    """DomainError unless `user` is an owner of the study's workspace."""
    owned = user is not None and queries.workspaces_of(user, {Role.OWNER})
    if not owned or not owned.filter(pk=study.workspace_id).exists():
        raise DomainError(
            "not_an_owner", "only an owner of the workspace can have identifiers exported"
        )


def record_identifiers(*, study: Study, actor: User | None, n: int, by: str) -> Event:
    """Say in the log that `n` participants' identifiers were exported for `actor`, and how."""
    return record_event(
        study=study, actor=actor, kind="identifiers_exported", data={"n_identities": n, "by": by}
    )


def write_identifying_export(
    *, study: Study, folder: Path, owner: User | None, progress: Progress = silent
) -> dict[str, int]:
    """`write_export` with identifiers, for `owner`; logged before anything is written."""
    require_owner(owner, study)
    n = queries.identity_rows(study).count()
    record_identifiers(study=study, actor=owner, n=n, by="command")
    return write_export(study=study, folder=folder, identifiers=True, progress=progress)
