"""What a plan assumes and from where, and which designs its grid holds."""

from typing import Any

from studies.services.planning.pilots import Pilot
from studies.services.planning.request import PlanRequest
from studies.stats import ChoiceDesign, ChoiceModel, RatingDesign, RatingModel, rating_model

# Assumed where neither the planner nor a pilot says otherwise, on the scale of log odds.
DEFAULTS: dict[str, Any] = {
    "effects": (0.4,),
    "rater_sd": 1.0,
    "image_sd": 0.8,
    "slope_sd": 0.3,
    "proportions": (1.0,) * 7,
}
TRIALS = 40


def rating_models(
    request: PlanRequest, pilot: Pilot | None
) -> tuple[list[RatingModel], dict[str, str]]:
    """One model per effect, and the source of each assumption."""
    if pilot is not None and pilot.compares:
        return choice_models(request, pilot)
    known: dict[str, Any] = dict(DEFAULTS)
    sources = dict.fromkeys(known, "default")
    link = request.link
    if pilot is not None:
        estimates = pilot.estimates
        link = estimates.link
        known |= {name: getattr(estimates, name) for name in ("rater_sd", "image_sd", "slope_sd")}
        known |= {"thresholds": tuple(estimates.thresholds.values()), "proportions": None}
        sources = dict.fromkeys(known, "pilot")
        known["effects"] = (estimates.effect,)
        # What is given takes the place of the safeguard, which may not exist.
        if request.safeguard is not None and request.effects is None:
            known["effects"] = (estimates.safeguard_effect(request.safeguard),)
            sources["effects"] = "pilot, safeguard"
    elif request.safeguard is not None:
        raise ValueError(
            f"safeguard must come with a pilot, whose interval it is of; got {request.safeguard:g}"
        )
    given = {
        name: getattr(request, name)
        for name in (
            "effects",
            "rater_sd",
            "image_sd",
            "slope_sd",
            "proportions",
            "thresholds",
            "reliability",
        )
        if getattr(request, name) is not None
    }
    # Of two ways to say one thing, the one that is given goes before the one that is known.
    for name, other in (
        ("proportions", "thresholds"),
        ("thresholds", "proportions"),
        ("reliability", "image_sd"),
    ):
        if name in given:
            known.pop(other, None)
            sources.pop(other, None)
    known |= given
    sources |= dict.fromkeys(given, "given")
    effects = known.pop("effects")
    sources["effect"] = sources.pop("effects")
    if known.get("proportions") is None:
        sources.pop("proportions", None)
    return [rating_model(effect, link=link, **known) for effect in effects], sources


def choice_models(request: PlanRequest, pilot: Pilot) -> tuple[list[RatingModel], dict[str, str]]:
    """Models of choices between two images: only their effect and spread can be given."""
    for name in ("rater_sd", "reliability", "proportions", "thresholds"):
        if getattr(request, name) is not None:
            raise ValueError(f"{name} cannot be given with a pilot of comparisons")
    if request.link != "logit":
        raise ValueError(f"link must be logit with a pilot of comparisons; got {request.link}")
    estimates = pilot.estimates
    sources = {"effect": "pilot", "image_sd": "pilot", "slope_sd": "default", "thresholds": "pilot"}
    effects: tuple[float, ...] = (estimates.effect,)
    if request.effects is not None:
        effects, sources["effect"] = request.effects, "given"
    elif request.safeguard is not None:
        effects = (estimates.safeguard_effect(request.safeguard),)
        sources["effect"] = "pilot, safeguard"
    spread = {"image_sd": estimates.image_sd, "slope_sd": DEFAULTS["slope_sd"]}
    for name in spread:
        if getattr(request, name) is not None:
            spread[name], sources[name] = getattr(request, name), "given"
    cuts = tuple(estimates.thresholds.values())
    models: list[RatingModel] = [
        ChoiceModel(effect=effect, thresholds=cuts, rater_sd=0.0, **spread) for effect in effects
    ]
    return models, sources


def rating_designs(
    request: PlanRequest, *, compares: bool = False
) -> tuple[list[RatingDesign], tuple[str, ...]]:
    """Every possible design of the grid, each once, and why the others are not."""
    kind = ChoiceDesign if compares else RatingDesign
    if request.raters is not None and request.trials is not None:
        raise ValueError(
            f"raters or trials must be given, not both; got {request.raters} and {request.trials}"
        )
    designs: list[RatingDesign] = []
    left_out: list[str] = []
    reason = ValueError("images must hold at least one number; got none")
    for n_images in request.images:
        for k in request.ratings_per_image:
            for n_raters in request.raters or (None,):
                try:
                    design = one_design(kind, n_images, k, n_raters, request.trials)
                except ValueError as error:
                    reason = error if not left_out else reason
                    raters = "" if n_raters is None else f", {n_raters} raters"
                    left_out.append(f"{n_images} images, {k} ratings each{raters}: {error}")
                    continue
                if design not in designs:
                    designs.append(design)
    if not designs:
        raise reason
    return designs, tuple(left_out)


def one_design(
    kind: type[RatingDesign], n_images: int, k: int, n_raters: int | None, trials: int | None
) -> RatingDesign:
    if n_raters is not None:
        return kind(n_images=n_images, n_raters=n_raters, ratings_per_image=k)
    # Nobody can rate more than all images: a default must not make small studies impossible.
    wanted = min(TRIALS, n_images) if trials is None else trials
    return kind.with_trials(n_images=n_images, ratings_per_image=k, trials_per_rater=wanted)
