"""Two crossed random factors: designs, and linear algebra by elimination.

With spherical effects u (b = Lambda u) the penalised normal equations have two diagonal blocks,
one per factor, coupled by the table of who rated what. The block of the factor with more effects
is block-diagonal with tiny blocks: it is eliminated, and only the Schur complement of the other
factor is factorised densely. Memory is O(smaller factor squared + ratings).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import linalg

from . import checks
from ._blocks import (
    Crossing,
    block_diagonal,
    block_times,
    cholesky,
    inverse,
    quadratic,
    squared,
    times_blocks,
)
from .checks import FloatArray

INTERCEPT = "(Intercept)"


@cache
def entries(width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Columns and rows of a lower triangle's entries, column by column."""
    columns, rows = np.triu_indices(width)
    return columns, rows


@dataclass(frozen=True)
class Factor:
    """One random factor: which level each rating has, and its design columns.

    `codes` (ratings,); `design` (ratings, columns), the first column the intercept, the others
    less their `centres` and over their `scales`: a search among effects of any unit begins at
    the same place.
    """

    name: str
    codes: NDArray[np.int64]
    n_levels: int
    design: FloatArray
    columns: tuple[str, ...]
    centres: FloatArray
    scales: FloatArray

    @property
    def width(self) -> int:
        return self.design.shape[1]

    @property
    def size(self) -> int:
        return self.n_levels * self.width

    @property
    def n_parameters(self) -> int:
        return self.width * (self.width + 1) // 2

    def sums(self, values: FloatArray) -> FloatArray:
        """Z'V for `values` (ratings, m): (levels * width, m)."""
        return level_sums(self, self.design, values)

    def lower(self, theta: FloatArray) -> FloatArray:
        """The relative Cholesky factor from its entries, column by column as in lme4."""
        factor = np.zeros((self.width, self.width))
        columns, rows = entries(self.width)
        factor[rows, columns] = theta
        return factor

    def own_units(self, theta: FloatArray) -> FloatArray:
        """A root of the effects' covariance, relative as theta is, in the columns' own units."""
        back = np.diag(1 / self.scales)
        back[0] -= self.centres / self.scales
        return np.asarray(back @ self.lower(theta))

    @property
    def diagonal_places(self) -> NDArray[np.bool_]:
        columns, rows = entries(self.width)
        return rows == columns


def level_sums(factor: Factor, design: FloatArray, values: FloatArray) -> FloatArray:
    """Z'V for `values` (ratings, m) and a `design` in place of the factor's own."""
    result = np.empty((factor.n_levels, design.shape[1], values.shape[1]))
    for a in range(design.shape[1]):
        for b in range(values.shape[1]):
            product = design[:, a] * values[:, b]
            result[:, a, b] = np.bincount(factor.codes, product, factor.n_levels)
    return result.reshape(-1, values.shape[1])


@dataclass(frozen=True)
class CrossedDesign:
    """A checked frame of crossed ratings without its missing rows."""

    response: FloatArray
    fixed: FloatArray
    fixed_names: tuple[str, ...]
    rater: Factor
    image: Factor
    n_missing: int

    @property
    def n(self) -> int:
        return self.response.size


