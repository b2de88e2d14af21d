"""A plan as a job."""

import os
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from studies.models import Job, JobKind, Workspace
from studies.services import planning
from studies.services.jobs.record import create_job, job_of_request
from studies.services.jobs.running import finish_job, reporter
from studies.services.planning import PilotSource, PlanRequest

# Fewer studies than these are simulated sooner than other processes have begun.
FEW_STUDIES = 30


@dataclass(frozen=True, kw_only=True)
class PlanAsked:
    """A plan that somebody asks for: `power` is what they want."""

    workspace: Workspace
    name: str
    request: PlanRequest
    power: float
    pilot: PilotSource | None


def ask_for_plan(*, asked: PlanAsked, key: str, asked_by: User) -> tuple[Job, bool]:
    """The job of this plan, and whether it is new: one that was asked for twice is made once."""
    known = job_of_request(asked.workspace, key)
    if known is not None:
        return known, False
    planning.check_request(asked.request, asked.pilot)
    return create_job(
        workspace=asked.workspace,
        kind=JobKind.PLANNING,
        name=asked.name,
        parameters=plan_parameters(asked),
        key=key,
        asked_by=asked_by,
        study=asked.pilot.study if asked.pilot else None,
    )


def plan_parameters(asked: PlanAsked) -> dict[str, Any]:
    """`asked` as JSON values; the pilot's study is the job's."""
    pilot = asked.pilot
    return {
        "request": asked.request.to_dict(),
        "power": asked.power,
        "pilot": pilot
        and {"raters": pilot.raters, "question": pilot.question, "predictor": pilot.predictor},
    }


def make_plan_job(job: Job) -> None:
    """Fit the pilot where there is one, simulate, and keep the plan with what was asked."""
    given = job.parameters
    request = PlanRequest.from_dict(given["request"])
    source = None
    if given["pilot"] is not None and job.study is not None:
        source = planning.pilot_source(study=job.study, **given["pilot"])
    work = planning.check_work(request, compares=source is not None and source.compares)
    if work.n_studies > FEW_STUDIES:
        request = PlanRequest.from_dict(given["request"], n_workers=os.cpu_count() or 1)
    report = reporter(job)
    pilot = None
    if source is not None:
        report(0, work.n_studies, "fitting a model to the pilot’s ratings")
        pilot = planning.pilot_from(source, link=request.link)

    def progress(n_done: int, n_total: int) -> None:
        design = min(n_done // request.n_replicates + 1, work.n_cells)
        report(n_done, n_total, f"simulating studies: design {design} of {work.n_cells}")

    plan = planning.make_plan(request=request, pilot=pilot, progress=progress)
    with transaction.atomic():
        finish_job(job, result=planning.plan_record(plan, request, given["power"]))
