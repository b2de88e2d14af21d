"""How often normal images, and groups of them, are called anomalous at a nominal level."""

from typing import Any

import numpy as np

from scanning.calibration import calibrate_images
from scanning.experiments.making import bench, normal_images
from scanning.experiments.store import Cell, Store
from scanning.group import scan_group
from scanning.individual import scan_images

NOMINAL = (0.01, 0.05, 0.1, 0.2)


def work(store: Store, cell: Cell) -> dict[str, Any]:
    """Shares of fresh normal images and groups with p at most each nominal level.

    Null and observed groups consist of different images: `held_out` ones, from which null groups
    are drawn without replacement, and `fresh` ones, every group its own.
    """
    held = bench(store, cell.data, cell.seed)
    sizes = store.sizes
    size, n_null, n_observed = sizes["group_size"], sizes["n_null"], sizes["n_observed"]
    layers = (held.layers[0], held.layers[-1])
    # The held-out null asks for ten times as many images as a group has.
    null_of = normal_images(held.model, 10 * size, layers, cell.data, cell.seed, "held-out")
    fresh = normal_images(held.model, n_observed * size, layers, cell.data, cell.seed, "fresh")
    found = []
    for layer in layers:
        null = held.backgrounds[layer].ranks(null_of.activations.pop(layer))
        observed = held.backgrounds[layer].ranks(fresh.activations.pop(layer))
        single = calibrate_images(scan_images(null), scan_images(observed)).pvalues
        rng = np.random.default_rng([cell.seed, len(layer)])
        null_scores = np.array(
            [
                _score(null.images(rng.choice(len(null), size, replace=False)), store)
                for _ in range(n_null)
            ]
        )
        groups = np.array(
            [
                _score(observed.images(np.arange(place, place + size)), store)
                for place in range(0, len(observed), size)
            ]
        )
        exceeding = (null_scores >= groups[:, None]).sum(axis=1)
        for kind, pvalues in (("images", single), ("groups", (1 + exceeding) / (n_null + 1))):
            found.append(
                {
                    "layer": layer,
                    "kind": kind,
                    "n": len(pvalues),
                    "n_null": len(null) if kind == "images" else n_null,
                    "rates": {f"{a:g}": float((pvalues <= a + 1e-12).mean()) for a in NOMINAL},
                }
            )
    return {"rows": found}


def _score(group: Any, store: Store) -> float:
    return scan_group(group, n_restarts=store.sizes["n_restarts"], seed=0).score
