"""Everything that is computed for one question."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from studies import wording
from studies.models import ParticipantKind, Question
from studies.services.analysis.agreement import ceiling, chance_corrected
from studies.services.analysis.associations import (
    associations,
    majority_auc,
    membership,
    partial_associations,
    size_trend,
    standardised_associations,
)
from studies.services.analysis.fitting import Fits, attempted, mixed_frame
from studies.services.analysis.image_numbers import (
    COMPARISONS,
    ImageNumbers,
    image_numbers,
    pairs,
)
from studies.services.analysis.inputs import Inputs
from studies.services.analysis.layers import compare_layers
from studies.services.analysis.models import MIXED, question_models
from studies.services.analysis.names import RATERS
from studies.services.analysis.steps import Steps
from studies.stats import fit_rao_kupper

# Below these, whoever happened to rate matters more than the intervals can say.
FEW_RATERS, FEW_RATINGS = 10, 3
# Of a Rao–Kupper model: what stands with the images already.
PER_IMAGE = ("abilities", "standard_errors", "p_values", "intervals")


@dataclass(frozen=True)
class Analysed:
    """A question with its result, and what further models of it are fitted from.

    `ratings` are those of single images; None where images were compared.
    """

    question: Question
    result: dict[str, Any]
    rated: pd.DataFrame
    ratings: pd.DataFrame | None
    fits: Fits

    @property
    def key(self) -> str:
        return self.question.key


def analyse_questions(inputs: Inputs, planned_scan: str, steps: Steps) -> list[Analysed]:
    """The analysis of each question whose answers are more than words."""
    found = []
    for question in inputs.study.questions.all():
        steps.begin(f"{question.key}: the images’ numbers")
        numbers = image_numbers(
            question, inputs.ratings, inputs.comparisons, inputs.images, inputs.seed
        )
        if numbers is not None:
            found.append(analyse_question(question, inputs, numbers, planned_scan, steps))
    return found


def analyse_question(
    question: Question, inputs: Inputs, numbers: ImageNumbers, planned_scan: str, steps: Steps
) -> Analysed:
    """Associations, models, agreement, layers and group membership for one question."""
    seed = inputs.seed
    asked = inputs.comparisons if question.kind in COMPARISONS else inputs.ratings
    ratings = asked[asked["question"] == question.key]
    by_themselves = question.kind not in COMPARISONS
    n_raters = int(ratings["rater"].nunique())
    rated = numbers.table[numbers.table["n"] > 0]
    single = ratings if by_themselves else None
    said: list[str] = []
    steps.begin(f"{question.key}: how its answers go with the scan")
    found: dict[str, Any] = {
        "key": question.key,
        "text": question.text,
        "kind": question.kind,
        **numbers.measure,
        "n_images": len(rated),
        "n_ratings": numbers.n_answers,
        "n_raters": n_raters,
        "ratings_per_image": float(rated["n"].mean()) if len(rated) else None,
        "associations": associations(rated, seed, single),
        "standardised": (
            standardised_associations(ratings, inputs.images, seed, said) if by_themselves else []
        ),
        "partial": partial_associations(rated, seed),
        "membership": membership(rated),
        "trend": size_trend(rated, said),
        "auc": majority_auc(rated, numbers.measure.get("positive_label"), said),
        "reliability": numbers.reliability,
        "labels": label_counts(question, ratings, inputs.images),
        "images": image_rows(numbers.table),
    }
    steps.begin(f"{question.key}: mixed models")
    mixed = question.kind in MIXED
    fits = Fits(mixed_frame(ratings) if mixed else pd.DataFrame(), inputs.measures)
    scan = inputs.scan.name
    found["models"] = (
        pair_models(ratings, said)
        if question.kind == "forced_choice"
        else question_models(question.kind, fits, scan)
    )
    steps.begin(f"{question.key}: agreement and reliability")
    found["chance_corrected"] = chance_corrected(question, ratings, seed, said)
    found["ceiling"] = ceiling(ratings, rated, seed, said) if by_themselves else None
    steps.begin(f"{question.key}: layers")
    found["layers"] = compare_layers(inputs, rated, single, planned_scan, said)
    raters = wording.count(n_raters, *RATERS[ParticipantKind(inputs.kind)])
    found["sentence"] = wording.association_sentence(found, found["associations"][0], raters=raters)
    thin = [] if by_themselves else thin_ratings(n_raters, found["ratings_per_image"])
    found["warnings"] = [*thin, *said, *fits.problems]
    return Analysed(question, found, rated, single, fits)


def pair_models(compared: pd.DataFrame, said: list[str]) -> list[dict[str, Any]]:
    """Rao and Kupper's model, and the same with an advantage of the image on the left."""
    frame = pairs(compared)
    made = []
    for position in (False, True):
        model = attempted(
            lambda position=position: fit_rao_kupper(frame, position_effect=position),  # type: ignore[misc]
            f"The Rao–Kupper model{' with an effect of position' if position else ''}",
            said,
        )
        if model is None:
            continue
        values = {name: value for name, value in model.to_dict().items() if name not in PER_IMAGE}
        limits = model.position_interval()
        made.append(
            {
                "name": "rao_kupper",
                "predictors": ["position"] if position else [],
                **values,
                "position_interval": limits and list(limits),
                "odds_ratios": None,
                "likelihood_ratio": None,
            }
        )
    return made


def thin_ratings(n_raters: int, ratings_per_image: float | None) -> list[str]:
    """What intervals that resample images and not raters cannot show, of comparisons."""
    if ratings_per_image is None:
        return []
    if n_raters >= FEW_RATERS and ratings_per_image >= FEW_RATINGS:
        return []
    return [
        f"Few ratings so far ({wording.count(n_raters, 'rater')}, "
        f"{ratings_per_image:.1f} per image): "
        "the intervals are over images and do not show what other raters would have said."
    ]


def label_counts(
    question: Question, ratings: pd.DataFrame, images: pd.DataFrame
) -> list[dict[str, Any]]:
    """How often each label was chosen for the images of each process; empty for other kinds."""
    if question.kind != "categorical":
        return []
    chosen = ratings.merge(images[["image", "process"]], on="image")
    counts = chosen.groupby(["value", "process"]).size()
    return [
        {
            "value": label["value"],
            "label": label["label"],
            "process": process,
            "n": int(counts.get((label["value"], process), 0)),
        }
        for label in question.options["labels"]
        for process in sorted(images["process"].unique())
    ]


def image_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """`table` as plain JSON values, None for what is not defined."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [
        {
            str(key): value.item() if isinstance(value, np.generic) else value
            for key, value in row.items()
        }
        for row in rows
    ]
