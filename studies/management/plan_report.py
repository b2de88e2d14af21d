"""A plan on the terminal: assumptions, a table in 100 columns, and what to make of it."""

import textwrap
from collections.abc import Iterator
from typing import Any

from studies import wording
from studies.models import ParticipantKind
from studies.services.planning import Pilot, StudyPlan, unit_of, width_unit_of

WIDTH = 98
SIMULATED_PILOT = (
    "THE PILOT'S RATERS ARE SIMULATED. No person gave its ratings: this plan says nothing about "
    "people."
)
LEGEND = (
    "power (at effect 0: type I error): share of the simulated studies with p < {alpha:g}, "
    "test of the mixed model, with its 95 % Monte-Carlo interval; ρ: the same share for "
    "Spearman's ρ of image means; width: mean width of the {level:g} % interval, {unit}; cover: "
    "how often it holds the effect; lost: studies whose model did not converge (counted as not "
    "significant); edge: those with a variance of zero or a correlation of one (kept)"
)


def report(result: StudyPlan, target: float) -> Iterator[str]:
    """The plan in words and tables, line by line."""
    plan, pilot = result.plan, result.pilot
    if pilot is not None and pilot.estimates.simulated:
        yield from ("!" * WIDTH, *textwrap.wrap(SIMULATED_PILOT, WIDTH), "!" * WIDTH)
    n = plan.cells[0].n_replicates
    yield from filled(
        f"Simulated studies, {n:,} of each design (seed {plan.seed}); no person took part."
    )
    if pilot is not None:
        yield from filled(pilot_sentence(pilot, plan.confidence_level))
    yield from filled(assumptions(result))
    effects = list(dict.fromkeys(cell.model.effect for cell in plan.cells))
    cheapest = plan.cheapest(target)
    for effect in effects:
        cells = [cell for cell in plan.cells if cell.model.effect == effect]
        yield ""
        yield f"Effect {wording.number(effect)} {unit_of(result)}"
        yield header(cells[0])
        for cell in cells:
            yield line(cell)
        if effect != 0:
            yield from filled(advice(cheapest[effect], target))
    yield ""
    yield from filled(
        LEGEND.format(
            alpha=plan.alpha, level=100 * plan.confidence_level, unit=width_unit_of(result)
        )
    )
    for note in notes(result):
        yield from filled(f"Note: {note}")


def filled(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH)


def pilot_sentence(pilot: Pilot, level: float) -> str:
    estimates = pilot.estimates
    kind = ParticipantKind(pilot.raters).value
    return (
        f"Pilot “{pilot.study}”, question {pilot.question}: "
        f"{wording.count(estimates.n_raters, 'rater')} ({kind}), "
        f"{wording.count(estimates.n_images, 'image')}, "
        f"{wording.count(estimates.n_ratings, 'rating')}; effect of {pilot.predictor} "
        f"{wording.number(estimates.effect)} {wording.interval(estimates.interval)}."
    )


def assumptions(result: StudyPlan) -> str:
    """Every assumption with its source."""
    models = list(dict.fromkeys(cell.model for cell in result.plan.cells))
    sources = result.sources

    def told(name: str, values: list[float], source: str) -> str:
        numbers = ", ".join(dict.fromkeys(wording.number(value) for value in values))
        return f"{name} {numbers} ({source})"

    images = sources.get("image_sd") or f"reliability {sources['reliability']}"
    scale = sources.get("thresholds") or sources["proportions"]
    slopes = {cell.rater_slopes for cell in result.plan.cells}
    parts = [
        told("effect", [model.effect for model in models], sources["effect"]),
        *(
            [told("rater SD", [model.rater_sd for model in models], sources["rater_sd"])]
            if "rater_sd" in sources
            else []
        ),
        told("image SD", [model.image_sd for model in models], images),
        told("slope SD", [model.slope_sd for model in models], sources["slope_sd"]),
    ]
    shares = " ".join(f"{100 * share:.0f}" for share in models[0].proportions())
    parts.append(f"categories {shares} % ({scale})")
    fitted = f"{'with' if True in slopes else 'without'} a rater slope"
    how = {
        "clmm": fitted,
        "lmm": f"by a linear mixed model {fitted}",
        "ranks": "by ranks of the images’ abilities, from choices between two images",
    }[result.plan.cells[0].analysis]
    return f"Assumed ({models[0].link} scale): {'; '.join(parts)}. Analysed {how}."


def header(cell: Any) -> str:
    return row(
        "images",
        "raters",
        "each by",
        "trials",
        cell.rejections_are,
        "ρ",
        "width",
        "cover",
        "lost",
        "edge",
        "hours",
        cell.cost.currency[:9],
    )


def line(cell: Any) -> str:
    design, cost = cell.design, cell.cost
    few, most = design.trials_per_rater
    power = cell.rejections
    return row(
        f"{design.n_images:,}",
        f"{design.n_raters:,}",
        f"{design.ratings_per_image:,}",
        f"{few}" if few == most else f"{few}–{most}",
        f"{power.estimate:.2f} {wording.interval(power.interval)}",
        wording.number(cell.spearman_rejections.estimate),
        wording.number(cell.width_mean),
        wording.number(None if cell.coverage is None else cell.coverage.estimate),
        f"{cell.n_replicates - cell.n_converged}",
        f"{cell.n_boundary}",
        f"{cost.participant_hours:,.1f}",
        f"{cost.total:,.0f}",
    )


def row(*entries: str) -> str:
    widths = (6, 8, 8, 8, 20, 6, 7, 7, 6, 6, 8, 9)
    return "".join(f"{entry:>{width}}" for entry, width in zip(entries, widths, strict=True))


def advice(cell: Any, target: float) -> str:
    if cell is None:
        return f"None of these designs has a power of {target:g}."
    design, cost = cell.design, cell.cost
    said = (
        f"Cheapest with a power of {target:g}: {wording.count(design.n_images, 'image')}, "
        f"{wording.count(design.n_raters, 'rater')}, {design.ratings_per_image} ratings per "
        f"image; {cost.minutes_per_participant:.0f} minutes each, {cost.participant_hours:,.1f} "
        f"participant-hours, {cost.total:,.0f} {cost.currency}"
    )
    if cost.n_recruited > design.n_raters:
        said += f" for {cost.n_recruited:,} recruited"
    if cell.rejections.interval[0] < target:
        return f"{said}. Its Monte-Carlo interval still holds less: more --replicates would tell."
    return f"{said}."


def notes(result: StudyPlan) -> list[str]:
    """What the reader should be told, each once."""
    pilot = () if result.pilot is None else result.pilot.estimates.warnings
    by_cell = [
        f"{cell.design.n_images} images × {cell.design.n_raters} raters: {text}"
        for cell in result.plan.cells
        for text in cell.warnings
    ]
    left_out = [f"Left out: {text}" for text in result.left_out]
    return list(dict.fromkeys([*pilot, *result.plan.warnings, *by_cell, *left_out]))
