"""When the subsets of creative images are larger and when smaller, and why.

The reason that is tested: a scan may score a few very extreme nodes higher than many mildly
unusual ones, and then returns only those. If that is why creative images have small subsets,
(i) their subsets must be found at lower levels, (ii) they must have *more* nodes at a fixed
level, and (iii) subsets must become larger than those of normal images when p-values are raised
to a floor, which takes the extremity away and leaves the number of unusual nodes.

Beside this stands a prediction from arithmetic alone (:func:`predicted_size`). The subset of a
single image at a level holds just the nodes at or below it, so Berk–Jones scores N(α)·ln(1/α).
Where p-values are uniform, N(α) = J·α, and the best level is 1/e: a *normal* image's subset holds
37 % of its nodes. K nodes switched on far beyond the background have p = 1/(B + 1) and score
K·ln(B + 1) alone, which is more as soon as K·ln(B + 1) > J/e; the subset then shrinks to these K.
Creative subsets are the smaller ones between the two, and larger where K > J/e.
"""

from typing import Any

import numpy as np

from scanning.experiments.cells.scan import FLOORS, LEVELS, OTHER_SEARCHES
from scanning.experiments.claims import PIXELS, Results, contrasts, difference
from scanning.experiments.inference import decide, verdict
from scanning.statistics import STATISTICS

CANDIDATES = (
    "size",
    *(name for name, _, _ in OTHER_SEARCHES),
    *(f"size_floor_{floor:g}" for floor in FLOORS),
    *(f"count_at_{level:g}" for level in LEVELS),
)
WORDS = {
    "size": "size of the subset (Berk–Jones, α ≤ 0.5)",
    "size_higher_criticism": "size, higher criticism",
    "size_kolmogorov_smirnov": "size, Kolmogorov–Smirnov",
    "size_alpha_max_0.1": "size, α ≤ 0.1",
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


def predicted_size(
    n_nodes: int,
    n_on: int,
    n_background: int,
    statistic: str = "berk_jones",
    alpha_max: float = 0.5,
    floor: float = 0.0,
) -> float:
    """Size of a single image's subset if `n_on` nodes have the smallest p-value there is and the
    p-values of the others are uniform; `floor` as for :func:`floored`.

    Examples
    --------
    >>> round(predicted_size(256, 0, 2_000)), round(predicted_size(256, 40, 2_000))
    (94, 40)
    """
    first = max(1, int(np.ceil(floor * (n_background + 1) - 1e-9)))
    levels = np.arange(first, int(alpha_max * (n_background + 1)) + 1) / (n_background + 1)
    sizes = n_on + (n_nodes - n_on) * levels
    return float(sizes[np.argmax(STATISTICS[statistic](levels, sizes, sizes))])


def predictions(results: Results) -> list[dict[str, Any]]:
    """Predicted and measured median sizes at the modulated layer, by share of nodes switched on.

    Only for processes that switch nodes on at full strength: what others do to p-values is not
    known beforehand.
    """
    rows = []
    n_background = results.store.sizes["n_background"]
    on = ("low_active", "correlated", "random")
    for (data, decoding), found in results.scans(results.settings.seeds).items():
        how = dict(decoding)
        if how["process"] not in on or how["scale"] != 1.0:
            continue
        layer = how["layer"]
        searches = [(*search, 0.0) for search in (("size", "berk_jones", 0.5), *OTHER_SEARCHES)]
        searches += [(f"size_floor_{f:g}", "berk_jones", 0.5, f) for f in FLOORS]
        for measure, statistic, alpha_max, floor in searches:
            n_nodes = found[0]["n_nodes"][layer]
            n_on = round(how["share"] * n_nodes)
            measured = [one["images"][layer]["upper"][measure] for one in found]
            pair = [
                predicted_size(n_nodes, n, n_background, statistic, alpha_max, floor)
                for n in (n_on, 0)
            ]
            medians = [
                float(np.mean([of[side]["median"] for of in measured]))
                for side in ("creative", "normal")
            ]
            auc = float(np.mean([of["auc"] for of in measured]))
            rows.append(
                {"data": data, **how, "statistic": statistic, "alpha_max": alpha_max,
                 "floor": floor, "n_nodes": n_nodes, "predicted_creative": pair[0],
                 "predicted_normal": pair[1],
                 "median_creative": medians[0], "median_normal": medians[1], "auc_size": auc,
                 "agrees": (pair[0] > pair[1]) == (auc > 0.5)}
            )  # fmt: skip
    return rows
