"""The scan that ratings are compared with, as a result names it."""

from typing import Any

from studies.services.analysis.inputs import Inputs


def scan_facts(inputs: Inputs) -> dict[str, Any]:
    """Parameters, what was found in the group, and the hash of what was found in the images."""
    scan = inputs.scan
    return {
        "name": scan.name,
        "layer": scan.layer,
        "tail": scan.tail,
        "statistic": scan.statistic,
        "alpha_max": scan.alpha_max,
        "n_restarts": scan.n_restarts,
        "seed": scan.seed,
        "n_background": scan.n_background,
        "n_nodes": scan.n_nodes,
        "sha256": inputs.scan_sha256,
        "calibrated": scan.is_calibrated,
        "group_score": scan.group_score,
        "group_n_images": scan.group_n_images,
        "group_p": scan.group_pvalue,
        "group_p_interval": (
            None if scan.group_pvalue is None else [scan.group_pvalue_low, scan.group_pvalue_high]
        ),
    }
