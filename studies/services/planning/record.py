"""What is kept of a plan: its numbers, what was asked, and how to have them again."""

import shlex
from typing import Any

from studies import __version__
from studies.services.planning.plans import StudyPlan, unit_of, width_unit_of
from studies.services.planning.request import PlanRequest
from studies.services.planning.sentences import answers
from studies.services.scans import versions

FORMAT = 1


def plan_record(plan: StudyPlan, request: PlanRequest, power: float) -> dict[str, Any]:
    """The plan as plain JSON values, with a row per design and effect and its answers."""
    told: dict[str, Any] = {
        "format": FORMAT,
        **plan.to_dict(),
        "unit": unit_of(plan),
        "width_unit": width_unit_of(plan),
        "power": power,
        "rows": plan.rows(),
        "request": request.to_dict(),
        "versions": {"musescan": __version__, **versions()},
    }
    told["answers"] = answers(told, power)
    # What a list of plans shows without reading the rest.
    told["answer"] = told["answers"][0]["sentence"]
    return told


def plan_command(record: dict[str, Any]) -> str:
    """The command that gives the same numbers."""
    request, pilot = record["request"], record["pilot"]
    words = ["python", "manage.py", "plan_study"]

    def add(option: str, value: Any) -> None:
        if value is None:
            return
        # In digits that give the same numbers again; what begins with a minus needs the sign.
        text = ",".join(map(repr, value)) if isinstance(value, list) else str(value)
        words.append(f"--{option}={text}")

    for name in ("images", "ratings_per_image", "raters", "trials"):
        add(name.replace("_", "-"), request[name])
    add("effect", request["effects"])
    for name in ("rater_sd", "image_sd", "slope_sd"):
        add(name.replace("_", "-"), request[name])
    if request["reliability"] is not None:
        words += ["--reliability", *map(repr, request["reliability"])]
    for name in ("proportions", "thresholds"):
        add(name, request[name])
    add("link", request["link"])
    if pilot is not None:
        add("pilot", pilot["study"])
        add("pilot-raters", pilot["raters"])
        add("question", pilot["question"])
        add("predictor", pilot["predictor"])
        add("safeguard", request["safeguard"])
    if request["rater_slopes"] is not None:
        words.append("--fit-slopes" if request["rater_slopes"] else "--no-fit-slopes")
    add("replicates", request["n_replicates"])
    for name in ("alpha", "confidence_level", "seed"):
        add(name.replace("_", "-"), request[name])
    add("power", record["power"])
    for name, value in request["cost"].items():
        add(name.replace("_", "-"), value)
    return shlex.join(words)
