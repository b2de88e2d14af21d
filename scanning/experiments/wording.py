"""The report in words; every number in it comes from the results."""

from typing import Any

from scanning.experiments.inference import RULES
from scanning.experiments.settings import Settings
from scanning.experiments.sizes import WORDS
from scanning.experiments.tables import as_markdown

USUAL_SEARCH = ("berk_jones", 0.5, 0.0)  # statistic, largest level, floor
CAPTIONS = {
    "detection-images": "AUC of the score of single images, by layer and process, main strength.",
    "detection-groups": "AUC of the group scan's score over the share of creative images.",
    "size-strength": "AUC of the subset's size over the strength of the first process.",
    "sizes": "AUC of measures of size; left of 0.5 creative images have the smaller subsets.",
    "node-overlap": "Similarity of node subsets within processes less that between.",
    "channels": "How often each channel's nodes are in the subsets, first model reported.",
    "ablation-size": "AUC of the subset's size by statistic, tail and largest level.",
    "calibration": "Share of normal images and groups called anomalous at nominal levels.",
}


def report_text(
    settings: Settings,
    results: dict[str, Any],
    rows: dict[str, list[dict[str, Any]]],
    figures: list[str],
) -> str:
    """``REPORT.md``."""
    parts = [
        "# The paper's experiments, as measured\n",
        _opening(settings),
        "## Verdicts\n",
        _verdicts(results["claims"]),
        RULES + "\n",
        "## At the main strength\n",
        "AUC of single images, creative against normal, mean over models [95 % interval over "
        "models and images].\n",
        as_markdown(rows["headline"]),
        "## Subset size: when larger, when smaller, and why\n",
        _sizes(results, rows),
        "## Tails\n",
        _tails(rows["tails"]),
        "## Calibration\n",
        _calibration(rows),
        "## Figures\n",
        *(f"![{CAPTIONS[name]}](figures/{name}.png)\n\n*{CAPTIONS[name]}*\n" for name in figures),
        "## What was run\n",
        _run(settings, results),
        "## Files\n",
        FILES,
    ]
    return "\n".join(parts)


def _opening(settings: Settings) -> str:
    seeds = ", ".join(map(str, settings.seeds))
    tuning = ", ".join(map(str, settings.tuning_seeds)) or "none"
    text = (
        f"{len(settings.seeds)} models per data set are reported (seeds {seeds}). No parameter was "
        f"chosen on them: what is chosen by results at all, the default measure of size, is "
        f"chosen on models of seed {tuning}.\n"
    )
    if settings.name == "quick":
        text += (
            "\n**This is the quick version**: few models and few, small, briefly trained ones. "
            "It shows what the full run measures; its verdicts are rough, and with so few models "
            "many settings stay undecided.\n"
        )
    return text


def _verdicts(claims: dict[str, Any]) -> str:
    lines = []
    for number, claim in claims.items():
        told = f"- **Claim {number}: {claim['verdict']}.** {claim['claim']}"
        if "n" in claim:
            told += f" Main settings: {_counts(claim)}. All: {_counts(claim['all'])}."
        lines.append(told)
        for part, of in claim.get("parts", {}).items():
            if of["n"] and of["n"] < claim["all"]["n"]:
                lines.append(f"  - {part}: {of['verdict']} ({_counts(of)})")
    return "\n".join(lines) + "\n"


def _counts(of: dict[str, Any]) -> str:
    undecided = of["n"] - of["n_held"] - of["n_reversed"]
    return (
        f"{of['n_held']} of {of['n']} hold, {of['n_reversed']} are reversed, {undecided} undecided"
    )


def _tails(rows: list[dict[str, Any]]) -> str:
    """Mean AUC of the score by process and tail, hidden layers and pixels."""
    found = []
    for process in dict.fromkeys(row["process"] for row in rows):
        line: dict[str, Any] = {"process": process}
        for tail in ("upper", "lower", "two-sided"):
            for where, in_pixels in (("hidden", False), ("pixels", True)):
                of = [
                    row["mean"]
                    for row in rows
                    if row["process"] == process
                    and row["tail"] == tail
                    and row["measure"] == "score"
                    and (row["layer"] == "pixels") == in_pixels
                ]
                line[f"{tail}, {where}"] = sum(of) / len(of) if of else None
        found.append(line)
    return (
        "The claims are judged with the upper tail, as published: it asks which nodes are "
        "unusually *active*. What is switched off leaves its mark in the lower tail. Mean AUC of "
        "the score of single images:\n\n" + as_markdown(found)
    )


