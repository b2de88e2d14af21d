"""What a worker does with a job."""

import logging
from collections.abc import Callable

from django.utils import timezone

from studies.errors import DomainError
from studies.models import Job, JobKind, JobState
from studies.services.jobs.analysis import make_analysis
from studies.services.jobs.export import make_export
from studies.services.jobs.planning import make_plan_job
from studies.services.jobs.running import Stopped, end_without_result, signs_of_life
from studies.services.jobs.scan import make_scan

logger = logging.getLogger(__name__)

WORKER_ENDED = "The worker was told to end while it did this."

# What is done for a job of each kind; it ends by `finish_job`.
WORK: dict[JobKind, Callable[[Job], None]] = {
    JobKind.SCAN: make_scan,
    JobKind.PLANNING: make_plan_job,
    JobKind.ANALYSIS: make_analysis,
    JobKind.EXPORT: make_export,
}


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
    job = Job.objects.select_related("workspace", "study").get(pk=job_id)
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
