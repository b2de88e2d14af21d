"""``detect``: how well scans tell creative from normal images."""

import argparse
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from scanning.commands.files import ONLY_LAYER, read
from scanning.commands.layers import layer_pvalues
from scanning.commands.options import search, workers
from scanning.commands.output import table
from scanning.detection import detect_groups, detect_images, node_overlap
from scanning.individual import scan_images


def detect(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Detection power, and whether the nodes of creative images differ from those of normal."""
    creative, normal = (layer_pvalues(options, path) for path in (options.creative, options.normal))
    for path, layers in ((options.creative, creative), (options.normal, normal)):
        if any(len(matrix) < 2 for matrix, _ in layers.values()):
            raise ValueError(f"{path} must hold at least two images; got 1")
    shared = {
        "true_nodes": _true_nodes(options.true_nodes),
        "n_bootstrap": options.bootstrap,
        "confidence": options.confidence,
    }
    parameters = search(options)
    report: dict[str, Any] = {"tail": options.tail, "layers": {}}
    lines: list[str] = []
    for layer, (matrix, shape) in creative.items():
        groups = detect_groups(
            normal[layer][0],
            matrix,
            group_size=options.group_size,
            share=options.share,
            n_replicates=options.replicates,
            **shared,
            **parameters,
            **workers(options),
        )
        individual = {name: parameters[name] for name in ("statistic", "alpha_max", "seed")}
        images = detect_images(normal[layer][0], matrix, **shared, **individual)
        del individual["seed"]
        of_creative, of_normal = (
            scan_images(values, **individual) for values in (matrix, normal[layer][0])
        )
        overlap = node_overlap(
            [of_creative.nodes(i) for i in range(len(of_creative))],
            [of_normal.nodes(i) for i in range(len(of_normal))],
            of_creative.n_nodes,
            shape,
            seed=options.seed,
        )
        found = {
            "groups": groups.to_dict(),
            "images": images.to_dict(),
            "overlap": overlap.to_dict(),
        }
        report["layers"][layer] = found
        rows = [
            (f"{kind} {name}", *(value[part] for part in ("value", "low", "high", "n")))
            for kind in ("groups", "images")
            for name, value in found[kind].items()
            if isinstance(value, dict)
        ]
        lines += [
            f"{layer}: {groups.n_creative} creative of {groups.group_size} images in a group",
            *table(("measure", "value", "low", "high", "n"), rows),
            f"nodes of creative and normal images: Jaccard {overlap.jaccard_between:.4f} between, "
            f"{overlap.jaccard_a:.4f} and {overlap.jaccard_b:.4f} within, p = {overlap.pvalue:.4g}",
            "",
        ]
    return report, lines[:-1]


def _true_nodes(path: str | None) -> NDArray[Any] | None:
    if path is None:
        return None
    if Path(path).suffix != ".npy":
        raise ValueError(f"true-nodes must end in .npy; got {path}")
    return read(path, ONLY_LAYER)