def crossed_design(
    frame: pd.DataFrame,
    response: str,
    fixed: Sequence[str],
    rater: str,
    image: str,
    rater_slopes: Sequence[str],
) -> CrossedDesign:
    """Check and code a long frame of ratings.

    Raises
    ------
    ValueError
        If a column is missing or not numeric, predictors are collinear, a slope is repeated or
        has no fixed effect, there are fewer than two raters or images, or they are the same
        groups.
    """
    for name, value in (("fixed", fixed), ("rater_slopes", rater_slopes)):
        if isinstance(value, str):
            raise ValueError(f"{name} must be a list of column names; got the string {value!r}")
    checks.columns(frame, [response, *fixed, rater, image])
    if len({response, rater, image}) < 3:
        raise ValueError(
            f"response, rater and image must be three columns; got {response}, {rater} and {image}"
        )
    stray = [name for name in rater_slopes if name not in fixed]
    if stray:
        raise ValueError(f"rater_slopes must be among fixed ({list(fixed)}); got {stray}")
    if len(set(rater_slopes)) < len(rater_slopes):
        raise ValueError(f"rater_slopes must not repeat a column; got {list(rater_slopes)}")
    present = frame[[response, *fixed, rater, image]].notna().all(axis=1)
    used = frame.loc[present]
    if used.empty:
        raise ValueError(f"frame must have complete ratings; got none in {len(frame)} rows")
    values = checks.numeric_vector(used[response], response)
    predictors = [checks.numeric_vector(used[name], name) for name in fixed]
    matrix = np.column_stack([np.ones(len(used)), *predictors])
    factors = []
    for label, column, slopes in (("rater", rater, rater_slopes), ("image", image, ())):
        codes, levels = pd.factorize(used[column])
        if len(levels) < 2:
            raise ValueError(f"{label} must have at least two levels; got {len(levels)}")
        design = matrix[:, [0, *(1 + list(fixed).index(name) for name in slopes)]]
        centres, scales = design.mean(axis=0), design.std(axis=0)
        # The intercept stays; a predictor that does not vary is refused below.
        centres[0], scales[scales == 0] = 0.0, 1.0
        design = (design - centres) / scales
        columns_of = (INTERCEPT, *slopes)
        factors.append(Factor(label, codes, len(levels), design, columns_of, centres, scales))
    n_pairs = len(np.unique(factors[0].codes * factors[1].n_levels + factors[1].codes))
    if n_pairs == factors[0].n_levels == factors[1].n_levels:
        raise ValueError(
            "rater and image must be crossed; got raters of whom each rated a single image that "
            "nobody else rated"
        )
    scaled = matrix / np.maximum(np.linalg.norm(matrix, axis=0), 1e-300)
    if np.linalg.matrix_rank(scaled, tol=1e-8) < matrix.shape[1]:
        raise ValueError(
            f"fixed must hold predictors that vary and are not collinear; got {list(fixed)}"
        )
    if len(used) <= matrix.shape[1]:
        raise ValueError(
            f"frame must have more complete ratings than fixed effects; got {len(used)}"
        )
    return CrossedDesign(
        response=values,
        fixed=matrix,
        fixed_names=(INTERCEPT, *fixed),
        rater=factors[0],
        image=factors[1],
        n_missing=int(np.sum(~present)),
    )


@dataclass(frozen=True)
class Profile:
    """What the elimination leaves: log determinant of the random part, and crossproducts.

    `crossproduct` is W'V^-1 W times the residual variance, for W = [fixed, response]. The slopes,
    (parameters,) and (parameters, columns, columns), are derivatives with respect to the relative
    Cholesky entries.
    """

    log_determinant: float
    crossproduct: FloatArray
    log_determinant_slope: FloatArray
    crossproduct_slope: FloatArray


