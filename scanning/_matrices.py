"""p-values in either form, floating-point numbers or ranks, handled alike."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scanning._validation import real_matrix
from scanning.pvalues import RankedPvalues

PValueMatrix = NDArray[np.floating[Any]] | RankedPvalues
"""p-values (images, nodes) that were checked."""


def pvalue_matrix(values: ArrayLike | RankedPvalues, name: str) -> PValueMatrix:
    """p-values, checked before they travel: ranked ones, or numbers in (0, 1].

    Half precision stays what it is, since `alpha_max` is compared in the precision that
    p-values come in.
    """
    if isinstance(values, RankedPvalues):
        return values
    matrix = real_matrix(values, name, ("images", "nodes"))
    if not (float(matrix.min()) > 0.0 and float(matrix.max()) <= 1.0):  # NaN fails as well
        i, j = np.argwhere(~((matrix > 0.0) & (matrix <= 1.0)))[0]
        raise ValueError(f"{name} must be in (0, 1]; got {matrix[i, j]} at image {i}, node {j}")
    as_given = np.asarray(values)
    return as_given if as_given.dtype == np.float16 else matrix


def same_nodes(matrix: PValueMatrix, name: str, other: PValueMatrix, other_name: str) -> None:
    """ValueError unless both have as many nodes."""
    if matrix.shape[1] != other.shape[1]:
        raise ValueError(
            f"{name} must have the {other.shape[1]} nodes of {other_name}; got {matrix.shape[1]}"
        )


def take_images(pvalues: PValueMatrix, chosen: NDArray[np.int64]) -> PValueMatrix:
    """The chosen rows."""
    return pvalues.images(chosen) if isinstance(pvalues, RankedPvalues) else pvalues[chosen]


def join_images(first: PValueMatrix, second: PValueMatrix) -> PValueMatrix:
    """The images of both, ranked where both are against backgrounds of one size.

    In the coarser precision of the two: widened, a p-value that stands for `alpha_max` in
    single precision would be above it.
    """
    if (
        isinstance(first, RankedPvalues)
        and isinstance(second, RankedPvalues)
        and first.n_background == second.n_background
    ):
        numbers = np.concatenate([first.numbers, second.numbers])
        return RankedPvalues(numbers, first.n_background)
    both = [as_floats(first), as_floats(second)]
    coarser = min((matrix.dtype for matrix in both), key=lambda dtype: dtype.itemsize)
    return np.concatenate([matrix.astype(coarser, copy=False) for matrix in both])


def as_floats(pvalues: PValueMatrix) -> NDArray[np.floating[Any]]:
    """p-values as floating-point numbers."""
    return pvalues.pvalues() if isinstance(pvalues, RankedPvalues) else pvalues
