"""``calibrate``: how often normal images look as anomalous."""

import argparse
from typing import Any

from scanning.calibration import calibrate_group, calibrate_images
from scanning.commands.layers import layer_pvalues
from scanning.commands.options import search, workers
from scanning.commands.output import table


def calibrate(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """p-values of both kinds of scan, from held-out normal images."""
    test, normal = layer_pvalues(options, options.test), layer_pvalues(options, options.normal)
    report: dict[str, Any] = {"tail": options.tail, "layers": {}}
    lines: list[str] = []
    for layer, (matrix, _) in test.items():
        group = calibrate_group(
            normal[layer][0],
            matrix,
            n_replicates=options.replicates,
            null=options.null,
            confidence=options.confidence,
            **search(options),
            **workers(options),
        )
        images = calibrate_images(
            normal[layer][0],
            matrix,
            statistic=options.statistic,
            alpha_max=options.alpha_max,
            confidence=options.confidence,
        )
        report["layers"][layer] = {"group": group.to_dict(), "images": images.to_dict()}
        low, high = group.interval
        lines += [
            f"{layer}: group score {group.score:.4f}, p = {group.pvalue:.4g} "
            f"({100 * options.confidence:g}% interval {low:.4g} to {high:.4g}), "
            f"{len(group.null_scores)} null groups of {group.group_size}",
            *table(
                ("image", "score", "p", "low", "high"),
                [
                    (i, score, p, *interval)
                    for i, (score, p, interval) in enumerate(
                        zip(images.scores, images.pvalues, images.intervals, strict=True)
                    )
                ],
            ),
            "",
        ]
    return report, lines[:-1]
