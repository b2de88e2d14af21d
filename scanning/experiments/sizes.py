"""When the subsets of creative images are larger and when smaller, and why.

The reason that is tested: a scan may score a few very extreme nodes higher than many mildly
unusual ones, and then returns only those. If that is why creative images have small subsets,
(i) their subsets must be found at lower levels, (ii) they must have *more* nodes at a fixed
level, and (iii) subsets must become larger than those of normal images when p-values are raised
to a floor, which takes the extremity away and leaves the number of unusual nodes.
"""

from typing import Any

import numpy as np

from scanning.experiments.cells.scan import FLOORS, LEVELS
from scanning.experiments.claims import PIXELS, Results, contrasts, difference
from scanning.experiments.inference import decide, verdict

CANDIDATES = (
    "size",
    *(f"size_floor_{floor:g}" for floor in FLOORS),
    *(f"count_at_{level:g}" for level in LEVELS),
)
WORDS = {
    "size": "size of the subset",
    **{f"size_floor_{f:g}": f"size, p-values raised to {f:g}" for f in FLOORS},
    **{f"count_at_{a:g}": f"nodes with p ≤ {a:g}" for a in LEVELS},
}


def _single(results: Results, seeds: tuple[int, ...]) -> list[tuple[dict[str, Any], Any]]:
    return [
        (setting, models)
        for setting, models in contrasts(results, seeds)
        if setting["kind"] == "images" and not setting["is_control"]
    ]


def chosen_default(results: Results) -> dict[str, Any]:
    """The measure of size with the highest mean AUC in hidden layers, on the tuning models."""
    table: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    for _, models in _single(results, results.settings.tuning_seeds):
        for one in models:
            for layer, of in one.items():
                if layer != PIXELS:
                    for name in CANDIDATES:
                        table[name].append(of[name]["auc"])
    means = {name: float(np.mean(aucs)) for name, aucs in table.items() if aucs}
    best = max(means, key=lambda name: means[name]) if means else "size"
    return {"measure": best, "tuning_auc": means, "tuning_seeds": results.settings.tuning_seeds}


def mechanism(results: Results) -> dict[str, Any]:
    """The three consequences, in the settings where creative subsets are the smaller ones."""
    found: dict[str, list[dict[str, Any]]] = {"alpha": [], "count": [], "floor": []}
    n_smaller = n_all = 0
    for setting, models in _single(results, results.settings.seeds):
        for layer in models[0]:
            size = float(np.mean([one[layer]["size"]["auc"] for one in models]))
            n_all += 1
            if size >= 0.5:
                continue
            n_smaller += 1
            row = setting | {"layer": layer, "auc_size": size}
            found["alpha"].append(row | difference(models, layer, "alpha", None))
            found["count"].append(row | difference(models, layer, "count_at_0.05", None))
            raised = difference(models, layer, "size_floor_0.1", (layer, "size"))
            after = float(np.mean([one[layer]["size_floor_0.1"]["auc"] for one in models]))
            found["floor"].append(row | raised | {"auc_with_floor": after})
    for name, rows in found.items():
        decide(rows, null=0.0 if name == "floor" else 0.5)
    told = {name: verdict(rows) for name, rows in found.items()}
    n_turned = sum(row["auc_with_floor"] > 0.5 for row in found["floor"])
    return {
        "n_settings": n_all,
        "n_smaller": n_smaller,
        "n_turned_by_floor": n_turned,
        # (i) asks for *lower* levels: its settings are confirmed where they are "reversed".
        "lower_level": {
            "n": told["alpha"]["n"],
            "n_confirmed": told["alpha"]["n_reversed"],
            "n_contradicted": told["alpha"]["n_held"],
        },
        "more_at_fixed_level": {
            "n": told["count"]["n"],
            "n_confirmed": told["count"]["n_held"],
            "n_contradicted": told["count"]["n_reversed"],
        },
        "larger_with_floor": {
            "n": told["floor"]["n"],
            "n_confirmed": told["floor"]["n_held"],
            "n_contradicted": told["floor"]["n_reversed"],
        },
        "rows": found,
    }


def measures_of_size(results: Results) -> list[dict[str, Any]]:
    """AUC of every candidate in every setting, over the models reported."""
    rows = []
    for setting, models in _single(results, results.settings.seeds):
        for layer in models[0]:
            for name in CANDIDATES:
                found = difference(models, layer, name, None)
                rows.append(setting | {"layer": layer, "measure": name} | found)
    return rows
