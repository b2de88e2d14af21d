"""The paper's claims as contrasts over models, setting by setting."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from scanning.experiments.inference import decide, over_seeds, verdict
from scanning.experiments.settings import CONTROLS, MAIN_GROUP_SHARE, MAIN_SHARE, Settings
from scanning.experiments.store import Cell, Store

PIXELS = "pixels"
CLAIMS = {
    "1": "Scores separate creative from normal images better in activation space than in pixels.",
    "2": "Creative images have larger anomalous subsets than normal ones.",
    "3": "The nodes in the subsets of creative images differ from those of normal images.",
}


class Results:
    """Results of a run, by kind."""

    def __init__(self, settings: Settings, store: Store, cells: Iterable[Cell]) -> None:
        self.settings = settings
        self.store = store
        self._held: dict[str, list[tuple[Cell, dict[str, Any]]]] = defaultdict(list)
        for cell in cells:
            self._held[cell.kind].append((cell, store.result(cell)))

    def of(self, kind: str, seeds: Iterable[int]) -> Iterator[tuple[Cell, dict[str, Any]]]:
        """Cells of a kind with their results, of these models only."""
        wanted = set(seeds)
        return ((cell, result) for cell, result in self._held[kind] if cell.seed in wanted)

    def scans(self, seeds: Iterable[int]) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
        """Scan results of these models by data set and decoding, one per model."""
        found: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
        for cell, result in self.of("scan", seeds):
            found[(cell.data, cell.decoding)].append(result)
        return found


def describe_setting(data: str, decoding: Any) -> dict[str, Any]:
    """The first columns of a row."""
    values = dict(decoding)
    return {
        "data": data,
        "process": values["process"],
        "modulated": values["layer"],
        "share": values["share"],
        "scale": values["scale"],
        "is_control": values["process"] in CONTROLS,
        "is_main": values["layer"] == "decoder.dense1"
        and values["share"] == MAIN_SHARE
        and values["scale"] == 1.0,
    }


def contrasts(results: Results, seeds: Iterable[int]) -> Iterator[tuple[dict[str, Any], Any]]:
    """Each setting with, for each model, its measures by layer: single images, then groups."""
    for (data, decoding), found in results.scans(tuple(seeds)).items():
        setting = describe_setting(data, decoding)
        yield (
            setting | {"kind": "images", "group_share": None},
            [{layer: of["upper"] for layer, of in one["images"].items()} for one in found],
        )
        for share in found[0]["groups"].get(PIXELS, {}):
            in_groups = {"kind": "groups", "group_share": float(share)}
            in_groups["is_main"] = setting["is_main"] and float(share) == MAIN_GROUP_SHARE
            yield (
                setting | in_groups,
                [{layer: of[share] for layer, of in one["groups"].items()} for one in found],
            )


def difference(
    models: list[dict[str, Any]], layer: str, measure: str, other: tuple[str, str] | None
) -> dict[str, Any]:
    """AUC of a measure in a layer over models, or its difference from another's; resamples are
    shared, so draws of the two are subtracted one by one."""
    values = [one[layer][measure]["auc"] for one in models]
    draws = np.array([one[layer][measure]["draws"] for one in models])
    if other is None:
        return over_seeds(values, draws.tolist(), null=0.5)
    there = [one[other[0]][other[1]] for one in models]
    values = [value - found["auc"] for value, found in zip(values, there, strict=True)]
    draws = draws - np.array([found["draws"] for found in there])
    return over_seeds(values, draws.tolist())


def claim_1(results: Results) -> list[dict[str, Any]]:
    """AUC of the score in each hidden layer less that in pixels."""
    rows = []
    for setting, models in contrasts(results, results.settings.seeds):
        for layer in models[0]:
            if layer == PIXELS:
                continue
            row = difference(models, layer, "score", (PIXELS, "score"))
            aucs = {
                name: float(np.mean([one[place]["score"]["auc"] for one in models]))
                for name, place in (("auc_layer", layer), ("auc_pixels", PIXELS))
            }
            rows.append(setting | {"layer": layer} | aucs | row)
    decide(rows)
    return rows


def claim_2(results: Results, measure: str = "size") -> list[dict[str, Any]]:
    """AUC of the subset's size in each layer, pixels too."""
    rows = []
    for setting, models in contrasts(results, results.settings.seeds):
        for layer in models[0]:
            if measure not in models[0][layer]:
                continue
            sizes = {
                f"median_{side}": float(
                    np.mean([m[layer][measure][side]["median"] for m in models])
                )
                for side in ("creative", "normal")
            }
            row = difference(models, layer, measure, None)
            # In pixels the size is told, but the claim is about activations.
            main = {"is_main": setting["is_main"] and layer != PIXELS}
            rows.append(setting | {"layer": layer} | main | sizes | row)
    decide(rows, null=0.5)
    return rows


def claim_3(results: Results) -> list[dict[str, Any]]:
    """How much more alike subsets are within a process than between it and normal decoding."""
    held: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for cell, result in results.of("overlap", results.settings.seeds):
        for pair in result["pairs"]:
            for way in ("subset", "same_size"):
                held[(cell.data, pair["a"], pair["b"], pair["layer"], way)].append(pair[way])
    rows = []
    for (data, a, b, layer, way), found in held.items():
        row = {
            "data": data,
            "a": a,
            "b": b,
            "layer": layer,
            "subsets": way,
            # The claim is about normal images; other pairs are told, and count in no verdict.
            "is_control": a != "normal" or b in CONTROLS,
            "is_main": a == "normal" and way == "subset",
            "largest_permutation_p": max(one["pvalue"] for one in found),
        }
        rows.append(row | over_seeds([one["difference"] for one in found]))
    decide(rows)
    return rows


def verdicts(rows: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Of each claim: on its main settings, on all, and on each part that one would ask about."""
    found = {}
    for claim, of_claim in rows.items():
        parts = {}
        for column in ("kind", "subsets", "data", "layer", "process", "b"):
            for value in dict.fromkeys(row.get(column) for row in of_claim):
                if value is None or (column == "b" and claim != "3"):
                    continue
                chosen = [row for row in of_claim if row.get(column) == value]
                parts[f"{'process' if column == 'b' else column} {value}"] = verdict(chosen)
        main = verdict([row for row in of_claim if row.get("is_main")])
        found[claim] = {"claim": CLAIMS[claim], **main, "all": verdict(of_claim), "parts": parts}
    return found
