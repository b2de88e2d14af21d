"""The same association with what other scans of the images found."""

from typing import Any

import pandas as pd

from studies.services.analysis.associations import image_association
from studies.services.analysis.fitting import attempted, plain
from studies.services.analysis.inputs import Inputs
from studies.services.analysis.names import PREDICTORS
from studies.stats import rank_difference


def compare_layers(
    inputs: Inputs,
    rated: pd.DataFrame,
    ratings: pd.DataFrame | None,
    planned: str,
    said: list[str],
) -> list[dict[str, Any]]:
    """Spearman's ρ with each predictor of each scan, and its difference from the planned scan's.

    `planned` names that scan; its own rows have no difference. The difference is of this layer
    less the planned one.
    """
    means = rated[["image", "mean"]]
    joined = {scan: means.merge(measures, on="image") for scan, measures in inputs.measures.items()}
    base = joined[planned]
    rows = []
    for scan, table in joined.items():
        for predictor, label in PREDICTORS.items():
            difference = None
            if scan != planned:
                difference = attempted(
                    lambda table=table, predictor=predictor: rank_difference(  # type: ignore[misc]
                        table[predictor], base[predictor], base["mean"], seed=inputs.seed
                    ),
                    f"The difference of layers in {label}",
                    said,
                )
            rows.append(
                {
                    "scan": scan,
                    "layer": inputs.layer_of[scan],
                    "is_planned": scan == planned,
                    "predictor": predictor,
                    "predictor_label": label,
                    "association": image_association(
                        rated, ratings, inputs.measures[scan], predictor, inputs.seed
                    ),
                    "difference": plain(difference),
                }
            )
    return rows
