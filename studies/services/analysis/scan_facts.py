"""The scan that ratings are compared with, as a result names it."""

import hashlib
from typing import Any

import pandas as pd

from studies.models import Scan
from studies.services.analysis.inputs import canonical, hash_of


def scan_facts(scan: Scan, images: pd.DataFrame) -> dict[str, Any]:
    """Parameters, what was found in the group, and a hash of what was found in the images."""
    parameters = {
        "name": scan.name,
        "layer": scan.layer,
        "tail": scan.tail,
        "statistic": scan.statistic,
        "alpha_max": scan.alpha_max,
        "n_restarts": scan.n_restarts,
        "seed": scan.seed,
        "n_background": scan.n_background,
        "n_nodes": scan.n_nodes,
    }
    found = hash_of([images[["image", "size", "score", "in_group"]]])
    return {
        **parameters,
        "sha256": hashlib.sha256(canonical({**parameters, "images": found})).hexdigest(),
        "calibrated": scan.is_calibrated,
        "group_score": scan.group_score,
        "group_n_images": scan.group_n_images,
        "group_p": scan.group_pvalue,
        "group_p_interval": (
            None if scan.group_pvalue is None else [scan.group_pvalue_low, scan.group_pvalue_high]
        ),
    }
