"""Whether an analysis keeps to its plan: every difference, with what was planned and done."""

from collections.abc import Mapping, Sequence
from typing import Any

from studies.models import AnalysisPlan
from studies.quality import LIMITS
from studies.services.plans.content import (
    PlanContent,
    PlannedTest,
    sha256_of,
    stored_content,
)

Departure = dict[str, str]

# What of the primary test is compared, and what it is called.
PARTS = {
    "question": "question",
    "predictor": "predictor",
    "layer": "layer",
    "scan": "scan",
    "model": "model",
    "link": "link",
    "rater_slopes": "rater slopes",
    "covariates": "covariates",
}
NOT_DONE = "not computed"


def departures(plan: AnalysisPlan, done: Mapping[str, Any]) -> list[Departure]:
    """How `done` differs from `plan`: {"what", "planned", "done", "why"} each; none: kept.

    `done` says what was computed, as far as it is to be compared: "primary" (the parts of the
    test; None where there was none), "family" (the tests called confirmatory), "exclusions"
    ("rules" applied, "limits" they went by), "n_raters" (how many were analysed of a study that is
    over; None of one that is not), "seed", "scan_sha256", and "why": reasons by the name of the
    part.
    """
    content = stored_content(plan.content)
    reasons = done.get("why") or {}
    found = [
        *record_departures(plan),
        *primary_departures(content, done),
        *family_departures(content, done),
        *exclusion_departures(content, done.get("exclusions") or {}),
        *sample_departures(content, done.get("n_raters")),
    ]
    if "seed" in done and done["seed"] != content.seed:
        found.append(departure("seed", content.seed, done["seed"], "Random draws differ."))
    return [each | {"why": str(reasons.get(each["what"], each["why"]))} for each in found]


def departure(what: str, planned: Any, done: Any, why: str) -> Departure:
    return {"what": what, "planned": words(planned), "done": words(done), "why": why}


def words(value: Any) -> str:
    """A part of a plan for reading."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def record_departures(plan: AnalysisPlan) -> list[Departure]:
    """A plan that is not what was fixed: no service changes one, whoever reaches the table can."""
    now = sha256_of(plan.content)
    if now == plan.sha256:
        return []
    why = "The stored plan is not the one that was fixed."
    return [departure("plan", plan.sha256[:12], now[:12], why)]


def primary_departures(content: PlanContent, done: Mapping[str, Any]) -> list[Departure]:
    found = []
    if "primary" in done:
        used = done["primary"]
        if not used:
            test = test_words(content.primary.test)
            return [departure("primary test", test, NOT_DONE, "It could not be computed.")]
        for key, what in PARTS.items():
            planned = getattr(content.primary, key)
            got = tuple(used[key]) if key == "covariates" and key in used else used.get(key)
            if key in used and got != planned:
                found.append(
                    departure(what, planned, got, "The headline is not of the test planned.")
                )
    sha256 = done.get("scan_sha256")
    if sha256 is not None and sha256 != content.primary.scan_sha256:
        found.append(
            departure(
                "scan results",
                content.primary.scan_sha256[:12],
                sha256[:12],
                "The sizes or scores that answers are held against have changed since the plan "
                "was fixed.",
            )
        )
    return found


def test_words(test: PlannedTest) -> str:
    return f"{test.question} on {test.predictor} ({test.layer}), {test.model}"


def family_departures(content: PlanContent, done: Mapping[str, Any]) -> list[Departure]:
    """Tests that were planned and not made, and those called confirmatory that were not planned."""
    if "family" not in done:
        return []
    planned = {key_of(vars(test)): test_words(test) for test in content.family}
    made = {key_of(test): test for test in done["family"] or []}
    found = [
        departure("confirmatory test", words, NOT_DONE, "A planned test was not made.")
        for key, words in planned.items()
        if key not in made
    ]
    return found + [
        departure(
            "confirmatory test",
            "not planned",
            "{} on {} ({}), {}".format(*key),
            "It was not planned and is called confirmatory.",
        )
        for key in made
        if key not in planned
    ]


def key_of(test: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(test.get(name)) for name in ("question", "predictor", "layer", "model"))


def exclusion_departures(content: PlanContent, done: Mapping[str, Any]) -> list[Departure]:
    planned = content.exclusions
    found = []
    if "rules" in done and set(done["rules"]) != set(planned.rules):
        found.append(
            departure(
                "exclusion rules",
                planned.rules,
                sorted(done["rules"]),
                "Other rules decided who was left out.",
            )
        )
    limits = done.get("limits")
    if limits is not None:
        found += [
            departure(
                limit.name,
                planned.limits[limit.name],
                limits.get(limit.name),
                "Marks were made by another limit than planned.",
            )
            for limit in LIMITS
            if planned.limits[limit.name] != limits.get(limit.name)
        ]
    return found


def sample_departures(content: PlanContent, n: int | None) -> list[Departure]:
    """A study that was closed with fewer raters than planned; `n` None while it is not."""
    if n is None or content.n_target is None or n >= content.n_target:
        return []
    why = "The study was closed before as many raters as planned could be analysed."
    return [departure("number of raters", content.n_target, n, why)]
