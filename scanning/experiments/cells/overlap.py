"""Whether processes leave their anomalies in different nodes of one model."""

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scanning.detection import node_overlap
from scanning.experiments.making import bench, creative_images
from scanning.experiments.measures import derived_seed, most_extreme
from scanning.experiments.settings import CONTROLS, MAIN_SHARE, PROCESSES
from scanning.experiments.store import Cell, Store
from scanning.individual import scan_images
from scanning.pvalues import RankedPvalues

SHARE_COMPARED = 0.05  # of a layer's nodes, where subsets of one size are compared


def work(store: Store, cell: Cell) -> dict[str, Any]:
    """Node subsets of every two processes, normal decoding among them, in each layer."""
    held = bench(store, cell.data, cell.seed)
    n = min(store.sizes["n_overlap"], len(held.normal_images))
    ranked: dict[str, dict[str, RankedPvalues]] = {
        "normal": {layer: held.normal[layer].images(np.arange(n)) for layer in held.layers}
    }
    first = held.layers[0]
    for process in dict(cell.decoding or ()).get("processes", PROCESSES):
        decoding = {"process": process, "layer": first, "share": MAIN_SHARE, "scale": 1.0}
        made = creative_images(store, held, cell, decoding, n)
        ranked[process] = {
            layer: held.backgrounds[layer].ranks(made.activations[layer]) for layer in held.layers
        }
    pairs = []
    for layer in held.layers:
        shape = held.shapes[layer]
        n_nodes = int(np.prod(shape))
        seed = derived_seed(cell.data, cell.seed, "overlap", layer)
        subsets = {name: _subsets(of[layer], n_nodes, seed) for name, of in ranked.items()}
        for a, b in combinations(ranked, 2):
            pairs.append(
                {"layer": layer, "a": a, "b": b, "has_control": bool({a, b} & CONTROLS)}
                | {
                    way: _compared(subsets[a][way], subsets[b][way], n_nodes, shape, store, seed)
                    for way in ("subset", "same_size")
                }
            )
    return {"n": n, "pairs": pairs}


def _subsets(ranked: RankedPvalues, n_nodes: int, seed: int) -> dict[str, list[NDArray[np.int64]]]:
    scan = scan_images(ranked)
    n_compared = max(1, round(SHARE_COMPARED * n_nodes))
    return {
        "subset": [scan.nodes(image) for image in range(len(scan))],
        "same_size": most_extreme(ranked, n_compared, np.random.default_rng(seed)),
    }


def _compared(
    a: list[NDArray[np.int64]],
    b: list[NDArray[np.int64]],
    n_nodes: int,
    shape: tuple[int, ...],
    store: Store,
    seed: int,
) -> dict[str, Any]:
    planes = shape if len(shape) == 3 else None
    found = node_overlap(
        a, b, n_nodes, planes, n_permutations=store.sizes["n_permutations"], seed=seed
    )
    kept = {
        "difference": found.difference,
        "pvalue": found.pvalue,
        "jaccard_a": found.jaccard_a,
        "jaccard_b": found.jaccard_b,
        "jaccard_between": found.jaccard_between,
    }
    if found.channels_a is not None and found.channels_b is not None and shape[0] > 3:
        kept["channels_a"] = found.channels_a.round(4).tolist()
        kept["channels_b"] = found.channels_b.round(4).tolist()
    return kept
