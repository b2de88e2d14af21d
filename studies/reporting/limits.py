"""What a reader has to keep in mind, told from the data themselves."""

from collections.abc import Iterator, Mapping
from typing import Any

from . import apa
from .document import Items, Section, Words, i, words
from .facts import Facts
from .reading import Result, model_words, primary, questions, warnings_of

FEW_RATERS, FEW_RATINGS, FEW_IMAGES = 30, 5, 40
# Koo and Li (2016): below this a reliability is poor to moderate.
LOW_RELIABILITY = 0.75


def limits(facts: Facts, result: Result) -> Section:
    told = [each for each in gathered(facts, result) if each]
    return Section("limits", "Limits", (Items(tuple(told)),))


def gathered(facts: Facts, result: Result) -> Iterator[Words]:
    yield from of_raters(result)
    yield from of_plan(result)
    yield from of_scan(facts)
    yield from of_design(facts)
    for asked in questions(result):
        yield from of_reliability(asked)
        yield from of_models(asked)
    seen = set()
    for asked in questions(result):
        for text in warnings_of(asked):
            if text not in seen:
                seen.add(text)
                yield words(text)


def of_raters(result: Result) -> Iterator[Words]:
    if result["kind"] == "simulated":
        yield words(
            "The ratings are simulated. Every number here describes the simulation, and none "
            "describes people."
        )
    elif result["kind"] == "pilot":
        yield words(
            "These are ratings by pilot participants, who were not recruited as the study’s own "
            "participants are."
        )
    if result["n_raters"] < FEW_RATERS:
        yield words(
            f"{apa.count(result['n_raters'], 'rater').capitalize()}: how much raters differ is "
            "estimated from few of them, and intervals that resample images alone do not show what "
            "other raters would have said."
        )
    if result["n_images"] < FEW_IMAGES:
        yield words(
            f"{apa.count(result['n_images'], 'image').capitalize()}: power depends on the number "
            "of images at least as much as on the number of raters (Judd et al., 2012)."
        )
    asked = primary(result)
    per_image = asked.get("ratings_per_image") if asked else None
    if per_image is not None and per_image < FEW_RATINGS:
        yield words(
            f"{apa.number(per_image, 1)} ratings per image: means of so few are unreliable, which "
            "draws correlations with them toward zero."
        )


def of_plan(result: Result) -> Iterator[Words]:
    plan = result.get("plan")
    if not plan:
        yield words(
            "No analysis plan was fixed: all tests are exploratory, and ",
            i("p"), " values describe the data rather than test a prediction.",
        )  # fmt: skip
        return
    if plan.get("n_ratings_before"):
        yield words(
            f"The plan was fixed when {apa.count(plan['n_ratings_before'], 'rating')} had been "
            "given already."
        )
    for departure in plan.get("departures") or []:
        yield words(
            f"Departure from the plan in {departure.get('what')}: planned "
            f"{shown(departure.get('planned'))}, done {shown(departure.get('done'))}",
            f" ({departure['why']})" if departure.get("why") else "",
            ".",
        )


def shown(value: Any) -> str:
    """A plan's value as words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {shown(each)}" for key, each in value.items()) or "nothing"
    if isinstance(value, list | tuple):
        return "; ".join(shown(each) for each in value) or "nothing"
    return "nothing" if value is None else str(value)


def of_scan(facts: Facts) -> Iterator[Words]:
    calibrated = facts.scan.get("calibration")
    if not calibrated:
        yield words(
            "The scan is not calibrated: nothing tells how often normal images score as high, so "
            "“anomalous” means highest-scoring and no more."
        )
        return
    group = calibrated.get("group")
    if not group:
        yield words("The group’s score is not calibrated; only single images’ scores are.")
    elif not group["n_exceeding"]:
        yield words(
            "The scan’s ", i("p"), " for the group is at its floor: with "
            f"{group['n_replicates']:,} null groups it cannot be smaller than "
            f"{apa.number(1 / (group['n_replicates'] + 1), 3, bounded=True)}.",
        )  # fmt: skip


def of_design(facts: Facts) -> Iterator[Words]:
    if facts.strata and all(" q" in name for name in facts.strata):
        yield words(
            "Images were drawn evenly over strata of process and subset size: correlations refer "
            "to that mixture, not to images as the model generates them, and part of an "
            "association "
            "over all images may stand for the difference between processes."
        )
    yield words(
        "The association is observed, not caused: subset size was selected, not assigned, and "
        "differs between images along with everything else about them."
    )


def of_reliability(asked: Result) -> Iterator[Words]:
    icc = (asked.get("reliability") or {}).get("icc") or {}
    estimate, bounds = icc.get("estimate"), icc.get("interval")
    if estimate is None or estimate >= LOW_RELIABILITY:
        return
    yield words(
        f"Mean answers to “{asked['text']}” are of limited reliability, {icc.get('kind')} = ",
        apa.number(estimate, bounded=True), f" {apa.interval(bounds, bounded=True)}: correlations "
        "with them are drawn toward zero.",
    )  # fmt: skip


def of_models(asked: Result) -> Iterator[Words]:
    for model in asked.get("models") or []:
        if model.get("converged") is False:
            yield words(
                f"The model “{model_words(model)}” of “{asked['text']}” did not converge; its "
                "numbers are not to be used."
            )
