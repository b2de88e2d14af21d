"""Whether the plan was kept."""

from typing import Any

from studies.services.analysis.inputs import Inputs


def plan_part(inputs: Inputs) -> dict[str, Any] | None:
    """The plan that the result belongs to, and whether it was kept; None where there is none."""
    plan = inputs.plan
    if plan is None or plan.fixed_at is None:
        return None
    return {
        "version": plan.version,
        "sha256": plan.sha256,
        "fixed_at": plan.fixed_at.isoformat(),
        "n_ratings_before": plan.n_ratings,
        "reason": plan.reason,
        "kept": True,
        "departures": [],
        "content": plan.content,
    }
