"""Choices between two images in a planned study: who compares what, and what they choose."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .checks import FloatArray
from .pairwise import CHOICES
from .rating_model import NODES, WEIGHTS, RatingModel
from .simulated_ratings import RatingDesign, least_count, streams


@dataclass(frozen=True, kw_only=True)
class ChoiceDesign(RatingDesign):
    """How many images and raters, and in how many comparisons each image is.

    `ratings_per_image` is that number of comparisons; `n_ratings` is the number of all
    comparisons, half of the images' numbers together.

    Raises
    ------
    ValueError
        If there are fewer than two comparisons per image or on average per rater, or their
        number is no whole one.

    Examples
    --------
    >>> design = ChoiceDesign(n_images=30, n_raters=10, ratings_per_image=8)
    >>> design.n_ratings, design.trials_per_rater
    (120, (12, 12))
    """

    def __post_init__(self) -> None:
        for name, least in (("n_images", 4), ("n_raters", 2), ("ratings_per_image", 2)):
            least_count(getattr(self, name), name, least)
        if self.n_images * self.ratings_per_image % 2:
            raise ValueError(
                f"ratings_per_image must be even with an odd number of images ({self.n_images}), "
                f"as each comparison has two; got {self.ratings_per_image}"
            )
        if self.n_ratings < 2 * self.n_raters:
            raise ValueError(
                f"n_raters must be at most half of all comparisons ({self.n_ratings}); got "
                f"{self.n_raters}"
            )
        self.refuse_too_large()

    @classmethod
    def with_trials(
        cls, *, n_images: int, ratings_per_image: int, trials_per_rater: int
    ) -> "ChoiceDesign":
        """The design with as many raters as it takes if nobody does more than so many trials.

        Examples
        --------
        >>> ChoiceDesign.with_trials(n_images=30, ratings_per_image=8, trials_per_rater=25)
        ChoiceDesign(n_images=30, n_raters=5, ratings_per_image=8)
        """
        least_count(trials_per_rater, "trials_per_rater", 2)
        n_raters = max(2, math.ceil(n_images * ratings_per_image / 2 / trials_per_rater))
        return cls(n_images=n_images, n_raters=n_raters, ratings_per_image=ratings_per_image)

    @property
    def n_ratings(self) -> int:
        return self.n_images * self.ratings_per_image // 2


@dataclass(frozen=True, kw_only=True)
class ChoiceModel(RatingModel):
    """P(choice <= k) = F(threshold_k - (effect + slope)(x_l - x_r) - (image_l - image_r)).

    Choices are ordered right, tie, left (with two thresholds) or right, left (with one); there
    is nothing in which a rater could be higher throughout, and `rater_sd` is 0.

    Examples
    --------
    >>> model = ChoiceModel(effect=0.5, thresholds=(-0.3, 0.3), rater_sd=0.0, image_sd=0.8)
    >>> model.proportions().round(2).tolist()
    [0.44, 0.11, 0.44]
    """

    def reliability(self, ratings_per_image: float) -> float:
        """Share of the abilities' variance that is not error, after so many comparisons each.

        Approximate: errors are those of a comparison with an image whose ability is known, and
        the information is that of a choice without ties.
        """
        between = self.effect**2 + self.image_sd**2
        won = 1 / (1 + np.exp(-NODES * math.sqrt(2 * between)))
        information = float(WEIGHTS @ (won * (1 - won)))
        return between / (between + 1 / (information * ratings_per_image))

    def proportions(self) -> FloatArray:
        """Share of each choice over pairs of images with normal predictors, (choices,)."""
        double = math.sqrt(2)
        return RatingModel(
            effect=double * self.effect,
            thresholds=self.thresholds,
            rater_sd=0.0,
            image_sd=double * self.image_sd,
            slope_sd=double * self.slope_sd,
            link=self.link,
        ).proportions()


def compared_images(design: ChoiceDesign, rng: np.random.Generator) -> NDArray[np.int64]:
    """Left and right image of every comparison: random pairs, (comparisons, 2).

    Every image is in exactly `ratings_per_image` of them and never compared with itself.

    Examples
    --------
    >>> design = ChoiceDesign(n_images=5, n_raters=2, ratings_per_image=4)
    >>> pairs = compared_images(design, np.random.default_rng(0))
    >>> np.bincount(pairs.ravel()).tolist(), bool((pairs[:, 0] == pairs[:, 1]).any())
    ([4, 4, 4, 4, 4], False)
    """
    rounds = [rng.permutation(design.n_images) for _ in range(design.ratings_per_image)]
    # With an odd number of images one pair in two rounds spans them: begin anew elsewhere.
    for earlier, later in zip(rounds[::2], rounds[1::2], strict=False):
        if design.n_images % 2 and earlier[-1] == later[0]:
            later[:2] = later[1::-1]
    pairs = np.concatenate(rounds).reshape(-1, 2)
    return rng.permuted(pairs, axis=1)[rng.permutation(len(pairs))]


def simulate_choices(
    design: ChoiceDesign, model: ChoiceModel, seed: int | np.random.SeedSequence = 0
) -> tuple[pd.DataFrame, FloatArray]:
    """One simulated study: its comparisons, and the predictor of each image.

    Returns
    -------
    DataFrame
        A row per comparison: `rater`, `left` and `right` (images from 0), `choice`.
    ndarray, (images,)
        Normal, standardised over the images.

    Examples
    --------
    >>> design = ChoiceDesign(n_images=30, n_raters=10, ratings_per_image=8)
    >>> model = ChoiceModel(effect=0.5, thresholds=(0.0,), rater_sd=0.0, image_sd=0.8)
    >>> choices, predictor = simulate_choices(design, model, seed=1)
    >>> choices.shape, sorted(set(choices["choice"]))
    ((120, 4), ['left', 'right'])
    """
    predictor_rng, slope_rng, image_rng, pair_rng, noise_rng = streams(seed, 5)
    drawn = predictor_rng.normal(size=design.n_images)
    predictor = (drawn - drawn.mean()) / drawn.std()
    slopes = model.effect + model.slope_sd * slope_rng.normal(size=design.n_raters)
    images = model.image_sd * image_rng.normal(size=design.n_images)
    left, right = compared_images(design, pair_rng).T
    raters = np.arange(design.n_ratings) % design.n_raters
    latent = slopes[raters] * (predictor[left] - predictor[right]) + images[left] - images[right]
    latent += noise_rng.logistic(size=design.n_ratings)
    words = CHOICES if len(model.thresholds) == 2 else (CHOICES[0], CHOICES[2])
    chosen = np.array(words)[np.digitize(latent, model.thresholds)]
    frame = pd.DataFrame({"rater": raters, "left": left, "right": right, "choice": chosen})
    return frame, predictor
