"""Deleting identifiers from outside when the time for which they were promised is over."""

from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from studies.models import Identity, Invitation, Session, Study
from studies.services.exports.stored import withdraw_exports
from studies.services.saving import record_event


@dataclass(frozen=True)
class Deleted:
    """How much of one study was deleted."""

    study: Study
    n_identities: int
    n_invitations: int
    n_sessions: int
    n_exports: int


def delete_expired_identities(*, today: date | None = None) -> list[Deleted]:
    """Delete the identifiers of every study whose `retention_until` is past; what was deleted.

    Identities and invitations go, exports with identifiers that the server keeps, and the
    sessions of whoever has ended or can no longer come back: from then on nothing leads from a
    person or a browser to an answer. The answers stay. Done again, it finds nothing. Each study
    is a transaction of its own.
    """
    today = today or timezone.localdate()
    expired = Study.objects.filter(retention_until__lt=today).order_by("pk")
    return [deleted for study in expired if (deleted := delete_identifiers_of(study)) is not None]


@transaction.atomic
def delete_identifiers_of(study: Study) -> Deleted | None:
    """Delete the identifiers that `study` holds; None where it holds none."""
    useless = Q(participant__ended_at__isnull=False) | Q(expires_at__lte=timezone.now())
    sessions = Session.objects.filter(useless, participant__study=study)
    deleted = Deleted(
        study=study,
        n_identities=Identity.objects.filter(study=study).delete()[0],
        n_invitations=Invitation.objects.filter(study=study).delete()[0],
        n_sessions=sessions.delete()[0],
        n_exports=withdraw_exports(study, "identities_deleted", identifiers_only=True),
    )
    counts = {
        "n_identities": deleted.n_identities,
        "n_invitations": deleted.n_invitations,
        "n_sessions": deleted.n_sessions,
        "n_exports": deleted.n_exports,
    }
    if not any(counts.values()):
        return None
    record_event(study=study, kind="identities_deleted", data=counts)
    return deleted
