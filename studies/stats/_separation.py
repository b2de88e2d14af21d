"""Whether the observed categories can be predicted perfectly by some direction of parameters."""

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from .checks import FloatArray


def separating_direction(gains: sparse.csr_array) -> FloatArray | None:
    """A direction that makes no observation less likely and one of them ever more, or None.

    `gains` (finite cuts, parameters): by how much each parameter moves a cut away from its
    observation. Along such a direction the likelihood of a cumulative link model rises for ever,
    and only then has it no maximum (Albert and Anderson 1984, Biometrika 71). A linear programme
    maximises the sum of the moves over a box of directions.
    """
    if 0 in gains.shape:
        return None
    found = optimize.linprog(
        -np.asarray(gains.sum(axis=0)).ravel(),
        A_ub=-gains,
        b_ub=np.zeros(gains.shape[0]),
        bounds=[(-1, 1)] * gains.shape[1],
        method="highs",
    )
    if found.status == 0 and found.fun > -1e-7:
        return None
    return np.zeros(gains.shape[1]) if found.x is None else np.asarray(found.x)


def separating_predictors(
    predictors: FloatArray, codes: NDArray[np.int64], n_categories: int
) -> list[int]:
    """Columns of standardised `predictors` that separate the categories: alone, else together."""
    columns = range(predictors.shape[1])
    alone = [
        column
        for column in columns
        if _direction(predictors[:, [column]], codes, n_categories) is not None
    ]
    direction = None if alone else _direction(predictors, codes, n_categories)
    if direction is None:
        return alone
    return [column for column in columns if abs(direction[n_categories - 1 + column]) > 1e-9]


def _direction(
    predictors: FloatArray, codes: NDArray[np.int64], n_categories: int
) -> FloatArray | None:
    """The separating direction of (thresholds, slopes) from the distinct ratings."""
    cells = np.unique(np.column_stack([codes, predictors]), axis=0)
    code, values = cells[:, 0].astype(int), cells[:, 1:]
    thresholds = np.eye(n_categories - 1)
    below, above = code < n_categories - 1, code > 0
    gains = np.vstack(
        [
            np.column_stack([thresholds[code[below]], -values[below]]),
            np.column_stack([-thresholds[code[above] - 1], values[above]]),
        ]
    )
    return separating_direction(sparse.csr_array(gains))
