"""What both kinds of detection measure besides scores."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scanning._matrices import PValueMatrix, pvalue_matrix, same_nodes
from scanning._validation import array_of, in_precision
from scanning.pvalues import RankedPvalues
from scanning.statistics import STATISTICS


def two_sides(
    normal_pvalues: ArrayLike | RankedPvalues, creative_pvalues: ArrayLike | RankedPvalues
) -> tuple[PValueMatrix, PValueMatrix]:
    """Both matrices, checked, of the same nodes."""
    normal = pvalue_matrix(normal_pvalues, "normal_pvalues")
    creative = pvalue_matrix(creative_pvalues, "creative_pvalues")
    same_nodes(creative, "creative_pvalues", normal, "normal_pvalues")
    return normal, creative


def true_nodes_of(true_nodes: ArrayLike | None, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """As a mask (creative images, nodes)."""
    if true_nodes is None:
        return None
    array = array_of(true_nodes, "true_nodes")
    if array.dtype == np.bool_ and array.ndim == 2:
        if array.shape != shape:
            raise ValueError(f"true_nodes must have the shape {shape}; got {array.shape}")
        return array
    nodes = node_indices(array, shape[1], "true_nodes")
    mask = np.zeros(shape, np.bool_)
    mask[:, nodes] = True
    return mask


def node_indices(values: ArrayLike, n_nodes: int, name: str) -> NDArray[np.int64]:
    """Indices of nodes, below `n_nodes`."""
    nodes = array_of(values, name)
    if nodes.size == 0 and nodes.ndim == 1:
        return np.empty(0, np.int64)
    if nodes.ndim != 1 or nodes.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must hold indices of nodes; got dtype {nodes.dtype}, shape {nodes.shape}"
        )
    outside = nodes[(nodes < 0) | (nodes >= n_nodes)]
    if len(outside):
        raise ValueError(f"{name} must hold indices below {n_nodes}; got {outside[0]}")
    return nodes.astype(np.int64)


def precision_recall(found: NDArray[np.int64], true: NDArray[np.int64]) -> tuple[float, float]:
    """NaN where nothing was found, or nothing is to be found."""
    n_right = len(np.intersect1d(found, true, assume_unique=True))
    precision = n_right / len(found) if len(found) else float("nan")
    return precision, n_right / len(true) if len(true) else float("nan")


def score_of_all(pvalues: NDArray[Any], statistic: str, alpha_max: float) -> float:
    """The statistic over all p-values, at its best level: no subset is searched for."""
    values = pvalues.ravel()
    small = np.sort(values[values <= in_precision(alpha_max, values.dtype)]).astype(np.float64)
    if len(small) == 0:
        return 0.0
    last = np.flatnonzero(np.append(small[1:] != small[:-1], True))
    return float(STATISTICS[statistic](small[last], last + 1, len(values)).max())


def mean_pvalue(pvalues: NDArray[Any]) -> float:
    """Their mean, without the digits in which the same p-values in another order may differ."""
    return round(float(pvalues.mean(dtype=np.float64)), 12)
