"""``scan``: what is anomalous."""

import argparse
from typing import Any

from scanning.cluster import scan_layers
from scanning.commands.layers import layer_pvalues
from scanning.commands.options import search, workers
from scanning.commands.output import table
from scanning.results import ImageScan


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
        images = _image_scan(both.images)
        if options.nodes:
            images["nodes"] = [both.images.nodes(i).tolist() for i in range(len(both.images))]
        report["layers"][layer] = {
            "n_images": len(both.images),
            "n_nodes": both.images.n_nodes,
            "group": both.group.to_dict(),
            "images": images,
        }
        lines += [
            f"{layer}: group score {both.group.score:.4f} at alpha {both.group.alpha:.4g}, "
            f"{len(both.group.images)} of {len(both.images)} images × "
            f"{len(both.group.nodes)} of {both.images.n_nodes} nodes",
            *table(
                ("image", "score", "size", "alpha", "in group"),
                [
                    (i, score, size, alpha, "yes" if i in members else "no")
                    for members in [set(both.group.images.tolist())]
                    for i, (score, size, alpha) in enumerate(
                        zip(both.images.scores, both.images.sizes, both.images.alphas, strict=True)
                    )
                ],
            ),
            "",
        ]
    return report, lines[:-1]


def _image_scan(scan: ImageScan) -> dict[str, Any]:
    return {name: value for name, value in vars(scan).items() if not name.startswith("_")}
