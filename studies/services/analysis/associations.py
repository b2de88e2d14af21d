"""How the images' numbers go with size and score: one number per image, ranks throughout."""

from typing import Any

import numpy as np
import pandas as pd

from studies.services.analysis.fitting import attempted
from studies.services.analysis.image_numbers import image_means
from studies.services.analysis.names import METHODS, PREDICTORS
from studies.stats import (
    auc,
    ordered_trend,
    partial_rank_association,
    rank_association,
    two_groups,
)

N_QUANTILES = 4


def association(
    rated: pd.DataFrame, predictor: str, method: str, seed: int, of: str = "mean answer"
) -> dict[str, Any]:
    label = PREDICTORS[predictor]
    found = rank_association(
        rated[predictor],
        rated["mean"],
        method=method,
        seed=seed,
        names=(f"the {label}", f"the images’ {of}"),
    )
    about = {"predictor": predictor, "predictor_label": label, "method_name": method}
    return {**about, **found.to_dict()}


def associations(rated: pd.DataFrame, seed: int) -> list[dict[str, Any]]:
    return [
        association(rated, predictor, method, seed)
        for predictor in PREDICTORS
        for method in METHODS
    ]


def standardised_associations(
    ratings: pd.DataFrame, images: pd.DataFrame, seed: int
) -> list[dict[str, Any]]:
    """Spearman's ρ with means of ratings that are standardised within each rater.

    A rater's ratings less their mean, over their standard deviation: how high and how wide
    somebody rates plays no part. Who gave one number throughout has no deviation, and is left
    out.
    """
    given = ratings.dropna(subset=["number"])
    by_rater = given.groupby("rater")["number"]
    deviation = by_rater.transform(lambda numbers: numbers.std(ddof=0))
    scaled = (given["number"] - by_rater.transform("mean")) / deviation.where(deviation > 0)
    kept = given.assign(number=scaled).dropna(subset=["number"])
    n_left_out = given["rater"].nunique() - kept["rater"].nunique()
    table = image_means(kept, images, shares=False, bounds=(-np.inf, np.inf))
    rated = table[table["n"] > 0]
    said = (
        [f"{n_left_out} raters who gave one number throughout are left out."] if n_left_out else []
    )
    found = []
    for predictor in PREDICTORS:
        row = association(rated, predictor, "spearman", seed, of="mean standardised answer")
        found.append(row | {"warnings": [*row["warnings"], *said]})
    return found


def partial_associations(rated: pd.DataFrame, seed: int) -> list[dict[str, Any]]:
    """Size with the numbers at equal scores, and score with them at equal sizes."""
    found = []
    for predictor in PREDICTORS:
        given = next(each for each in PREDICTORS if each != predictor)
        result = partial_rank_association(
            rated[predictor], rated["mean"], given=rated[given], seed=seed
        )
        found.append(
            {
                "predictor": predictor,
                "predictor_label": PREDICTORS[predictor],
                "given": given,
                "given_label": PREDICTORS[given],
                "method_name": "partial_spearman",
                **result.to_dict(),
            }
        )
    return found


def membership(rated: pd.DataFrame) -> dict[str, Any]:
    """The images of the group's subset against the others."""
    inside = rated["in_group"].astype(bool)
    return {
        **two_groups(rated["mean"], inside).to_dict(),
        "mean_inside": float(rated["mean"][inside].mean()) if inside.any() else None,
        "mean_outside": float(rated["mean"][~inside].mean()) if (~inside).any() else None,
        "n_inside": int(inside.sum()),
        "n_outside": int((~inside).sum()),
    }


def size_trend(rated: pd.DataFrame, said: list[str]) -> dict[str, Any] | None:
    """Jonckheere and Terpstra's test over quarters of the images by size."""

    def made() -> dict[str, Any]:
        if rated["size"].nunique() < 2:
            raise ValueError("all images have one size")
        quarters = pd.qcut(rated["size"], N_QUANTILES, labels=False, duplicates="drop")
        groups = quarters.to_numpy(dtype=float)
        counts = np.unique(groups, return_counts=True)[1].tolist()
        found = ordered_trend(rated["mean"].to_numpy(dtype=float), groups)
        return {**found.to_dict(), "group_sizes": counts}

    return attempted(made, "The trend over quarters of size", said)


def majority_auc(
    rated: pd.DataFrame, positive: str | None, said: list[str]
) -> dict[str, Any] | None:
    """How well size and score tell the images that most raters gave the positive label.

    Images at exactly one half have no majority, and are left out.
    """
    if positive is None:
        return None
    decided = rated[rated["mean"] != 0.5]
    found: dict[str, Any] = {"label": positive, "n_without_majority": len(rated) - len(decided)}
    for predictor, label in PREDICTORS.items():
        result = attempted(
            lambda predictor=predictor: auc(decided[predictor], decided["mean"] > 0.5),  # type: ignore[misc]
            f"The area under the curve of {label}",
            said,
        )
        found[predictor] = result and result.to_dict()
    return found
