"""How the images' numbers go with size and score: one number per image, ranks throughout."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from studies.services.analysis.fitting import attempted
from studies.services.analysis.names import METHODS, PREDICTORS
from studies.stats import (
    auc,
    crossed_rank_association,
    ordered_trend,
    partial_rank_association,
    rank_association,
    two_groups,
)

N_QUANTILES = 4
# By name of the argument.
USUAL_DRAWS: Mapping[str, int] = {"n_permutations": 9999, "n_bootstrap": 1999}


def association(
    rated: pd.DataFrame,
    predictor: str,
    method: str,
    seed: int,
    draws: Mapping[str, int] = USUAL_DRAWS,
) -> dict[str, Any]:
    label = PREDICTORS[predictor]
    found = rank_association(
        rated[predictor],
        rated["mean"],
        method=method,
        seed=seed,
        n_permutations=draws["n_permutations"],
        n_bootstrap=draws["n_bootstrap"],
        names=(f"the {label}", "the images’ mean answer"),
    )
    about = {"predictor": predictor, "predictor_label": label, "method_name": method}
    return {**about, **found.to_dict()}


def associations(
    rated: pd.DataFrame, seed: int, ratings: pd.DataFrame | None = None
) -> list[dict[str, Any]]:
    """Every coefficient of every predictor; with the single `ratings`, intervals know raters."""
    return [
        association(rated, predictor, method, seed)
        if ratings is None
        else crossed_association(ratings, rated, predictor, method, seed)
        for predictor in PREDICTORS
        for method in METHODS
    ]


def crossed_association(
    ratings: pd.DataFrame,
    images: pd.DataFrame,
    predictor: str,
    method: str,
    seed: int,
    *,
    standardise: bool = False,
    draws: Mapping[str, int] = USUAL_DRAWS,
) -> dict[str, Any]:
    """With the images' mean ratings, its interval over images and raters.

    Standardised, each rater's ratings are taken less their mean, over their deviation: how high
    and how wide somebody rates plays no part.
    """
    label = PREDICTORS[predictor]
    name = f"the {label}"
    measured = images.set_index("image")[predictor].astype(float).rename(name)
    frame = ratings[["rater", "image", "number"]].join(measured, on="image")
    found = crossed_rank_association(
        frame,
        rating="number",
        predictor=name,
        method=method,
        standardise=standardise,
        seed=seed,
        n_permutations=draws["n_permutations"],
        n_bootstrap=draws["n_bootstrap"],
    )
    about = {"predictor": predictor, "predictor_label": label, "method_name": method}
    return {**about, **found.to_dict()}


def image_association(
    rated: pd.DataFrame,
    ratings: pd.DataFrame | None,
    measures: pd.DataFrame,
    predictor: str,
    seed: int,
    draws: Mapping[str, int] = USUAL_DRAWS,
) -> dict[str, Any]:
    """Spearman's ρ of the images' numbers with what `measures` have of a scan."""
    if ratings is not None:
        return crossed_association(ratings, measures, predictor, "spearman", seed, draws=draws)
    table = rated[["image", "mean"]].merge(measures, on="image")
    return association(table, predictor, "spearman", seed, draws)


def standardised_associations(
    ratings: pd.DataFrame, images: pd.DataFrame, seed: int, said: list[str]
) -> list[dict[str, Any]]:
    """Spearman's ρ with means of ratings that are standardised within each rater."""
    found = [
        attempted(
            lambda predictor=predictor: crossed_association(  # type: ignore[misc]
                ratings, images, predictor, "spearman", seed, standardise=True
            ),
            f"The association of standardised ratings with {label}",
            said,
        )
        for predictor, label in PREDICTORS.items()
    ]
    return [each for each in found if each is not None]


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
