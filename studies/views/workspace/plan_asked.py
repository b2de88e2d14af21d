"""The plan that its form asks for, and the form that asked for a plan."""

from typing import Any

from studies.models import Study
from studies.services.jobs import PlanAsked
from studies.services.planning import PilotSource, PlanRequest, cost_rates, pilot_source
from studies.views.workspace.plan_fields import in_list, shown
from studies.views.workspace.plan_form import PlanForm

# What a percentage of the form is called in a request, as a share.
SHARES = {"fee": "fee_rate", "vat": "vat_rate", "lost": "lost_share"}
SLOPES = {"with": True, "without": False}


def plan_asked(form: PlanForm, default_name: str) -> PlanAsked:
    """What was asked for; DomainError, its code the parameter, where it cannot be."""
    given = form.cleaned_data
    pilot = pilot_of(form)
    workspace = (
        pilot.study.workspace
        if pilot
        else form.workspaces[given.get("workspace") or next(iter(form.workspaces))]
    )
    return PlanAsked(
        workspace=workspace,
        name=given["name"].strip() or default_name,
        request=request_of(form, has_pilot=pilot is not None),
        power=given["power"] / 100,
        pilot=pilot,
    )


def pilot_of(form: PlanForm) -> PilotSource | None:
    given = form.cleaned_data
    if not given["pilot"]:
        return None
    study, _, question = given["pilot"].partition(":")
    return pilot_source(
        study=form.studies[int(study)],
        raters=given["raters"] or None,
        question=question,
        predictor=given["predictor"],
    )


def request_of(form: PlanForm, *, has_pilot: bool) -> PlanRequest:
    given = form.cleaned_data
    same = (
        "images", "ratings_per_image", "trials", "effects", "rater_sd", "image_sd",
        "slope_sd", "link", "n_replicates", "alpha", "seed",
    )  # fmt: skip
    proportions = given["proportions"]
    if given["points"] is not None:
        proportions = (1.0,) * given["points"]
    reliability = None
    if given["reliability"] is not None:
        reliability = (given["reliability"], float(given["reliability_of"]))
    safeguard = given["safeguard"] if has_pilot else None
    return PlanRequest(
        **{name: given[name] for name in same},
        raters=given["n_raters"],
        proportions=proportions,
        reliability=reliability,
        safeguard=None if safeguard is None else safeguard / 100,
        confidence_level=given["confidence"] / 100,
        rater_slopes=SLOPES.get(given["slopes"]),
        cost=cost_rates(
            currency=given["currency"],
            vat_on=given["vat_on"],
            overhead_seconds=60 * given["overhead_minutes"],
            **{name: given[name] for name in ("hourly_pay", "seconds_per_trial")},
            **{share: given[name] / 100 for name, share in SHARES.items()},
        ),
    )


def typed_again(parameters: dict[str, Any], study: Study | None) -> dict[str, Any]:
    """What the form was filled with for the parameters of a plan's job."""
    request, pilot = parameters["request"], parameters["pilot"]
    cost = request["cost"]
    initial: dict[str, Any] = {
        field: request[field] for field in ("trials", "link", "n_replicates", "seed")
    }
    initial |= {field: shown(request[field]) for field in ("rater_sd", "image_sd", "slope_sd")}
    initial |= {
        field: in_list(request[field])
        for field in ("images", "ratings_per_image", "effects", "proportions")
    }
    if request["proportions"] and set(request["proportions"]) == {1.0}:
        initial |= {"points": len(request["proportions"]), "proportions": ""}
    initial |= {field: shown(cost[field]) for field in ("hourly_pay", "seconds_per_trial")}
    initial |= {field: percent(cost[share]) for field, share in SHARES.items()}
    initial |= {
        "n_raters": in_list(request["raters"]),
        "currency": cost["currency"],
        "vat_on": cost["vat_on"],
        "alpha": shown(request["alpha"]),
        "overhead_minutes": shown(cost["overhead_seconds"] / 60),
        "power": percent(parameters["power"]),
        "confidence": percent(request["confidence_level"]),
        "slopes": {True: "with", False: "without", None: ""}[request["rater_slopes"]],
    }
    if request["reliability"] is not None:
        initial["reliability"] = shown(request["reliability"][0])
        initial["reliability_of"] = round(request["reliability"][1])
    if request["safeguard"] is not None:
        initial["safeguard"] = percent(request["safeguard"])
    if pilot is not None and study is not None:
        initial |= {
            "pilot": f"{study.pk}:{pilot['question']}",
            "raters": pilot["raters"],
            "predictor": pilot["predictor"],
        }
    return initial


def percent(share: float) -> str | None:
    """A share as the percentage that was typed."""
    return shown(100 * share)
