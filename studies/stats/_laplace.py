"""Laplace's approximation to the likelihood of a crossed cumulative link model.

With spherical effects u and A = Z Lambda, the linear predictor is eta = X beta + A u. At the mode
of u the criterion is l - u'u / 2 - log|H| / 2 with H = I + A'WA; its gradient follows the mode by
one adjoint solve and needs of H^-1 only the blocks of raters and images that met.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from ._crossed import CrossedDesign, Factor, block_diagonal, block_times, gram, table
from ._links import LINKS, Cells
from .checks import FloatArray

MODE_TOLERANCE = 1e-11
MAX_MODE_STEPS = 100


class Elimination:
    """H = I + A'WA of two factors whose designs are already A W^(1/2)."""

    def __init__(self, eliminated: Factor, kept: Factor) -> None:
        self.eliminated, self.kept = eliminated, kept
        blocks = np.eye(eliminated.width) + gram(eliminated)
        self.inverse_blocks: FloatArray = np.linalg.inv(blocks).astype(float, copy=False)
        coupling = table(eliminated, kept)
        self.reduced = block_times(self.inverse_blocks, coupling)
        product = coupling.T @ self.reduced
        if sparse.issparse(product):
            product = sparse.csr_array(product).toarray()
        schur = block_diagonal(gram(kept)) - product
        schur[np.diag_indices_from(schur)] += 1
        self.cholesky = linalg.cho_factor(schur, lower=True, check_finite=False)
        self.log_determinant = float(
            np.linalg.slogdet(blocks)[1].sum() + 2 * np.log(np.diag(self.cholesky[0])).sum()
        )

    def solve(self, first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
        """H^-1 of a right side given by its parts for the eliminated and the kept factor."""
        kept = linalg.cho_solve(self.cholesky, second - self.reduced.T @ first, check_finite=False)
        own = block_times(self.inverse_blocks, first[:, None])[:, 0]
        return own - self.reduced @ kept, kept

    def inverse_times(self, first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
        """For each rating, its own levels' parts of H^-1 times its row of A.

        `first` and `second` (ratings, width) are the rating's row of A in both factors.
        """
        e, k = self.eliminated, self.kept
        inverse = linalg.cho_solve(self.cholesky, np.eye(k.size), check_finite=False)
        cross = np.asarray(self.reduced @ inverse)
        reduced = (
            sparse.csr_array(self.reduced).toarray()
            if sparse.issparse(self.reduced)
            else self.reduced
        )
        shape = (e.n_levels, e.width, k.size)
        own = self.inverse_blocks + np.einsum(
            "lak,lbk->lab", cross.reshape(shape), np.asarray(reduced).reshape(shape)
        )
        other = inverse.reshape(k.n_levels, k.width, k.n_levels, k.width)
        other = other[np.arange(k.n_levels), :, np.arange(k.n_levels)]
        met = -cross.reshape(e.n_levels, e.width, k.n_levels, k.width)[e.codes, :, k.codes]
        return (
            np.einsum("jab,jb->ja", own[e.codes], first) + np.einsum("jab,jb->ja", met, second),
            np.einsum("jab,jb->ja", other[k.codes], second) + np.einsum("jab,ja->jb", met, first),
        )


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
        self.cells_of = LINKS[link]
        self.rater, self.image = design.rater, design.image
        self.rater_eliminated = self.rater.size > self.image.size
        self.start = (np.zeros(self.rater.size), np.zeros(self.image.size))
        self.diagonal = np.concatenate(
            [
                np.zeros(self.n_thresholds + fixed.shape[1], dtype=bool),
                self.rater.diagonal_places,
                self.image.diagonal_places,
            ]
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
            if not np.isfinite(mode.value):
                return np.inf, np.zeros_like(parameters)
            gradient = self._gradient(mode, rows)
        if not np.isfinite(gradient).all():
            return np.inf, np.zeros_like(parameters)
        return -mode.value, -gradient

    def gradient(self, parameters: FloatArray) -> FloatArray:
        return self.value_and_gradient(parameters)[1]

    def _spread(self, factor: Factor, rows: FloatArray, effects: FloatArray) -> FloatArray:
        """A u of one factor, (ratings,)."""
        by_level = effects.reshape(factor.n_levels, factor.width)
        return np.asarray(np.einsum("ja,ja->j", rows, by_level[factor.codes]))

    def _collect(self, factor: Factor, rows: FloatArray, values: FloatArray) -> FloatArray:
        """A'v of one factor, (levels * width,)."""
        return replace(factor, design=rows).sums(values[:, None])[:, 0]

    def _cells(self, alpha: FloatArray, eta: FloatArray) -> Cells:
        cuts = np.concatenate([[-np.inf], alpha, [np.inf]])
        return self.cells_of(cuts[self.codes + 1] - eta, cuts[self.codes] - eta)

    def _eliminated(self, rows: dict[str, FloatArray], weight: FloatArray) -> Elimination:
        root = np.sqrt(weight)[:, None]
        rater = replace(self.rater, design=rows["rater"] * root)
        image = replace(self.image, design=rows["image"] * root)
        return Elimination(rater, image) if self.rater_eliminated else Elimination(image, rater)

    def _ordered(self, rater: FloatArray, image: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(rater, image) as (eliminated, kept), and back: the swap is its own inverse."""
        return (rater, image) if self.rater_eliminated else (image, rater)

    def _mode(self, alpha: FloatArray, beta: FloatArray, rows: dict[str, FloatArray]) -> Mode:
        """Newton's method with halved steps; the log posterior of u is concave."""
        offset = self.fixed @ beta

        def posterior(rater: FloatArray, image: FloatArray) -> tuple[float, Cells]:
            eta = offset + self._spread(self.rater, rows["rater"], rater)
            eta += self._spread(self.image, rows["image"], image)
            cells = self._cells(alpha, eta)
            penalty = (rater @ rater + image @ image) / 2
            return float(cells.log_probability.sum() - penalty), cells

        rater, image = self.start
        height, cells = posterior(rater, image)
        if not np.isfinite(height):
            rater, image = np.zeros_like(rater), np.zeros_like(image)
            height, cells = posterior(rater, image)
        for _ in range(MAX_MODE_STEPS):
            elimination = self._eliminated(rows, cells.weight)
            pull_rater = self._collect(self.rater, rows["rater"], cells.score) - rater
            pull_image = self._collect(self.image, rows["image"], cells.score) - image
            step_rater, step_image = self._ordered(
                *elimination.solve(*self._ordered(pull_rater, pull_image))
            )
            promised = pull_rater @ step_rater + pull_image @ step_image
            if promised < MODE_TOLERANCE:
                break
            size = 1.0
            while size > 1e-6:
                moved = rater + size * step_rater, image + size * step_image
                new_height, new_cells = posterior(*moved)
                if new_height >= height:
                    break
                size /= 2
            else:
                break
            (rater, image), height, cells = moved, new_height, new_cells
        self.start = rater, image
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
            columns, lower_rows = np.triu_indices(factor.width)
            parts.append(by_entry[lower_rows, columns])
        return np.concatenate(parts)
