"""Whether the plan was kept: what was planned, against what was done."""

from typing import Any

from studies.models import ParticipantKind, StudyState
from studies.services import plans
from studies.services.analysis.inputs import Inputs
from studies.services.analysis.testing import Tests

# Other random draws than planned move the last digits, fewer raters widen the interval: neither
# makes it another test.
IMMATERIAL = ("seed", "number of raters")


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
        "sample": sample(inputs),
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
    """What was computed, in the words of plans: of models, what they themselves say."""
    left_out, sampled = inputs.exclusions, sample(inputs)
    return {
        "primary": None if tests.primary is None else as_fitted(tests.result(tests.primary)),
        "family": [
            made for test in tests.planned if (made := as_fitted(tests.result(test))) is not None
        ],
        "exclusions": {"rules": list(left_out.rules), "limits": left_out.limits},
        "n_raters": sampled["analysed"] if sampled is not None and sampled["is_final"] else None,
        "seed": inputs.seed,
        "scan_sha256": inputs.scan_sha256,
    }


def as_fitted(found: dict[str, Any]) -> dict[str, Any] | None:
    """A test by the model that gave its estimate; None where there is no estimate."""
    model = found["fitted"]
    if model is None or found["estimate"] is None:
        return None
    first, *others = model["predictors"]
    return {
        **{name: found[name] for name in ("question", "layer", "scan")},
        **{name: model[name] for name in ("model", "link", "rater_slopes")},
        "predictor": first,
        "covariates": others,
    }


def sample(inputs: Inputs) -> dict[str, Any] | None:
    """How many people were planned and analysed so far; None where no number was planned."""
    if not inputs.has_target:
        return None
    return {
        "planned": inputs.content["n_target"],
        "analysed": len({*inputs.ratings["rater"], *inputs.comparisons["rater"]}),
        "is_final": inputs.study.state == StudyState.CLOSED,
    }
