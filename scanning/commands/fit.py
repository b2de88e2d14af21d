"""``fit``: the background, once for many scans."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from scanning.commands.files import SUFFIXES, nodes, read, save
from scanning.commands.layers import FITTED, common_layers
from scanning.commands.output import table
from scanning.pvalues import Background


def fit(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Write the sorted activations of each node, which is all that a background needs."""
    output = Path(options.output)
    if output.suffix not in SUFFIXES[1:]:
        raise ValueError(f"output must end in .npz or .safetensors; got {options.output}")
    if output.exists() and any(output.samefile(path) for path in options.activations):
        raise ValueError(f"output must not be one of the files that are read; got {output}")
    fitted = {}
    for layer in common_layers(options.activations, options.layer):
        parts = [nodes(read(path, layer), path) for path in options.activations]
        widths = {part.shape[1] for part in parts}
        if len(widths) > 1:
            raise ValueError(
                f"activations of layer {layer} must have the same nodes; got {sorted(widths)}"
            )
        activations = np.concatenate(parts)
        try:
            Background.fit(activations)
        except ValueError as error:
            raise ValueError(f"layer {layer}: {error}") from None
        fitted[layer] = np.sort(activations, axis=0)
    arrays = {f"{FITTED}{layer}": values for layer, values in fitted.items()}
    save(output, arrays)
    rows = [(layer, *values.shape) for layer, values in fitted.items()]
    report = {
        "output": str(output),
        "layers": {name: {"n_background": b, "n_nodes": j} for name, b, j in rows},
    }
    return report, table(("layer", "background images", "nodes"), rows)
