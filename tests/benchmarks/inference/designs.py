"""Which studies are simulated."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats

from studies.stats.rating_model import RatingModel, rating_model
from studies.stats.simulated_ratings import RatingDesign, simulate_ratings

EFFECT = 0.5
RATER_SD, IMAGE_SD = 0.9, 0.7
THRESHOLDS = {2: (0.0,), 7: (-2.5, -1.5, -0.5, 0.5, 1.5, 2.5)}


@dataclass(frozen=True)
class Cell:
    """Studies of one size under one model; slopes are log odds per SD of the predictor."""

    n_images: int
    n_raters: int
    ratings_per_image: int
    n_categories: int
    slope_sd: float
    effect: float

    @property
    def design(self) -> RatingDesign:
        return RatingDesign(
            n_images=self.n_images,
            n_raters=self.n_raters,
            ratings_per_image=self.ratings_per_image,
        )

    @property
    def model(self) -> RatingModel:
        return rating_model(
            self.effect,
            thresholds=THRESHOLDS[self.n_categories],
            rater_sd=RATER_SD,
            image_sd=IMAGE_SD,
            slope_sd=self.slope_sd,
        )

    @property
    def name(self) -> str:
        trials = self.design.trials_per_rater[1]
        return (
            f"{self.n_images} images × {self.n_raters} raters × {trials} trials, "
            f"{self.n_categories}-point, slope SD {self.slope_sd:g}"
        )


def cells() -> list[Cell]:
    """Every design under no effect, some of them under an effect."""
    sizes = {
        "crossed": (40, 24, 24, 7),
        "few raters": (40, 12, 12, 7),
        "sparse": (80, 40, 20, 7),
        "binary": (80, 40, 20, 2),
        "many": (160, 60, 15, 7),
    }
    asked = [
        ("crossed", 0.0, (0.0,)),
        ("crossed", 0.3, (0.0, EFFECT)),
        ("few raters", 0.3, (0.0, EFFECT)),
        ("sparse", 0.0, (0.0, EFFECT)),
        ("sparse", 0.3, (0.0, EFFECT)),
        ("binary", 0.3, (0.0,)),
        ("many", 0.3, (0.0,)),
    ]
    return [
        Cell(*sizes[name], slope_sd, effect)
        for name, slope_sd, effects in asked
        for effect in effects
    ]


@cache
def truths(cell: Cell) -> dict[str, float]:
    """What the estimates of a cell are estimates of, from large simulated studies.

    The log odds are given. The slope of the linear model is that of the expected rating on the
    predictor; Spearman's coefficient is that with means of as many ratings by as many raters.
    """
    if not cell.effect:
        return {"clmm": 0.0, "lmm": 0.0, "spearman": 0.0}
    design = RatingDesign(
        n_images=3000, n_raters=cell.n_raters, ratings_per_image=cell.ratings_per_image
    )
    slopes, coefficients = [], []
    for seed in range(60):
        frame = simulate_ratings(design, cell.model, np.random.SeedSequence([seed, 1]))
        images = frame.groupby("image").agg(x=("predictor", "first"), y=("rating", "mean"))
        slopes.append(np.polyfit(images["x"], images["y"], 1)[0])
        coefficients.append(stats.spearmanr(images["x"], images["y"]).statistic)
    return {
        "clmm": cell.effect,
        "lmm": float(np.mean(slopes)),
        "spearman": float(np.mean(coefficients)),
    }
