"""An analysis as a job."""

from django.contrib.auth.models import User

from studies import queries
from studies.errors import DomainError
from studies.models import Job, JobKind, Study
from studies.services.analysis import analyse, chosen_kind
from studies.services.jobs.record import create_job, job_of_request, repeat_job
from studies.services.jobs.running import finish_job, reporter


def analysis_name(study: Study, kind: str) -> str:
    """What the job is called: one analysis of a study's ratings by one kind at a time."""
    return f"Analysis of {study.slug}, {kind}"


def latest_analysis_job(study: Study, kind: str) -> Job | None:
    rows = Job.objects.filter(
        workspace=study.workspace_id, kind=JobKind.ANALYSIS, name=analysis_name(study, kind)
    )
    return rows.order_by("-pk").first()


def ask_for_analysis(
    *, study: Study, kind: str | None, key: str, asked_by: User, seed: int | None = None
) -> tuple[Job, bool]:
    """The job of this analysis, and whether it is new: whoever asks meanwhile is led to it.

    One whose worker is silent is begun anew. DomainError where there is nothing to analyse.
    """
    known = job_of_request(study.workspace, key)
    if known is not None:
        return known, False
    kind = chosen_kind(study, kind, queries.kinds_with_ratings(study))
    try:
        return create_job(
            workspace=study.workspace,
            kind=JobKind.ANALYSIS,
            name=analysis_name(study, kind),
            parameters={"kind": kind, "seed": seed},
            key=key,
            asked_by=asked_by,
            study=study,
        )
    except DomainError:
        latest = latest_analysis_job(study, kind)
        if latest is None or not latest.is_under_way:
            raise
        return repeat_job(job=latest, asked_by=asked_by) if latest.is_silent else (latest, False)


def make_analysis(job: Job) -> None:
    if job.study is None:
        raise DomainError("no_study", "the study that was to be analysed is gone")
    analyse(
        study=job.study,
        kind=job.parameters["kind"],
        seed=job.parameters["seed"],
        progress=reporter(job),
        ending=lambda run: finish_job(job, analysis=run),
    )
