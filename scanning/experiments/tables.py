"""Results as tables: rows of plain values, written as CSV and as Markdown."""

import csv
import io
from collections import defaultdict
from typing import Any

import numpy as np

from scanning.experiments.claims import PIXELS, Results, contrasts, difference
from scanning.experiments.inference import over_seeds

Rows = list[dict[str, Any]]


def detection(results: Results) -> Rows:
    """(a) AUC of scores and of the baselines, in every layer, single and in groups."""
    rows = []
    for setting, models in contrasts(results, results.settings.seeds):
        for layer in models[0]:
            for measure in ("score", "all_nodes", "mean_pvalue"):
                if measure in models[0][layer]:
                    found = difference(models, layer, measure, None)
                    rows.append(setting | {"layer": layer, "measure": measure} | found)
    return rows


def novelty(results: Results) -> Rows:
    """AUC of the measures of novelty, and their rank correlation with the scan."""
    rows = []
    for (data, decoding), found in results.scans(results.settings.seeds).items():
        for measure in found[0]["novelty"]["measures"]:
            of = [one["novelty"]["measures"][measure] for one in found]
            told = over_seeds([one["auc"] for one in of], [one["draws"] for one in of], null=0.5)
            row = {"data": data, **dict(decoding), "measure": measure, **told}
            for layer in of[0]["with"]:
                for what in ("score", "size"):
                    known = [
                        o["with"][layer][what] for o in of if o["with"][layer][what] is not None
                    ]
                    row[f"rho_{what}_{layer}"] = float(np.mean(known)) if known else None
            rows.append(row)
    return rows


def tails(results: Results) -> Rows:
    """AUC of score and size by tail, single images."""
    rows = []
    for (data, decoding), found in results.scans(results.settings.seeds).items():
        for layer in found[0]["images"]:
            for tail in ("upper", "lower", "two-sided"):
                for measure in ("score", "size"):
                    of = [one["images"][layer][tail][measure] for one in found]
                    told = over_seeds([o["auc"] for o in of], [o["draws"] for o in of], null=0.5)
                    row = {"data": data, **dict(decoding), "layer": layer, "tail": tail}
                    rows.append(row | {"measure": measure} | told)
    return rows


def ablation(results: Results, kind: str) -> Rows:
    """(d) Means over models of every combination; `kind` is images or groups."""
    measured = {
        "images": ("auc_score", "auc_size", "size_creative", "size_normal"),
        "groups": ("auc_score", "auc_size", "auc_all_nodes", "mean_score"),
    }[kind]
    held: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for cell, result in results.of("ablation", results.settings.seeds):
        for row in result[kind]:
            key = {"data": cell.data} | {k: v for k, v in row.items() if k not in measured}
            held[tuple(key.items())].append(row)
    return [
        dict(key) | {name: float(np.mean([row[name] for row in rows])) for name in measured}
        for key, rows in held.items()
    ]


def calibration(results: Results) -> Rows:
    """(e) Share of normal images and groups called anomalous at each nominal level."""
    held: dict[tuple[str, ...], list[float]] = defaultdict(list)
    totals: dict[tuple[str, ...], int] = defaultdict(int)
    for cell, result in results.of("calibration", results.settings.seeds):
        for row in result["rows"]:
            for level, rate in row["rates"].items():
                held[(cell.data, row["layer"], row["kind"], level)].append(rate)
                totals[(cell.data, row["layer"], row["kind"], level)] += row["n"]
    return [
        {
            "data": data,
            "layer": layer,
            "kind": kind,
            "nominal": float(level),
            "n_tested": totals[data, layer, kind, level],
            **over_seeds(rates, null=float(level)),
        }
        for (data, layer, kind, level), rates in held.items()
    ]


def models(results: Results) -> Rows:
    """Every model: how it was trained, and what it ended with."""
    rows = []
    everyone = (*results.settings.seeds, *results.settings.tuning_seeds)
    for cell, result in results.of("model", everyone):
        last = result["losses"][-1]
        rows.append(
            {
                "data": cell.data,
                "seed": cell.seed,
                "reported": cell.seed in results.settings.seeds,
                "n_train": result["data"]["n"],
                "first_loss": str(result["losses"][0]),
                "last_loss": str(last),
                "reconstruction_error": result.get("reconstruction_error"),
                "duration_s": result["duration_s"],
                "weights": result["weights"],
                "weights_sha256": result["weights_sha256"],
            }
        )
    return rows


def headline(results: Results) -> Rows:
    """AUC of score and size at the main strength, at the modulated layer and in pixels."""
    rows = []
    for setting, of in contrasts(results, results.settings.seeds):
        is_main = setting["scale"] == 1.0 and setting["modulated"] == next(iter(of[0]))
        if setting["kind"] != "images" or not is_main or setting["share"] != 0.16:
            continue
        first = setting["modulated"]
        row = {"data": setting["data"], "process": setting["process"]}
        for name, layer, measure in (
            ("score, modulated layer", first, "score"),
            ("score, pixels", PIXELS, "score"),
            ("size, modulated layer", first, "size"),
            ("size, pixels", PIXELS, "size"),
        ):
            found = difference(of, layer, measure, None)
            row[name] = f"{found['mean']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"
        rows.append(row)
    return rows


def as_csv(rows: Rows) -> str:
    """Comma-separated, one line per row; lists are joined by spaces."""
    file = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _plain_cell(value) for name, value in row.items()})
    return file.getvalue()


def as_markdown(rows: Rows, columns: dict[str, str] | None = None) -> str:
    """A table; `columns` chooses and names columns."""
    names = columns or {name: name for name in dict.fromkeys(n for row in rows for n in row)}
    lines = [
        "| " + " | ".join(names.values()) + " |",
        "| " + " | ".join("---" for _ in names) + " |",
    ]
    lines += [
        "| " + " | ".join(_shown(row.get(name)).replace("|", "\\|") for name in names) + " |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def _plain_cell(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return round(value, 6) if isinstance(value, float) else value


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return f"{value:.3g}" if isinstance(value, float) else str(value)
