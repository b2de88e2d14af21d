"""Laplace's approximation to the likelihood of a crossed cumulative link model.

With spherical effects u and A = Z Lambda, the linear predictor is eta = X beta + A u. At the mode
of u the criterion is l - u'u / 2 - log|H| / 2 with H = I + A'WA; its gradient follows the mode by
one adjoint solve and needs of H^-1 only the blocks of raters and images that met.
"""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ._blocks import Crossing, block_diagonal, block_times, cholesky, inverse, squared
from ._crossed import CrossedDesign, Factor, crossing_of, entries, gram, level_sums
from ._links import LINKS, SLOPES, Cells
from .checks import FloatArray

# Of what a step to the mode still promises: where the search ends; below what a step is not
# compared with, as rounding hides it; and the share of the last one above which H is too old.
MODE_TOLERANCE = 1e-20
HIDDEN = 1e-9
SLOW = 1e-2
MAX_MODE_STEPS = 200


class Elimination:
    """H = I + A'WA of two factors whose designs are already A W^(1/2)."""

    def __init__(self, crossing: Crossing, eliminated: Factor, kept: Factor) -> None:
        self.crossing, self.eliminated, self.kept = crossing, eliminated, kept
        blocks = np.eye(eliminated.width) + gram(eliminated)
        roots = np.linalg.cholesky(blocks)
        half = np.linalg.inv(roots)
        self.inverse_blocks = half.transpose(0, 2, 1) @ half
        self.values = crossing.values(eliminated.design, kept.design)
        self.coupling = crossing.table(self.values)
        schur = block_diagonal(gram(kept)) - squared(block_times(half, self.coupling))
        schur[np.diag_indices_from(schur)] += 1
        self.root = cholesky(schur)
        self.log_determinant = 2 * float(
            np.log(np.diagonal(roots, axis1=1, axis2=2)).sum() + np.log(np.diag(self.root)).sum()
        )

    def solve(self, first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
        """H^-1 of a right side given by its parts for the eliminated and the kept factor."""
        own = self._own(first)
        right = second - self.coupling.T @ own
        kept = linalg.lapack.dpotrs(self.root, right, lower=1)[0]
        return own - self._own(self.coupling @ kept), kept

    def _own(self, values: FloatArray) -> FloatArray:
        return block_times(self.inverse_blocks, values[:, None])[:, 0]

    def inverse_times(self, first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
        """For each rating, its own levels' parts of H^-1 times its row of A.

        `first` and `second` (ratings, width) are the rating's row of A in both factors.
        """
        e, k, crossing = self.eliminated, self.kept, self.crossing
        reduced = self.inverse_blocks[crossing.rows] @ self.values
        middle = inverse(self.root)
        own, met = crossing.spread(reduced, middle)
        own += self.inverse_blocks
        met = -met[crossing.of_rating]
        other = middle.reshape(k.n_levels, k.width, k.n_levels, k.width)
        other = other[np.arange(k.n_levels), :, np.arange(k.n_levels)]
        return (
            np.einsum("jab,jb->ja", own[e.codes], first) + np.einsum("jab,jb->ja", met, second),
            np.einsum("jab,jb->ja", other[k.codes], second) + np.einsum("jab,ja->jb", met, first),
        )


Part = TypeVar("Part")


@dataclass(frozen=True)
class Mode:
    """The mode of the spherical effects at given parameters."""

    rater: FloatArray
    image: FloatArray
    cells: Cells
    elimination: Elimination
    value: float


class LaplaceCriterion:
    """Minus the approximate log likelihood; parameters are (alpha, beta, theta).

    `fixed` (ratings, predictors) has no intercept column: the thresholds take its place. The
    mode found last is where the next search starts.
    """

    def __init__(
        self,
        design: CrossedDesign,
        fixed: FloatArray,
        codes: NDArray[np.int64],
        n_categories: int,
        link: str,
    ) -> None:
        self.design, self.fixed, self.codes = design, fixed, codes
        self.n_thresholds = n_categories - 1
        self.cells_of, self.slopes_of = LINKS[link], SLOPES[link]
        self.rater, self.image = design.rater, design.image
        self.rater_eliminated = self.rater.size > self.image.size
        self.crossing = crossing_of(*self._ordered(self.rater, self.image))
        self.start = (np.zeros(self.rater.size), np.zeros(self.image.size))
        self.last: Elimination | None = None
        self.diagonal = np.concatenate(
            [
                np.zeros(self.n_thresholds + fixed.shape[1], dtype=bool),
                self.rater.diagonal_places,
                self.image.diagonal_places,
            ]
        )

    def information_scale(self) -> FloatArray:
        """Rough roots of the curvature in each parameter, thresholds as the first and log gaps.

        What all ratings tell, limited by the number of raters or images for what varies between
        them.
        """
        levels = (self.rater.n_levels, self.image.n_levels)
        counts = np.bincount(self.codes, minlength=self.n_thresholds + 1)
        shared = min(levels) / 2
        return np.sqrt(
            np.concatenate(
                [
                    [shared],
                    counts[1:-1] + 1.0,
                    np.full(self.fixed.shape[1], shared),
                    np.full(self.rater.n_parameters, 4.0 * levels[0]),
                    np.full(self.image.n_parameters, 4.0 * levels[1]),
                ]
            )
        )

    def split(self, parameters: FloatArray) -> tuple[FloatArray, ...]:
        """Thresholds, slopes, rater's and image's Cholesky entries."""
        places = np.cumsum([self.n_thresholds, self.fixed.shape[1], self.rater.n_parameters])
        return tuple(np.split(parameters, places))

    def value_and_gradient(self, parameters: FloatArray) -> tuple[float, FloatArray]:
        """Minus the criterion and its exact gradient; infinite where cuts are out of order."""
        alpha, beta, theta_rater, theta_image = self.split(parameters)
        if np.any(np.diff(alpha) <= 0):
            return np.inf, np.zeros_like(parameters)
        rows = {
            "rater": self.rater.design @ self.rater.lower(theta_rater),
            "image": self.image.design @ self.image.lower(theta_image),
        }
        # Far from the optimum, probabilities may underflow; such a point is refused as a whole.
        with np.errstate(all="ignore"):
            mode = self._mode(alpha, beta, rows)
            if mode is None or not np.isfinite(mode.value):
                return np.inf, np.zeros_like(parameters)
            gradient = self._gradient(mode, rows)
        if not np.isfinite(gradient).all():
            return np.inf, np.zeros_like(parameters)
        return -mode.value, -gradient

    def gradient(self, parameters: FloatArray) -> FloatArray:
        return self.value_and_gradient(parameters)[1]

    def _spread(self, factor: Factor, rows: FloatArray, effects: FloatArray) -> FloatArray:
        """A u of one factor, (ratings,)."""
        if factor.width == 1:
            return rows[:, 0] * effects[factor.codes]
        by_level = effects.reshape(factor.n_levels, factor.width)
        return np.asarray(np.einsum("ja,ja->j", rows, by_level[factor.codes]))

    def _collect(self, factor: Factor, rows: FloatArray, values: FloatArray) -> FloatArray:
        """A'v of one factor, (levels * width,)."""
        return level_sums(factor, rows, values[:, None])[:, 0]

    def _eliminated(self, rows: dict[str, FloatArray], weight: FloatArray) -> Elimination:
        root = np.sqrt(weight)[:, None]
        rater = replace(self.rater, design=rows["rater"] * root)
        image = replace(self.image, design=rows["image"] * root)
        return Elimination(self.crossing, *self._ordered(rater, image))

    def _ordered(self, rater: Part, image: Part) -> tuple[Part, Part]:
        """(rater, image) as (eliminated, kept), and back: the swap is its own inverse."""
        return (rater, image) if self.rater_eliminated else (image, rater)

    def _mode(
        self, alpha: FloatArray, beta: FloatArray, rows: dict[str, FloatArray]
    ) -> Mode | None:
        """Newton's method with halved steps; the log posterior of u is concave.

        None where a probability underflows even with no effects.

        H is kept, from the last mode on, as long as each step promises far less than the one
        before: to eliminate costs more than a few steps.
        """
        offset = self.fixed @ beta
        cuts = np.concatenate([[-np.inf], alpha, [np.inf]])

        def predicted(rater: FloatArray, image: FloatArray) -> FloatArray:
            eta = offset + self._spread(self.rater, rows["rater"], rater)
            eta += self._spread(self.image, rows["image"], image)
            return eta

        def posterior(
            rater: FloatArray, image: FloatArray
        ) -> tuple[float, tuple[FloatArray, FloatArray]]:
            log_probability, *slopes = self.slopes_of(cuts, self.codes, predicted(rater, image))
            penalty = (rater @ rater + image @ image) / 2
            return float(log_probability.sum() - penalty), (slopes[0], slopes[1])

        rater, image = self.start
        height, (score, weight) = posterior(rater, image)
        if not np.isfinite(height):
            rater, image = np.zeros_like(rater), np.zeros_like(image)
            height, (score, weight) = posterior(rater, image)
        if not np.isfinite(height):
            return None
        elimination, current, before = self.last, False, np.inf
        for _ in range(MAX_MODE_STEPS):
            if elimination is None:
                elimination, current = self._eliminated(rows, weight), True
            pull_rater = self._collect(self.rater, rows["rater"], score) - rater
            pull_image = self._collect(self.image, rows["image"], score) - image
            step_rater, step_image = self._ordered(
                *elimination.solve(*self._ordered(pull_rater, pull_image))
            )
            promised = float(pull_rater @ step_rater + pull_image @ step_image)
            if promised < MODE_TOLERANCE:
                break
            if promised > SLOW * before and not current:
                elimination = None
                continue
            size = 1.0
            while size > 1e-6:
                moved = rater + size * step_rater, image + size * step_image
                new_height, new_slopes = posterior(*moved)
                if new_height >= height or (promised < HIDDEN and np.isfinite(new_height)):
                    break
                size /= 2
            else:
                if current:
                    break
                elimination = None
                continue
            (rater, image), height, (score, weight) = moved, new_height, new_slopes
            before, current = promised, False
        if not current or elimination is None:
            elimination = self._eliminated(rows, weight)
        self.start, self.last = (rater, image), elimination
        eta = predicted(rater, image)
        cells = self.cells_of(cuts[self.codes + 1] - eta, cuts[self.codes] - eta)
        return Mode(rater, image, cells, elimination, height - elimination.log_determinant / 2)

    def _gradient(self, mode: Mode, rows: dict[str, FloatArray]) -> FloatArray:
        cells = mode.cells
        own = dict(
            zip(
                ("rater", "image"),
                self._ordered(
                    *mode.elimination.inverse_times(*self._ordered(rows["rater"], rows["image"]))
                ),
                strict=True,
            )
        )
        leverage = np.einsum("ja,ja->j", rows["rater"], own["rater"])
        leverage += np.einsum("ja,ja->j", rows["image"], own["image"])
        # Change of log|H| / 2 with eta, and its way through the mode of u.
        through = -leverage * (cells.weight_upper + cells.weight_lower) / 2
        adjoint_rater, adjoint_image = self._ordered(
            *mode.elimination.solve(
                *self._ordered(
                    self._collect(self.rater, rows["rater"], through),
                    self._collect(self.image, rows["image"], through),
                )
            )
        )
        adjoint = self._spread(self.rater, rows["rater"], adjoint_rater)
        adjoint += self._spread(self.image, rows["image"], adjoint_image)
        by_eta = cells.score - through + adjoint * cells.weight
        by_upper = cells.log_upper - leverage * cells.weight_upper / 2
        by_upper -= adjoint * cells.score_upper
        by_lower = cells.log_lower - leverage * cells.weight_lower / 2
        by_lower -= adjoint * cells.score_lower
        n_cuts = self.n_thresholds + 2
        by_alpha = np.bincount(self.codes + 1, by_upper, n_cuts)
        by_alpha += np.bincount(self.codes, by_lower, n_cuts)
        parts = [by_alpha[1:-1], self.fixed.T @ by_eta]
        for factor, effects, adjoint_effects in (
            (self.rater, mode.rater, adjoint_rater),
            (self.image, mode.image, adjoint_image),
        ):
            shape = (factor.n_levels, factor.width)
            inner = by_eta[:, None] * effects.reshape(shape)[factor.codes]
            inner -= cells.score[:, None] * adjoint_effects.reshape(shape)[factor.codes]
            inner -= cells.weight[:, None] * own[factor.name]
            by_entry = factor.design.T @ inner
            columns, lower_rows = entries(factor.width)
            parts.append(by_entry[lower_rows, columns])
        return np.concatenate(parts)
