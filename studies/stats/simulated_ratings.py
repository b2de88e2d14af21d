"""Ratings of a planned study: who rates what, and what they answer under a rating model."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .checks import FloatArray
from .rating_model import RatingModel

# More is not simulated: each of many studies would take minutes and gigabytes.
MAX_RATINGS = 1_000_000
MAX_PAIRS = 100_000_000


@dataclass(frozen=True, kw_only=True)
class RatingDesign:
    """How many images and raters, and how many raters rate each image.

    Every image is rated by exactly `ratings_per_image` raters and no rater rates an image twice.
    Raters have floor or ceiling of images * ratings per image / raters trials: all the same
    number where that divides, else numbers that differ by one.

    Raises
    ------
    ValueError
        If there are fewer than two ratings per image or on average per rater, without which
        their effects cannot be told from noise, or fewer raters than ratings per image.

    Examples
    --------
    >>> design = RatingDesign(n_images=50, n_raters=20, ratings_per_image=7)
    >>> design.n_ratings, design.trials_per_rater, design.balanced
    (350, (17, 18), False)
    """

    n_images: int
    n_raters: int
    ratings_per_image: int

    def __post_init__(self) -> None:
        for name, least in (("n_images", 4), ("n_raters", 2), ("ratings_per_image", 2)):
            least_count(getattr(self, name), name, least)
        if self.ratings_per_image > self.n_raters:
            raise ValueError(
                f"ratings_per_image must not exceed n_raters ({self.n_raters}), as nobody rates "
                f"an image twice; got {self.ratings_per_image}"
            )
        if self.n_ratings < 2 * self.n_raters:
            raise ValueError(
                f"n_raters must be at most half of all ratings ({self.n_ratings}), so that each "
                f"rates two images; got {self.n_raters}"
            )
        self.refuse_too_large()

    def refuse_too_large(self) -> None:
        """ValueError where one simulated study would fill the memory of the machine."""
        if self.n_ratings > MAX_RATINGS or self.n_images * self.n_raters > MAX_PAIRS:
            raise ValueError(
                f"n_images and n_raters must make at most {MAX_RATINGS:,} ratings, and "
                f"{MAX_PAIRS:,} pairs of an image and a rater; got {self.n_images:,} images, "
                f"{self.n_raters:,} raters and {self.n_ratings:,} ratings"
            )

    @classmethod
    def with_trials(
        cls, *, n_images: int, ratings_per_image: int, trials_per_rater: int
    ) -> "RatingDesign":
        """The design with as many raters as it takes if nobody does more than so many trials.

        Examples
        --------
        >>> RatingDesign.with_trials(n_images=50, ratings_per_image=7, trials_per_rater=20)
        RatingDesign(n_images=50, n_raters=18, ratings_per_image=7)
        """
        for name, value, least in (
            ("n_images", n_images, 4),
            ("ratings_per_image", ratings_per_image, 2),
            ("trials_per_rater", trials_per_rater, 2),
        ):
            least_count(value, name, least)
        if trials_per_rater > n_images:
            raise ValueError(
                f"trials_per_rater must not exceed n_images ({n_images}); got {trials_per_rater}"
            )
        n_raters = max(2, math.ceil(n_images * ratings_per_image / trials_per_rater))
        return cls(n_images=n_images, n_raters=n_raters, ratings_per_image=ratings_per_image)

    @property
    def n_ratings(self) -> int:
        return self.n_images * self.ratings_per_image

    @property
    def trials_per_rater(self) -> tuple[int, int]:
        """Fewest and most trials of a rater."""
        few, left_over = divmod(self.n_ratings, self.n_raters)
        return few, few + (left_over > 0)

    @property
    def balanced(self) -> bool:
        return self.n_ratings % self.n_raters == 0


def least_count(value: int, name: str, least: int) -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(f"{name} must be a whole number, {least} or more; got {value!r}")


def assigned_raters(design: RatingDesign, rng: np.random.Generator) -> NDArray[np.int64]:
    """Who rates each image: a random balanced incomplete assignment, (images, ratings per image).

    Images are taken in turn; each gets the raters who have the fewest trials so far, and among
    equals those drawn at random. Loads therefore never differ by more than one. Pairs of raters
    meet at random: it is not a balanced incomplete block design in the strict sense. Cost is
    O(images * raters).

    Examples
    --------
    >>> design = RatingDesign(n_images=6, n_raters=4, ratings_per_image=2)
    >>> raters = assigned_raters(design, np.random.default_rng(0))
    >>> np.bincount(raters.ravel()).tolist()
    [3, 3, 3, 3]
    """
    loads = np.zeros(design.n_raters)
    raters = np.empty((design.n_images, design.ratings_per_image), dtype=np.int64)
    for image in range(design.n_images):
        # Draws below one break ties between whole numbers of trials and nothing else.
        order = np.argsort(loads + rng.random(design.n_raters))
        raters[image] = order[: design.ratings_per_image]
        loads[raters[image]] += 1
    return raters


def simulate_ratings(
    design: RatingDesign, model: RatingModel, seed: int | np.random.SeedSequence = 0
) -> pd.DataFrame:
    """One simulated study.

    Parameters
    ----------
    seed : int or SeedSequence
        Predictor, raters, slopes, images, assignment and noise have streams of their own, so
        that studies of different size or effect with the same seed share what they can.

    Returns
    -------
    DataFrame
        A row per rating: `rater` and `image` (from 0), `predictor` (normal, standardised over
        the images), `latent`, `rating` (from 1). A category that nobody chose is absent.

    Examples
    --------
    >>> from studies.stats.rating_model import rating_model
    >>> design = RatingDesign(n_images=30, n_raters=10, ratings_per_image=5)
    >>> ratings = simulate_ratings(design, rating_model(0.5), seed=1)
    >>> ratings.shape, sorted(set(ratings["rating"].tolist()))
    ((150, 5), [1, 2, 3, 4, 5, 6, 7])
    """
    predictor_rng, rater_rng, slope_rng, image_rng, assignment_rng, noise_rng = streams(seed, 6)
    drawn = predictor_rng.normal(size=design.n_images)
    predictor = (drawn - drawn.mean()) / drawn.std()
    rater_effects = model.rater_sd * rater_rng.normal(size=design.n_raters)
    slopes = model.effect + model.slope_sd * slope_rng.normal(size=design.n_raters)
    image_effects = model.image_sd * image_rng.normal(size=design.n_images)
    raters = assigned_raters(design, assignment_rng).ravel()
    images = np.repeat(np.arange(design.n_images), design.ratings_per_image)
    latent = slopes[raters] * predictor[images] + rater_effects[raters] + image_effects[images]
    latent += _noise(model.link, noise_rng, raters.size)
    return pd.DataFrame(
        {
            "rater": raters,
            "image": images,
            "predictor": predictor[images],
            "latent": latent,
            "rating": np.digitize(latent, model.thresholds) + 1,
        }
    )


def streams(seed: int | np.random.SeedSequence, n: int) -> list[np.random.Generator]:
    """So many generators of their own, the same for the same seed."""
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    return [
        np.random.default_rng(np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, k)))
        for k in range(n)
    ]


def _noise(link: str, rng: np.random.Generator, n: int) -> FloatArray:
    return rng.logistic(size=n) if link == "logit" else rng.normal(size=n)
