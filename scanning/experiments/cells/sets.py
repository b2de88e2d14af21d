"""Images, activations and scans of one model as files that other programs can take in."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
from safetensors.numpy import save

from scanning._plain import plain
from scanning.experiments.making import bench, creative_images, normal_images
from scanning.experiments.measures import derived_seed
from scanning.experiments.pictures import grid_png
from scanning.experiments.settings import Decoding
from scanning.experiments.store import Cell, Store, write_atomically
from scanning.group import scan_group
from scanning.individual import scan_images

N_SHOWN = 8
N_KEPT = 200  # images of each process


def work(store: Store, cell: Cell) -> dict[str, Any]:
    """Write the sets; what they are is the result."""
    held = bench(store, cell.data, cell.seed)
    folder = store.folder / "sets" / f"{cell.data}-seed{cell.seed}"
    first = held.layers[0]
    kept_layers = (first, held.layers[-1])
    n = min(N_KEPT, store.sizes["n_test"])
    made = {"normal": normal_images(held.model, n, held.layers, cell.data, cell.seed, "normal")}
    processes = dict(cell.decoding or ())["processes"]
    for process in processes:
        made[process] = creative_images(store, held, cell, vars(Decoding(process)), n)
    written = []
    shown = []
    for process, images in made.items():
        arrays = {"latents": images.latents, "images": images.images}
        arrays |= {f"layer:{layer}": images.activations[layer] for layer in kept_layers}
        if images.modulated_nodes is not None:
            arrays["modulated:nodes"] = np.concatenate(images.modulated_nodes)
            arrays["modulated:counts"] = np.array([len(x) for x in images.modulated_nodes])
        entry = {
            "process": process,
            "n": n,
            "seed": images.seed,
            "creative_decoding": None if images.creative is None else images.creative.to_dict(),
            "file": f"{process}.safetensors",
        }
        metadata = {"musescan": json.dumps(entry)}
        write_atomically(folder / str(entry["file"]), save(arrays, metadata))
        scans = {
            layer: scan_images(held.backgrounds[layer].ranks(images.activations[layer]))
            for layer in kept_layers
        }
        scores = {
            layer: {"scores": scan.scores, "sizes": scan.sizes, "alphas": scan.alphas}
            for layer, scan in scans.items()
        }
        write_atomically(folder / f"{process}.scan.json", json.dumps(plain(scores)).encode())
        written.append(entry)
        shown.append(images.images[:N_SHOWN])
    for layer in kept_layers:
        numbers = [
            held.backgrounds[layer].ranks(images.activations[layer]).numbers
            for images in made.values()
        ]
        ranked = replace(held.normal[layer], numbers=np.concatenate(numbers))
        seed = derived_seed(cell.data, cell.seed, "sets")
        group = scan_group(ranked, n_restarts=store.sizes["n_restarts"], seed=seed)
        write_atomically(folder / f"group-{layer}.scan.json", json.dumps(group.to_dict()).encode())
    write_atomically(folder / "processes.png", grid_png(np.concatenate(shown), N_SHOWN))
    index = {"data": cell.data, "seed": cell.seed, "layers": list(kept_layers), "sets": written}
    write_atomically(folder / "index.json", json.dumps(index, indent=1).encode())
    return index
