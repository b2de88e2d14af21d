"""What the worker does, and how it is given to it (`manage.py db_worker` is the worker).

A job and its place in the queue are written in one transaction: neither is there alone.
"""

from django.contrib.auth.models import User
from django.db import transaction
from django_tasks import task

from studies.models import Job, Study
from studies.services import jobs
from studies.services.scans import ScanRequest


@task()
def do_job(job_id: int) -> None:
    jobs.perform_job(job_id=job_id)


@transaction.atomic
def start_scan(*, asked: ScanRequest, key: str, asked_by: User) -> Job:
    """Have the scan made; the same request again leads to the same job."""
    return queued(*jobs.ask_for_scan(asked=asked, key=key, asked_by=asked_by))


def start_export(*, study: Study, key: str, asked_by: User, identifiers: bool = False) -> Job:
    """Have the export made: a small one at once, whether or not there is a worker.

    It is queued all the same, so that a worker finds it should this process end; whoever begins
    first does it.
    """
    with transaction.atomic():
        job, is_new = jobs.ask_for_export(
            study=study, key=key, asked_by=asked_by, identifiers=identifiers
        )
        queued(job, is_new)
    if is_new and jobs.takes_a_moment(study):
        jobs.perform_job(job_id=job.pk)
        job.refresh_from_db()
    return job


@transaction.atomic
def start_planning(*, asked: jobs.PlanAsked, key: str, asked_by: User) -> Job:
    """Have the plan made; the same request again leads to the same job."""
    return queued(*jobs.ask_for_plan(asked=asked, key=key, asked_by=asked_by))


@transaction.atomic
def start_analysis(
    *, study: Study, kind: str | None, key: str, asked_by: User, seed: int | None = None
) -> Job:
    """Have the ratings analysed; who asks while that is done is led to the same job."""
    return queued(
        *jobs.ask_for_analysis(study=study, kind=kind, key=key, asked_by=asked_by, seed=seed)
    )


@transaction.atomic
def start_again(*, job: Job, asked_by: User) -> Job:
    """Have the same made again, after it ended without a result."""
    return queued(*jobs.repeat_job(job=job, asked_by=asked_by))


def queued(job: Job, is_new: bool) -> Job:
    if is_new:
        do_job.enqueue(job.pk)
    return job
