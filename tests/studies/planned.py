"""Plans that are quick to make, and kept as jobs."""

from functools import cache
from typing import Any

from studies.models import Job, JobKind, JobState, Workspace
from studies.services import planning
from studies.services.planning import PlanRequest
from tests.studies import factories

REQUEST = PlanRequest(
    images=(8, 12),
    ratings_per_image=(3,),
    trials=6,
    effects=(2.5, 0.0),
    proportions=(1.0, 1.0, 1.0),
    n_replicates=3,
    rater_slopes=False,
)


@cache
def record() -> dict[str, Any]:
    """A plan of two small designs and two effects, as it is kept."""
    return planning.plan_record(planning.make_plan(request=REQUEST), REQUEST, 0.8)


def plan_job(*, workspace: Workspace, **fields: Any) -> Job:
    """A plan that is made."""
    values = {
        "kind": JobKind.PLANNING,
        "parameters": {"request": REQUEST.to_dict(), "power": 0.8, "pilot": None},
        "result": record(),
    }
    return factories.job(JobState.FINISHED, workspace=workspace, **{**values, **fields})