def _sizes(results: dict[str, Any], rows: dict[str, list[dict[str, Any]]]) -> str:
    why, default = results["reason"], results["default_size"]
    text = (
        f"Creative images had the smaller subsets (mean AUC of size below 0.5) in "
        f"{why['n_smaller']} of {why['n_settings']} settings of single images. If that is because "
        "a few very extreme nodes score higher than many mildly unusual ones, three things follow "
        "there, each tested as above:\n\n"
    )
    for name, words in (
        ("lower_level", "their subsets are found at lower levels"),
        ("more_at_fixed_level", "they have more nodes with p ≤ 0.05 than normal images"),
        (
            "larger_with_floor",
            "raising every p-value to at least 0.1, which takes extremity away and leaves the "
            "number of unusual nodes, raises the AUC of size",
        ),
    ):
        of = why[name]
        text += (
            f"- {words}: confirmed in {of['n_confirmed']} of {of['n']}, contradicted in "
            f"{of['n_contradicted']};\n"
        )
    text += (
        f"\nWith p-values raised to 0.1 the mean AUC of size is above 0.5 in "
        f"{why['n_turned_by_floor']} of these {why['n_smaller']} settings.\n"
    )
    text += _prediction(rows["prediction"])
    measure = default["measure"]
    verdict = default["verdict"]
    if default["tuning_auc"]:
        text += (
            f"\n**Default.** On the tuning models the best of {len(WORDS)} measures of size is: "
            f"{WORDS[measure]} (mean AUC in hidden layers "
            f"{default['tuning_auc'][measure]:.2f}; size of the subset "
            f"{default['tuning_auc']['size']:.2f}). On the models reported, claim 2 with this "
            f"measure: {verdict['verdict']} (main settings: {_counts(verdict)}; all: "
            f"{_counts(verdict['all'])}).\n"
        )
    medians = _by_measure(rows["sizes"])
    text += "\nMean AUC of each measure over all settings of single images, by layer:\n\n"
    return text + as_markdown(medians)


def _prediction(rows: list[dict[str, Any]]) -> str:
    """What arithmetic says beforehand, and whether it came out."""
    kept = [r for r in rows if (r["statistic"], r["alpha_max"], r["floor"]) == USUAL_SEARCH]
    agreed = sum(row["agrees"] for row in kept)
    agreed_all = sum(row["agrees"] for row in rows)
    names = {"data": "data", "process": "process", "layer": "modulated layer", "share": "share on",
             "n_nodes": "nodes", "predicted_creative": "predicted", "median_creative": "measured",
             "predicted_normal": "predicted, normal", "median_normal": "measured, normal",
             "auc_size": "AUC of size"}  # fmt: skip
    return (
        "\nArithmetic says beforehand which way it goes. The subset of a single image at level α "
        "holds the nodes with p ≤ α, so Berk–Jones scores N(α)·ln(1/α). If p-values are uniform "
        "that is highest at α = 1/e: a *normal* image’s subset holds 37 % of the nodes. K nodes "
        "switched on far beyond all of the B background images score K·ln(B + 1) alone; once "
        "that exceeds J/e the subset shrinks to these K. So creative subsets are smaller for K/J "
        "between 1/(e·ln(B + 1)) and 1/e, about equal below, larger above. At the modulated "
        f"layer the direction predicted is the one measured in {agreed} of {len(kept)} "
        f"settings, with other statistics, levels and floors too in {agreed_all} of {len(rows)} "
        "(`tables/prediction.md`):\n\n" + as_markdown(kept, names)
    )


def _by_measure(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    layers = list(dict.fromkeys(row["layer"] for row in rows))
    found = []
    for measure, words in WORDS.items():
        line: dict[str, Any] = {"measure": words}
        for layer in layers:
            of = [r["mean"] for r in rows if r["measure"] == measure and r["layer"] == layer]
            line[layer] = sum(of) / len(of) if of else None
        found.append(line)
    return found


def _calibration(rows: dict[str, list[dict[str, Any]]]) -> str:
    kept = [row for row in rows["calibration"] if row["nominal"] in (0.05, 0.1)]
    names = {"data": "data", "layer": "layer", "kind": "scan", "nominal": "nominal", "mean": "rate",
             "low": "from", "high": "to", "n_tested": "tested"}  # fmt: skip
    return (
        "Share of fresh normal images and groups called anomalous; null groups come from other, "
        "held-out images.\n\n" + as_markdown(kept, names)
    )


def _run(settings: Settings, results: dict[str, Any]) -> str:
    machine = ", ".join(f"{name} {value}" for name, value in results["environment"].items())
    lines = [f"- On: {machine}."]
    for name, source in results["sources"].items():
        lines.append(
            f"- {name}: {source['words']}; sha256 {source['sha256'][:12]}…"
            + (f"; {source['licence']}" if source["licence"] else "")
            + "."
        )
    sizes = results["settings"]["sizes"]
    lines.append("- Sizes: " + ", ".join(f"{k} {v}" for k, v in sizes.items()) + ".")
    seconds = ", ".join(f"{kind} {value:,.0f} s" for kind, value in results["seconds"].items())
    lines.append(f"- Computing, summed over cells: {seconds}.")
    lines.append(
        "- Models, their curves, samples and reconstructions: `models/`, `tables/models.md`."
    )
    return "\n".join(lines) + "\n"


FILES = """\
`results.json` holds everything here and every table; `tables/` the same as CSV and Markdown;
`figures/` SVG and PNG; `cells/` one JSON file per piece, which is what a run resumes from;
`models/` weights (`.safetensors`), samples and reconstructions; `sets/` images, latents,
activations and modulated nodes of the first model reported (`.safetensors`), with their scans.
"""
