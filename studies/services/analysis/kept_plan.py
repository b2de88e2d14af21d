"""Whether the plan was kept: what was planned, against what was done."""

from typing import Any

from studies.models import ParticipantKind
from studies.services import plans
from studies.services.analysis.inputs import Inputs
from studies.services.analysis.testing import Tests

# Other random draws than planned move the last digits, not the question.
IMMATERIAL = ("seed",)


def plan_part(inputs: Inputs, tests: Tests) -> dict[str, Any] | None:
    """The plan that the result belongs to, and every departure; None where there is none."""
    plan = inputs.plan
    if plan is None or plan.fixed_at is None:
        return None
    found = plans.departures(plan, done(inputs, tests))
    return {
        "version": plan.version,
        "sha256": plan.sha256,
        "fixed_at": plan.fixed_at.isoformat(),
        "n_ratings_before": plan.n_ratings,
        "reason": plan.reason,
        "kept": not found,
        "departures": found,
        "content": plan.content,
    }


def is_confirmatory(plan: dict[str, Any] | None, kind: str) -> bool:
    """Whether people answered a plan that was fixed before, and its tests were made as planned.

    Simulated raters and pilot participants confirm nothing, whatever was planned.
    """
    if plan is None or plan["n_ratings_before"] or kind != ParticipantKind.PERSON:
        return False
    return all(each["what"] in IMMATERIAL for each in plan["departures"])


def done(inputs: Inputs, tests: Tests) -> dict[str, Any]:
    """What was computed, in the words of plans."""
    primary = tests.primary
    made = primary is not None and tests.result(primary)["estimate"] is not None
    family = [tests.result(test) for test in tests.planned]
    left_out = inputs.exclusions
    return {
        "primary": (
            {
                "question": primary.question,
                "predictor": primary.predictor,
                "layer": inputs.layer_of[primary.scan],
                "scan": primary.scan,
                "model": primary.model,
                "rater_slopes": inputs.content["primary"]["rater_slopes"],
                "covariates": list(primary.covariates),
            }
            if primary is not None and made
            else None
        ),
        "family": [each for each in family if each["estimate"] is not None],
        "exclusions": {
            "rules": list(left_out.rules),
            "limits": left_out.limits,
            "by_decision": left_out.n_by_decision if left_out.decisions else 0,
        },
        "seed": inputs.seed,
        "scan_sha256": inputs.scan_sha256,
    }
