"""The folder that a run leaves: results, tables, figures, and a report in words."""

import json
from collections.abc import Sequence
from typing import Any

from scanning._plain import plain
from scanning.experiments import claims, sizes, tables
from scanning.experiments.claims import CLAIMS, Results
from scanning.experiments.drawing import all_figures
from scanning.experiments.figures import render
from scanning.experiments.settings import Settings
from scanning.experiments.store import Cell, Store, environment, write_atomically
from scanning.experiments.wording import report_text

FIGURE_FORMATS = ("svg", "png")


def write_all(settings: Settings, store: Store, cells: Sequence[Cell]) -> dict[str, Any]:
    """Write ``results.json``, ``tables/``, ``figures/`` and ``REPORT.md``; return the results."""
    found = Results(settings, store, cells)
    of_claims = {
        "1": claims.claim_1(found),
        "2": claims.claim_2(found),
        "3": claims.claim_3(found),
    }
    default = sizes.chosen_default(found)
    with_default = claims.claim_2(found, default["measure"])
    why = sizes.mechanism(found)
    rows: dict[str, list[dict[str, Any]]] = {
        "headline": tables.headline(found),
        "detection": tables.detection(found),
        **{f"claim-{number}": of for number, of in of_claims.items()},
        "claim-2-default": with_default,
        "sizes": [
            row | {"words": sizes.WORDS[row["measure"]]} for row in sizes.measures_of_size(found)
        ],
        **{f"reason-{name}": of for name, of in why["rows"].items()},
        "prediction": sizes.predictions(found),
        "tails": tables.tails(found),
        "novelty": tables.novelty(found),
        "ablation-images": tables.ablation(found, "images"),
        "ablation-groups": tables.ablation(found, "groups"),
        "calibration": tables.calibration(found),
        "channels": _channels(found),
        "models": tables.models(found),
    }
    results = {
        "format": 1,
        "settings": settings.to_dict(),
        "sources": {
            name: {k: v for k, v in source.items() if k != "place"}
            for name, source in store.sources.items()
        },
        "environment": environment(store.device),
        "claims": claims.verdicts(of_claims)
        | {
            "4": {
                "claim": "Images in the detected subset are judged creative by people.",
                "verdict": "not tested: this needs people",
            }
        },
        "default_size": default
        | {"verdict": claims.verdicts({"2": with_default})["2"] | {"claim": CLAIMS["2"]}},
        "reason": {name: value for name, value in why.items() if name != "rows"},
        "seconds": _seconds(store, cells),
    }
    results = plain(results)
    folder = store.folder
    for name, of in rows.items():
        if of:
            write_atomically(folder / "tables" / f"{name}.csv", tables.as_csv(of).encode())
            shown = tables.as_markdown(of)
            write_atomically(folder / "tables" / f"{name}.md", shown.encode())
    drawn = all_figures(rows)
    for name, chart in drawn.items():
        for suffix, data in zip(FIGURE_FORMATS, render(chart), strict=True):
            write_atomically(folder / "figures" / f"{name}.{suffix}", data)
    write_atomically(
        folder / "results.json",
        json.dumps(results | {"tables": plain(rows)}, allow_nan=False).encode(),
    )
    text = report_text(settings, results, rows, list(drawn))
    write_atomically(folder / "REPORT.md", text.encode())
    return results


def _seconds(store: Store, cells: Sequence[Cell]) -> dict[str, float]:
    """Of computing, summed over cells of a kind; several may have run at once."""
    found: dict[str, float] = {}
    for cell in cells:
        entry = store.read(cell)
        if entry is not None:
            found[cell.kind] = round(found.get(cell.kind, 0.0) + entry["seconds"], 1)
    return found


def _channels(found: Results) -> list[dict[str, Any]]:
    """How often nodes of each channel are in subsets, of the first model of each data set."""
    rows = []
    for cell, result in found.of("overlap", found.settings.seeds[:1]):
        seen = set()
        for pair in result["pairs"]:
            held = pair["subset"]
            if pair["a"] != "normal" or "channels_a" not in held:
                continue
            sides = [(pair["b"], held["channels_b"])]
            if pair["layer"] not in seen:
                sides.insert(0, ("normal", held["channels_a"]))
                seen.add(pair["layer"])
            rows += [
                {
                    "panel": f"{cell.data}, {pair['layer']}, seed {cell.seed}",
                    "process": process,
                    "channel": channel,
                    "frequency": frequency,
                }
                for process, values in sides
                for channel, frequency in enumerate(values)
            ]
    return rows
