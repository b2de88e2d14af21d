"""While a job runs: how far it is, that its worker lives, and how it ends."""

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db import OperationalError, connections
from django.db.models import F
from django.utils import timezone

from studies.models import Job, JobState

BEAT_S = 5
REPORT_S = 0.5

# Told how much is done, of how much, and what is being done.
Progress = Callable[[int, int, str], None]


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """The job is not to be done any more: it was cancelled, or its worker taken for dead."""


def end_without_result(job: Job, state: JobState, error: str) -> None:
    Job.objects.filter(pk=job.pk, state=JobState.RUNNING).update(
        state=state, error=error, ended_at=timezone.now(), message=""
    )


def finish_job(job: Job, **made: Any) -> None:
    """The job has made what the fields of `made` say; Stopped where it was not to run on.

    To be called in the transaction that records what was made: so nothing is, after Stopped.
    """
    finished = Job.objects.filter(pk=job.pk, state=JobState.RUNNING).update(
        state=JobState.FINISHED,
        **made,
        n_done=F("n_total"),
        message="",
        ended_at=timezone.now(),
    )
    if not finished:
        raise Stopped


def reporter(job: Job) -> Progress:
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