class CrossedSystem:
    """The penalised normal equations of crossed random effects for given columns W."""

    def __init__(self, rater: Factor, image: Factor, columns: FloatArray) -> None:
        self.rater, self.image = rater, image
        self.rater_eliminated = rater.size > image.size
        self.eliminated, self.kept = (rater, image) if self.rater_eliminated else (image, rater)
        self.gram_eliminated = gram(self.eliminated)
        self.gram_kept = gram(self.kept)
        self.gram_kept_dense = block_diagonal(self.gram_kept)
        crossing = crossing_of(self.eliminated, self.kept)
        self.table = crossing.table(crossing.values(self.eliminated.design, self.kept.design))
        self.sums_eliminated = self.eliminated.sums(columns)
        self.sums_kept = self.kept.sums(columns)
        self.total = columns.T @ columns

    def profile(self, theta: FloatArray) -> Profile:
        """Eliminate both factors at the relative Cholesky entries (rater's, then image's).

        With G, B, T and S the crossproducts of a factor, the eliminated block, the table and the
        Schur complement, every slope is one of Z'V^-1 Z Lambda (log determinant) or of residuals
        times effects (crossproducts). Z'V^-1 Z Lambda is (G - T' Lambda B^-1 Lambda' T) Lambda
        S^-1 for the kept factor, and for the eliminated one
        (G - (I - Lambda B^-1 Lambda' G)' Q) Lambda B^-1 with Q = T Lambda S^-1 Lambda' T' in the
        kept factor's Lambda: no division by a Lambda that may be zero.
        """
        split = self.rater.n_parameters
        lower = {"rater": self.rater.lower(theta[:split]), "image": self.image.lower(theta[split:])}
        factor, other = lower[self.eliminated.name], lower[self.kept.name]
        blocks = np.eye(self.eliminated.width) + factor.T @ self.gram_eliminated @ factor
        roots = np.linalg.cholesky(blocks)
        log_determinant = 2 * float(np.log(np.diagonal(roots, axis1=1, axis2=2)).sum())
        half = np.linalg.solve(roots, np.broadcast_to(factor.T, blocks.shape))
        solved = np.linalg.solve(roots.transpose(0, 2, 1), half)
        inner = factor @ solved
        # Z'V^-1 Z of the kept factor with only the eliminated one in V.
        information = self.gram_kept_dense - squared(block_times(half, self.table))
        scaled = times_blocks(information, other)
        schur = _times_transposed(other, scaled)
        schur[np.diag_indices_from(schur)] += 1
        root = cholesky(schur)
        log_determinant += 2 * float(np.log(np.diag(root)).sum())
        weighted_sums = block_times(inner, self.sums_eliminated)
        right = self.sums_kept - self.table.T @ weighted_sums
        right = _times_transposed(other, right)
        right = linalg.solve_triangular(root, right, lower=True, check_finite=False)
        crossproduct = self.total - self.sums_eliminated.T @ weighted_sums - right.T @ right

        kept = linalg.solve_triangular(root, right, lower=True, trans="T", check_finite=False)
        kept_effects = _times_transposed(other.T, kept)
        left_over = self.sums_eliminated - self.table @ kept_effects
        eliminated = block_times(solved, left_over)
        effects = _times_transposed(factor.T, eliminated)
        residuals_eliminated = left_over - block_times(self.gram_eliminated, effects)
        residuals_kept = self.sums_kept - self.table.T @ effects
        residuals_kept -= block_times(self.gram_kept, kept_effects)

        met = quadratic(self.table, other, root, self.eliminated.width)
        own = self.gram_eliminated - met + self.gram_eliminated @ inner @ met
        slopes = {
            self.eliminated.name: (
                (own @ solved.transpose(0, 2, 1)).sum(axis=0),
                _outer(self.eliminated, residuals_eliminated, eliminated),
            ),
            self.kept.name: (
                _contracted(scaled, inverse(root), self.kept.width),
                _outer(self.kept, residuals_kept, kept),
            ),
        }
        log_slopes, cross_slopes = [], []
        for name in ("rater", "image"):
            spread, outer = slopes[name]
            columns, rows = entries(len(spread))
            log_slopes.append(2 * spread[rows, columns])
            entry = outer[rows, columns]
            cross_slopes.append(-entry - entry.transpose(0, 2, 1))
        return Profile(
            log_determinant, crossproduct, np.concatenate(log_slopes), np.concatenate(cross_slopes)
        )


def _outer(factor: Factor, residuals: FloatArray, effects: FloatArray) -> FloatArray:
    """Sums over levels of residuals times effects, (width, width, columns, columns)."""
    shape = (factor.n_levels, factor.width, residuals.shape[1])
    return np.einsum("lai,lbj->abij", residuals.reshape(shape), effects.reshape(shape))


def _contracted(matrix: FloatArray, symmetric: FloatArray, width: int) -> FloatArray:
    """The diagonal (width, width) blocks of `matrix` `symmetric`, summed over levels."""
    result = np.empty((width, width))
    for a in range(width):
        for b in range(width):
            result[a, b] = np.einsum("ij,ij->", matrix[a::width], symmetric[b::width])
    return result


def gram(factor: Factor) -> FloatArray:
    """Z'Z by level, (levels, width, width)."""
    return factor.sums(factor.design).reshape(factor.n_levels, factor.width, factor.width)


def _times_transposed(lower: FloatArray, matrix: FloatArray) -> FloatArray:
    """(I kron lower)' matrix."""
    width = lower.shape[0]
    if width == 1:
        return lower[0, 0] * matrix
    return (lower.T @ matrix.reshape(-1, width, matrix.shape[1])).reshape(matrix.shape)


def crossing_of(eliminated: Factor, kept: Factor) -> Crossing:
    """Which of their levels met."""
    return Crossing(eliminated.codes, kept.codes, eliminated.n_levels, kept.n_levels)
