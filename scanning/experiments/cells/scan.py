"""One way of creative decoding of one model, scanned in every layer, singly and in groups."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from scanning.experiments.judging import judges_of
from scanning.experiments.making import Bench, bench, creative_images
from scanning.experiments.measures import (
    Contrast,
    all_nodes_score,
    all_nodes_scores,
    counts_at,
    derived_seed,
    floored,
)
from scanning.experiments.store import Cell, Store
from scanning.group import scan_group
from scanning.individual import scan_images
from scanning.pvalues import RankedPvalues

LEVELS = (0.01, 0.05, 0.2, 0.5)
FLOORS = (0.02, 0.05, 0.1, 0.2)
# Searches beside the usual one: name of the measure, statistic, largest level.
OTHER_SEARCHES = (
    ("size_higher_criticism", "higher_criticism", 0.5),
    ("size_kolmogorov_smirnov", "kolmogorov_smirnov", 0.5),
    ("size_alpha_max_0.1", "berk_jones", 0.1),
)
OTHER_TAILS = ("lower", "two-sided")


def work(store: Store, cell: Cell) -> dict[str, Any]:
    """Contrasts of creative with normal images, and novelty beside them."""
    held = bench(store, cell.data, cell.seed)
    decoding = dict(cell.decoding or ())
    made = creative_images(store, held, cell, decoding)
    n_normal = len(held.normal_images)
    resamples = derived_seed(cell.data, cell.seed, "bootstrap")
    contrast = Contrast(len(made), n_normal, store.sizes["n_draws"], resamples)
    images: dict[str, Any] = {}
    groups: dict[str, Any] = {}
    scored = {}
    for layer in held.layers:
        creative = held.backgrounds[layer].ranks(made.activations[layer])
        images[layer], scored[layer] = _images(contrast, creative, held.normal[layer])
        for tail in OTHER_TAILS:
            images[layer][tail] = _other_tail(contrast, held, made.activations[layer], layer, tail)
        if decoding["scale"] == 1.0:
            groups[layer] = _groups(store, cell, creative, held.normal[layer])
    return {
        "n_nodes": {layer: int(np.prod(held.shapes[layer])) for layer in held.layers},
        "n_modulated": float(np.mean([len(nodes) for nodes in made.modulated_nodes])),
        "images": images,
        "groups": groups,
        "novelty": _novelty(store, cell, held, made.images, contrast, scored),
    }


def _images(
    contrast: Contrast, creative: RankedPvalues, normal: RankedPvalues
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Individual scans of the upper tail; measures of size, and what moves them."""
    h1, h0 = scan_images(creative), scan_images(normal)
    found = {
        "score": contrast(h1.scores, h0.scores),
        "size": contrast(h1.sizes, h0.sizes),
        "alpha": contrast(np.nan_to_num(h1.alphas), np.nan_to_num(h0.alphas)),
        "all_nodes": contrast(all_nodes_scores(creative), all_nodes_scores(normal)),
        "mean_pvalue": contrast(
            -creative.numbers.mean(axis=1, dtype=np.float64),
            -normal.numbers.mean(axis=1, dtype=np.float64),
        ),
    }
    for name, statistic, alpha_max in OTHER_SEARCHES:
        pair = [scan_images(side, statistic, alpha_max) for side in (creative, normal)]
        found[name] = contrast(pair[0].sizes, pair[1].sizes)
    for level in LEVELS:
        counts = counts_at(creative, level), counts_at(normal, level)
        found[f"count_at_{level:g}"] = contrast(*counts)
    for floor in FLOORS:
        raised = scan_images(floored(creative, floor)), scan_images(floored(normal, floor))
        found[f"size_floor_{floor:g}"] = contrast(raised[0].sizes, raised[1].sizes)
        found[f"score_floor_{floor:g}"] = contrast(raised[0].scores, raised[1].scores)
    return {"upper": found}, {"score": h1.scores, "size": h1.sizes}


def _other_tail(
    contrast: Contrast, held: Bench, activations: NDArray[np.float32], layer: str, tail: str
) -> dict[str, Any]:
    background = held.backgrounds[layer]
    h1 = scan_images(background.ranks(activations, tail=tail))
    h0 = scan_images(background.ranks(held.normal_activations[layer], tail=tail))
    return {"score": contrast(h1.scores, h0.scores), "size": contrast(h1.sizes, h0.sizes)}


def _groups(
    store: Store, cell: Cell, creative: RankedPvalues, normal: RankedPvalues
) -> dict[str, Any]:
    """Group scans of groups with a share of creative images against groups without; the same
    groups are drawn for every layer."""
    sizes = store.sizes
    n_groups, group_size = sizes["n_groups"], sizes["group_size"]
    seed = derived_seed(cell.data, cell.seed, "groups")
    plain = [_group(normal, None, 0, group_size, [seed, r], store) for r in range(n_groups)]
    contrast = Contrast(n_groups, n_groups, sizes["n_draws"], seed)
    found: dict[str, Any] = {}
    for share in sizes["group_shares"]:
        n_creative = max(1, round(share * group_size))
        mixed = [
            _group(normal, creative, n_creative, group_size, [seed, n_creative, r], store)
            for r in range(n_groups)
        ]
        measured: dict[str, Any] = {
            name: contrast([g[name] for g in mixed], [g[name] for g in plain])
            for name in ("score", "size", "n_images", "n_nodes", "all_nodes")
        }
        for name in ("precision", "recall"):
            known = [g[name] for g in mixed if np.isfinite(g[name])]
            measured[name] = float(np.mean(known)) if known else None
        found[f"{share:g}"] = measured
    return found


def _group(
    normal: RankedPvalues,
    creative: RankedPvalues | None,
    n_creative: int,
    group_size: int,
    seed: list[int],
    store: Store,
) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    rows = [normal.numbers[rng.choice(len(normal), group_size - n_creative, replace=False)]]
    if creative is not None:
        rows.insert(0, creative.numbers[rng.choice(len(creative), n_creative, replace=False)])
    group = RankedPvalues(np.concatenate(rows), normal.n_background)
    scan = scan_group(group, n_restarts=store.sizes["n_restarts"], seed=seed[-1], engine="auto")
    right = int((scan.images < n_creative).sum())
    return {
        "score": scan.score,
        "size": float(scan.size),
        "n_images": float(len(scan.images)),
        "n_nodes": float(len(scan.nodes)),
        "all_nodes": all_nodes_score(group),
        "precision": right / len(scan.images) if len(scan.images) else float("nan"),
        "recall": right / n_creative if n_creative else float("nan"),
    }


def _novelty(
    store: Store,
    cell: Cell,
    held: Bench,
    images: NDArray[np.uint8],
    contrast: Contrast,
    scored: dict[str, dict[str, NDArray[Any]]],
) -> dict[str, Any]:
    """Measures that know nothing of the scan, and how they go with its score and size."""
    judges = judges_of(store, cell.data)
    new = judges.measure(images, held.model)
    usual = judges.measure(held.normal_images, held.model)
    found: dict[str, Any] = {}
    for name, values in new.items():
        found[name] = contrast(values, usual[name])
        found[name]["with"] = {
            layer: {what: _spearman(scores, values) for what, scores in of_layer.items()}
            for layer, of_layer in scored.items()
        }
    accuracy = None if judges.classifier is None else judges.classifier.accuracy
    return {"measures": found, "classifier_accuracy": accuracy}


def _spearman(first: NDArray[Any], second: NDArray[Any]) -> float | None:
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(spearmanr(first, second).statistic)
