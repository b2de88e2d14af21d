"""The first process at its main strength, scanned with other statistics, levels, backgrounds."""

from itertools import product
from typing import Any

import numpy as np

from scanning.experiments.making import bench, creative_images, normal_images
from scanning.experiments.measures import Contrast, all_nodes_score, derived_seed
from scanning.experiments.settings import Decoding
from scanning.experiments.store import Cell, Store
from scanning.group import scan_group
from scanning.individual import scan_images
from scanning.pvalues import TAILS, Background, RankedPvalues
from scanning.statistics import STATISTICS

ALPHA_MAXIMA = (0.02, 0.1, 0.5, 1.0)
RESTARTS = (0, 5, 20)


def work(store: Store, cell: Cell) -> dict[str, Any]:
    """AUCs of score and size in every combination for single images; fewer for groups."""
    held = bench(store, cell.data, cell.seed)
    made = creative_images(store, held, cell, vars(Decoding()))
    n_background = store.sizes["n_background"]
    backgrounds = sorted({max(19, n_background // 20), max(19, n_background // 4), n_background})
    reference = normal_images(
        held.model, n_background, held.layers, cell.data, cell.seed, "background"
    )
    contrast = Contrast(len(made), len(held.normal_images), 0, 0)
    singly = []
    for layer, n in product(held.layers, backgrounds):
        background = Background.fit(reference.activations[layer][:n])
        for tail in TAILS:
            creative = background.ranks(made.activations[layer], tail=tail)
            normal = background.ranks(held.normal_activations[layer], tail=tail)
            for statistic, alpha_max in product(STATISTICS, ALPHA_MAXIMA):
                h1 = scan_images(creative, statistic, alpha_max)
                h0 = scan_images(normal, statistic, alpha_max)
                score, size = contrast(h1.scores, h0.scores), contrast(h1.sizes, h0.sizes)
                singly.append(
                    {
                        "layer": layer,
                        "n_background": n,
                        "tail": tail,
                        "statistic": statistic,
                        "alpha_max": alpha_max,
                        "auc_score": score["auc"],
                        "auc_size": size["auc"],
                        "size_creative": size["creative"]["median"],
                        "size_normal": size["normal"]["median"],
                    }
                )
    return {"images": singly, "groups": _groups(store, cell, held, made)}


def _groups(store: Store, cell: Cell, held: Any, made: Any) -> list[dict[str, Any]]:
    """Group scans at the modulated layer and in pixels."""
    sizes = store.sizes
    n_groups, group_size = sizes["n_groups"], sizes["group_size"]
    n_creative = max(1, round(0.2 * group_size))
    contrast = Contrast(n_groups, n_groups, 0, 0)
    ways = [(s, a, sizes["n_restarts"]) for s in STATISTICS for a in ALPHA_MAXIMA[:3]]
    ways += [("berk_jones", 0.5, n) for n in RESTARTS if n != sizes["n_restarts"]]
    rows = []
    for layer in (held.layers[0], held.layers[-1]):
        creative = held.backgrounds[layer].ranks(made.activations[layer])
        normal = held.normal[layer]
        pairs = []
        for replicate in range(n_groups):
            seed = derived_seed(cell.data, cell.seed, "ablation")
            rng = np.random.default_rng([seed, replicate])
            planted = creative.numbers[rng.choice(len(creative), n_creative, replace=False)]
            others = rng.choice(len(normal), group_size - n_creative, replace=False)
            mixed = np.concatenate([planted, normal.numbers[others]])
            plain = normal.numbers[rng.choice(len(normal), group_size, replace=False)]
            pairs.append([RankedPvalues(x, normal.n_background) for x in (mixed, plain)])
        for statistic, alpha_max, n_restarts in ways:
            found = [
                [scan_group(x, statistic, alpha_max, n_restarts, seed=0) for x in pair]
                for pair in pairs
            ]
            h1, h0 = zip(*found, strict=True)
            whole = [[all_nodes_score(x, statistic, alpha_max) for x in pair] for pair in pairs]
            rows.append(
                {
                    "layer": layer,
                    "statistic": statistic,
                    "alpha_max": alpha_max,
                    "n_restarts": n_restarts,
                    "auc_score": contrast([s.score for s in h1], [s.score for s in h0])["auc"],
                    "auc_size": contrast([s.size for s in h1], [s.size for s in h0])["auc"],
                    "auc_all_nodes": contrast([w[0] for w in whole], [w[1] for w in whole])["auc"],
                    "mean_score": float(np.mean([s.score for s in h1])),
                }
            )
    return rows
