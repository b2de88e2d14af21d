"""How far raters agree, and how high a correlation their means allow."""

from typing import Any

import pandas as pd

from studies.models import Question
from studies.services.analysis.fitting import attempted, plain
from studies.services.analysis.names import PREDICTORS
from studies.stats import (
    disattenuated,
    fleiss_kappa,
    gwet_ac,
    icc,
    krippendorff_alpha,
    split_half,
)

# By kind of question: what the values are to Krippendorff's α, its own level first.
LEVELS = {
    "categorical": ("nominal",),
    "likert": ("ordinal", "interval"),
    "slider": ("interval",),
}
# Splits and draws for the split-half coefficient: its cost is their product times images.
N_SPLITS, N_DRAWS, MANY_IMAGES = 200, 999, 100


def matrix(question: Question, ratings: pd.DataFrame) -> pd.DataFrame:
    """Raters × images; words only where the question has nothing else."""
    column = "value" if question.kind == "categorical" else "number"
    return ratings.pivot(index="rater", columns="image", values=column)


def agreement(question: Question, ratings: pd.DataFrame, seed: int) -> dict[str, dict[str, Any]]:
    """How far raters agree: Krippendorff's α at the question's level, and an ICC of its numbers."""
    level = LEVELS.get(question.kind, ("ordinal",))[0]
    return {
        "krippendorff": krippendorff_alpha(
            matrix(question, ratings), level=level, seed=seed
        ).to_dict(),
        "icc": icc(ratings, rating="number", seed=seed).to_dict(),
    }


def chance_corrected(
    question: Question, ratings: pd.DataFrame, seed: int, said: list[str]
) -> dict[str, Any]:
    """Agreement less what chance gives, at every level that fits the question's values."""
    levels = LEVELS.get(question.kind)
    if levels is None:
        return {"krippendorff": {}, "fleiss": None, "gwet": None}
    table = matrix(question, ratings)
    alphas = {
        level: plain(
            attempted(
                lambda level=level: krippendorff_alpha(table, level=level, seed=seed),  # type: ignore[misc]
                f"Krippendorff’s α at the {level} level",
                said,
            )
        )
        for level in levels
    }
    fleiss = gwet = None
    if question.kind == "categorical":
        labels = [label["value"] for label in question.options["labels"]]
        fleiss = attempted(lambda: fleiss_kappa(table), "Fleiss’ κ", said)
        gwet = attempted(lambda: gwet_ac(table, categories=labels), "Gwet’s AC1", said)
    elif question.kind == "likert":
        points = [float(point) for point in range(1, question.options["points"] + 1)]
        gwet = attempted(
            lambda: gwet_ac(table, weights="quadratic", categories=points), "Gwet’s AC2", said
        )
    return {"krippendorff": alphas, "fleiss": plain(fleiss), "gwet": plain(gwet)}


def ceiling(
    ratings: pd.DataFrame, rated: pd.DataFrame, seed: int, said: list[str]
) -> dict[str, Any] | None:
    """How reliable the images' means are, and correlations freed of what they are not."""
    if ratings.empty:
        return None
    few = rated.shape[0] > MANY_IMAGES
    halves = attempted(
        lambda: split_half(
            ratings,
            rating="number",
            n_splits=N_SPLITS if few else 1000,
            n_bootstrap=N_DRAWS if few else 1999,
            seed=seed,
        ),
        "The split-half reliability",
        said,
    )
    if halves is None:
        return None
    corrected: list[dict[str, Any]] = []
    reliability = halves.estimate
    if reliability is not None and 0 < reliability <= 1:
        interval = halves.interval
        usable = interval is not None and 0 < interval[0] <= reliability <= interval[1] <= 1
        for predictor, label in PREDICTORS.items():
            result = attempted(
                lambda predictor=predictor: disattenuated(  # type: ignore[misc]
                    rated[predictor],
                    rated["mean"],
                    reliability,
                    reliability_interval=interval if usable else None,
                    seed=seed,
                ),
                f"The corrected correlation with {label}",
                said,
            )
            if result is not None:
                about = {"predictor": predictor, "predictor_label": label}
                corrected.append({**about, **result.to_dict()})
    elif reliability is not None:
        said.append(
            "Correlations are not corrected for attenuation: the reliability is not positive."
        )
    return {"split_half": halves.to_dict(), "disattenuated": corrected}
