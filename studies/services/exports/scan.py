"""The scan that a study's images come from: every parameter, and what calibrates it."""

from typing import Any

from studies.models import Scan


def describe_scan(scan: Scan) -> dict[str, Any]:
    """Every parameter of the scan, and what it found in the group."""
    names = (
        "name", "layer", "tail", "statistic", "alpha_max", "n_restarts", "seed", "n_background",
        "n_images", "n_nodes", "node_shape", "max_images", "max_nodes", "engine", "versions",
    )  # fmt: skip
    return {
        **{name: getattr(scan, name) for name in names},
        "background": scan.background.name,
        "test_sets": list(scan.test_sets.order_by("name").values_list("name", flat=True)),
        "group": {
            "score": scan.group_score,
            "alpha": scan.group_alpha,
            "n_images": scan.group_n_images,
            "n_nodes": scan.group_n_nodes,
            "is_exact": scan.is_exact,
        },
        "calibration": describe_calibration(scan),
    }


CALIBRATION = (
    "p = (1 + scores at least as high among normal images) / (1 + number of normal scores), from "
    "held-out normal images that are neither in the background nor tested: for an image against "
    "single held-out images, for the group against null groups of as many images, drawn without "
    "replacement from the held-out images, or (“pooled”, a permutation test) from these and the "
    "tested images together. The interval is Clopper and Pearson's, of the share of null groups "
    "that score as high."
)


def describe_calibration(scan: Scan) -> dict[str, Any] | None:
    """What p-values stand on; the group's is None where held-out images did not suffice."""
    if not scan.is_calibrated:
        return None
    return {
        "rule": CALIBRATION,
        "held_out": list(scan.held_out.order_by("name").values_list("name", flat=True)),
        "n_held_out": scan.n_held_out,
        "confidence": scan.confidence,
        "group": {
            "null": scan.null_kind,
            "n_replicates": scan.n_replicates,
            "seed": scan.calibration_seed,
            "n_exceeding": scan.group_n_exceeding,
            "pvalue": scan.group_pvalue,
            "interval": [scan.group_pvalue_low, scan.group_pvalue_high],
            "null_scores": scan.null_scores,
        }
        if scan.null_kind
        else None,
    }
