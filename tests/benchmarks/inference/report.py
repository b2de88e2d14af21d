"""The table of error and coverage."""

from collections.abc import Mapping, Sequence

from scipy import stats

from .analyses import ANALYSES
from .designs import Cell

NOMINAL = {True: 0.95, False: 0.05}
Outcomes = Sequence[Mapping[str, bool | None]]


def table(results: Mapping[Cell, Outcomes]) -> str:
    """Markdown: for each cell and analysis the share, its Monte-Carlo interval and the verdict."""
    lines = [
        "| studies | analysis | rate | 95% Monte-Carlo interval | |",
        "| --- | --- | --- | --- | --- |",
    ]
    for covered in (False, True):
        for cell, outcomes in results.items():
            if bool(cell.effect) == covered:
                lines += rows(cell, outcomes, covered)
    return "\n".join(lines)


def rows(cell: Cell, outcomes: Outcomes, covered: bool) -> list[str]:
    title = f"{'coverage' if covered else 'error'}: {cell.name}"
    title += f", effect {cell.effect:g}" if covered else ""
    lines = []
    for analysis, offered in ANALYSES.items():
        said = [outcome[analysis] for outcome in outcomes if outcome[analysis] is not None]
        if not said:
            continue
        count = sum(map(bool, said))
        count = len(said) - count if covered else count
        low, high = stats.binomtest(count, len(said)).proportion_ci(method="wilson")
        nominal = low <= NOMINAL[covered] <= high
        verdict = "nominal" if nominal else "not nominal"
        too_much = (count / len(said) < NOMINAL[covered]) == covered
        verdict += "" if nominal else (", too liberal" if too_much else ", too cautious")
        left_out = len(outcomes) - len(said)
        verdict += f"; {left_out} without a result" if left_out else ""
        name = (
            analysis if offered or (not cell.slope_sd and "CLMM" in analysis) else f"*{analysis}*"
        )
        lines.append(
            f"| {title} | {name} | {count / len(said):.3f} | {low:.3f} to {high:.3f} | {verdict} |"
        )
        title = ""
    return lines
