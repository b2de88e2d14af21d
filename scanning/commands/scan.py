"""``scan``: what is anomalous."""

import argparse
from typing import Any

from scanning._plain import plain
from scanning.cluster import scan_layers
from scanning.commands.layers import layer_pvalues
from scanning.commands.options import search, workers
from scanning.commands.output import table


def scan(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Individual scans and the group scan of each layer."""
    pvalues = layer_pvalues(options, options.test)
    found = scan_layers(
        {layer: matrix for layer, (matrix, _) in pvalues.items()},
        **search(options),
        **workers(options),
    )
    report: dict[str, Any] = {"tail": options.tail, "layers": {}}
    lines: list[str] = []
    for layer, both in found.items():
        images, group = both.images, both.group
        report["layers"][layer] = {
            "n_images": len(images),
            "n_nodes": images.n_nodes,
            "group": group.to_dict(),
            "images": images.to_dict() if options.nodes else plain(images),
        }
        members = set(group.images.tolist())
        rows = enumerate(zip(images.scores, images.sizes, images.alphas, strict=True))
        lines += [
            f"{layer}: group score {group.score:.4f} at alpha {group.alpha:.4g}, "
            f"{len(group.images)} of {len(images)} images × "
            f"{len(group.nodes)} of {images.n_nodes} nodes",
            *table(
                ("image", "score", "size", "alpha", "in group"),
                [(i, *row, "yes" if i in members else "no") for i, row in rows],
            ),
            "",
        ]
    return report, lines[:-1]
