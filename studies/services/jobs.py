"""Work in the background: asked for in a page, done by a worker, watched, cancelled, repeated."""

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, OperationalError, connections, transaction
from django.db.models import F
from django.utils import timezone

from studies import queries
from studies.errors import DomainError
from studies.models import (
    ENDED_WITHOUT_RESULT,
    SILENT,
    UNDER_WAY,
    ImageSet,
    Job,
    JobKind,
    JobState,
    Scan,
    Workspace,
)
from studies.services import scans
from studies.services.saving import save_valid

logger = logging.getLogger(__name__)

BEAT_S = 5
REPORT_S = 0.5
WORKER_GONE = "The worker that did it stopped without a word: it was ended, or ran out of memory."
WORKER_ENDED = "The worker was told to end while it did this."
SETS = ("test_sets", "held_out")


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """The job is not to be done any more: it was cancelled, or its worker taken for dead."""


def ask_for_scan(*, asked: scans.ScanRequest, key: str, asked_by: User) -> tuple[Job, bool]:
    """The job of this scan, and whether it is new: one that was asked for twice is made once."""
    known = job_of_request(asked.workspace, key)
    if known is not None:
        return known, False
    scans.check_request(asked)
    return create_job(
        workspace=asked.workspace,
        kind=JobKind.SCAN,
        name=asked.name,
        parameters=scan_parameters(asked),
        key=key,
        asked_by=asked_by,
    )


def job_of_request(workspace: Workspace, key: str) -> Job | None:
    return Job.objects.filter(workspace=workspace, key=key).first()


def create_job(
    *,
    workspace: Workspace,
    kind: JobKind,
    name: str,
    parameters: dict[str, Any],
    key: str,
    asked_by: User,
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
    )
    try:
        with transaction.atomic():
            return save_valid(job), True
    except (DomainError, IntegrityError) as error:
        known = job_of_request(workspace, key)
        if known is not None:
            return known, False
        if isinstance(error, IntegrityError) or name in queries.names_under_way(workspace):
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
    )


def perform_job(*, job_id: int) -> None:
    """Do the job, unless it was cancelled or somebody else does it.

    1. Only a waiting job is begun, by one worker.
    2. While it runs, each report asks whether it still is to run.
    3. What it makes is recorded in the transaction that ends it, if it is still to run then.
    """
    now = timezone.now()
    begun = Job.objects.filter(pk=job_id, state=JobState.QUEUED).update(
        state=JobState.RUNNING, started_at=now, heartbeat_at=now
    )
    if not begun:
        return
    job = Job.objects.select_related("workspace").get(pk=job_id)
    try:
        with signs_of_life(job):
            WORK[JobKind(job.kind)](job)
    except Stopped:
        logger.info("%s was stopped", job)
    except DomainError as error:
        end_without_result(job, JobState.FAILED, error.detail)
    except Exception as error:
        # Whatever it was, whoever asked is told, and the worker's log has the rest.
        logger.exception("%s failed", job)
        end_without_result(job, JobState.FAILED, f"{type(error).__name__}: {error}")
        raise
    except BaseException:
        end_without_result(job, JobState.STOPPED, WORKER_ENDED)
        raise


def end_without_result(job: Job, state: JobState, error: str) -> None:
    Job.objects.filter(pk=job.pk, state=JobState.RUNNING).update(
        state=state, error=error, ended_at=timezone.now(), message=""
    )


def finish_job(job: Job, *, scan: Scan) -> None:
    """The job has made `scan`; Stopped, and so nothing recorded, where it was not to run on."""
    finished = Job.objects.filter(pk=job.pk, state=JobState.RUNNING).update(
        state=JobState.FINISHED,
        scan=scan,
        n_done=F("n_total"),
        message="",
        ended_at=timezone.now(),
    )
    if not finished:
        raise Stopped


def reporter(job: Job) -> scans.Progress:
    """What the work calls with (done, total, message); it raises Stopped where it is to end."""
    told_at = -math.inf

    def report(n_done: int, n_total: int, message: str) -> None:
        nonlocal told_at
        if time.monotonic() - told_at < REPORT_S:
            return
        told_at = time.monotonic()
        told = Job.objects.filter(pk=job.pk, state=JobState.RUNNING).update(
            n_done=n_done, n_total=n_total, message=message, heartbeat_at=timezone.now()
        )
        if not told:
            raise Stopped

    return report


@contextlib.contextmanager
def signs_of_life(job: Job) -> Iterator[None]:
    """Say every few seconds that the work goes on, also where a step of it takes long."""
    over = threading.Event()

    def beat() -> None:
        try:
            while not over.wait(BEAT_S):
                # One that the database is too busy for is made up by the next.
                with contextlib.suppress(OperationalError):
                    Job.objects.filter(pk=job.pk, state=JobState.RUNNING).update(
                        heartbeat_at=timezone.now()
                    )
        finally:
            connections.close_all()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def scan_parameters(asked: scans.ScanRequest) -> dict[str, Any]:
    """`asked` as JSON values: sets by their keys."""
    plain = {
        field.name: getattr(asked, field.name)
        for field in fields(asked)
        if field.name not in ("workspace", "name", "background", *SETS)
    }
    return {
        **plain,
        "background": asked.background.pk,
        **{name: [image_set.pk for image_set in getattr(asked, name)] for name in SETS},
    }


def scan_request(job: Job) -> scans.ScanRequest:
    """What `scan_parameters` wrote down."""
    given = dict(job.parameters)
    keys = {given["background"], *given["test_sets"], *given["held_out"]}
    sets = ImageSet.objects.select_related("model").in_bulk(keys)
    if len(sets) < len(keys):
        raise DomainError("no_image_set", "an image set that was to be scanned is gone")
    given["background"] = sets[given["background"]]
    for name in SETS:
        given[name] = [sets[key] for key in given[name]]
    return scans.ScanRequest(workspace=job.workspace, name=job.name, **given)


def make_scan(job: Job) -> None:
    asked = scan_request(job)
    found = scans.search(asked, progress=reporter(job))
    with transaction.atomic():
        finish_job(job, scan=scans.record_scan(asked, found))


WORK: dict[JobKind, Callable[[Job], None]] = {JobKind.SCAN: make_scan}
