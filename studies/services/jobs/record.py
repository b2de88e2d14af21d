"""What was asked for: recorded once, cancelled, asked for again."""

from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from studies import queries
from studies.errors import DomainError
from studies.models import (
    ENDED_WITHOUT_RESULT,
    SILENT,
    UNDER_WAY,
    Job,
    JobKind,
    JobState,
    Study,
    Workspace,
)
from studies.services.saving import save_valid

WORKER_GONE = "The worker that did it stopped without a word: it was ended, or ran out of memory."


def job_of_request(workspace: Workspace, key: str) -> Job | None:
    return Job.objects.filter(workspace=workspace, key=key).first()


def create_job(
    *,
    workspace: Workspace,
    kind: JobKind,
    name: str,
    parameters: dict[str, Any],
    key: str,
    asked_by: User | None,
    study: Study | None = None,
) -> tuple[Job, bool]:
    """Record that something is to be done; the job, and whether it is new.

    1. A request that is known has its job already.
    2. One job at a time makes what is called `name`; the database sees to that.
    3. Of two requests that come together one gets through; the other looks again, and finds
       its job, or is refused.
    """
    known = job_of_request(workspace, key)
    if known is not None:
        return known, False
    job = Job(
        workspace=workspace,
        kind=kind,
        name=name,
        parameters=parameters,
        key=key,
        asked_by=asked_by,
        study=study,
    )
    try:
        with transaction.atomic():
            return save_valid(job), True
    except (DomainError, IntegrityError) as error:
        known = job_of_request(workspace, key)
        if known is not None:
            return known, False
        if isinstance(error, IntegrityError) or name in queries.names_under_way(workspace, kind):
            raise DomainError(
                "under_way", f"“{name}” is being made already; wait for it, or cancel it"
            ) from error
        raise


def cancel_job(*, job: Job) -> None:
    """Nothing of it will be recorded; DomainError where it has ended."""
    cancelled = Job.objects.filter(pk=job.pk, state__in=UNDER_WAY).update(
        state=JobState.CANCELLED, ended_at=timezone.now(), message=""
    )
    if not cancelled:
        raise DomainError("not_under_way", "it has ended already")


def repeat_job(*, job: Job, asked_by: User) -> tuple[Job, bool]:
    """Another job for the same, and whether it is new; only of one that ended without a result.

    1. Where its worker is silent the job is declared stopped first: the worker, should it only
       have slept, finds that out when it reports or records, and leaves nothing behind.
    2. The request is named after the job, so that pressing twice repeats once.
    """
    now = timezone.now()
    Job.objects.filter(pk=job.pk, state=JobState.RUNNING, heartbeat_at__lt=now - SILENT).update(
        state=JobState.STOPPED, ended_at=now, error=WORKER_GONE, message=""
    )
    job.refresh_from_db()
    if job.state not in ENDED_WITHOUT_RESULT:
        raise DomainError("not_ended", "it is under way, or has its result")
    return create_job(
        workspace=job.workspace,
        kind=JobKind(job.kind),
        name=job.name,
        parameters=job.parameters,
        key=f"again-{job.pk}",
        asked_by=asked_by,
        study=job.study,
    )
