"""Empirical p-values of activations against those of normally generated images."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scanning import _pvalues_numba as kernels
from scanning._threads import blocks, map_threads
from scanning._validation import one_of, real_matrix

TAILS = ("upper", "lower", "two-sided")


@dataclass(frozen=True, eq=False)
class Background:
    """Reference activations of a layer, against which images are compared.

    Made by :meth:`fit`.

    Attributes
    ----------
    n_background : int
        B, the images in the background. p-values are multiples of 1/(B + 1).
    n_nodes : int
        J, the nodes of the layer.

    Examples
    --------
    >>> background = Background.fit([[0.0], [1.0], [2.0]])
    >>> background.pvalues([[1.5], [2.0], [9.0]])
    array([[0.5 ],
           [0.5 ],
           [0.25]])
    """

    _ordered: NDArray[np.floating[Any]] = field(repr=False)  # (J, B), ascending in each row

    @property
    def n_background(self) -> int:
        """Images in the background."""
        return self._ordered.shape[1]

    @property
    def n_nodes(self) -> int:
        """Nodes of the layer."""
        return self._ordered.shape[0]

    @classmethod
    def fit(cls, activations: ArrayLike) -> "Background":
        """Order the activations of the background, node by node.

        Parameters
        ----------
        activations : array_like, (B, J)
            Finite real numbers. Single precision is kept as such.

        Returns
        -------
        Background

        Raises
        ------
        ValueError
            If `activations` is not a non-empty matrix of finite numbers.

        Notes
        -----
        Costs O(J·B·log B) time and a copy of the activations.
        """
        matrix = _activations(activations, "activations")
        ordered = np.empty(matrix.shape[::-1], matrix.dtype)

        def order(block: tuple[int, int]) -> None:
            ordered[slice(*block)] = matrix[:, slice(*block)].T
            ordered[slice(*block)].sort(axis=1)

        map_threads(order, blocks(len(ordered), minimum=64))
        ordered.flags.writeable = False
        return cls(ordered)

    def pvalues(self, test: ArrayLike, tail: str = "upper") -> NDArray[np.float64]:
        """Empirical p-value of each activation.

        Parameters
        ----------
        test : array_like, (M, J)
            Activations of images that are not in the background, in the same node order.
        tail : {"upper", "lower", "two-sided"}
            Which activations are extreme: high ones, low ones, or both.

        Returns
        -------
        ndarray of float64, (M, J)
            For the upper tail ``(1 + #{background >= activation}) / (B + 1)``, for the lower
            tail the same with ``<=``; two-sided, twice the smaller of both, at most 1.

        Raises
        ------
        ValueError
            If `test` is not a non-empty matrix of finite numbers with J columns, or `tail` is
            unknown.

        Notes
        -----
        Exact; ties count against anomaly, so an activation that a ReLU set to 0 in the
        background as well has an upper-tail p-value of 1. Costs O(M·J·log B). Cintas et al.
        (2022), section 3.1.
        """
        one_of(tail, TAILS, "tail")
        matrix = _activations(test, "test")
        if matrix.shape[1] != self.n_nodes:
            raise ValueError(
                f"test must have the {self.n_nodes} nodes of the background; got {matrix.shape[1]}"
            )
        # Single precision widens without loss, so mixed precisions compare exactly.
        common = np.result_type(matrix, self._ordered)
        ordered = _read_only(self._ordered.astype(common, copy=False))
        matrix = _read_only(matrix.astype(common, copy=False))
        out = np.empty(matrix.shape)

        def fill(block: tuple[int, int]) -> None:
            kernels.fill_pvalues(ordered, matrix, TAILS.index(tail), *block, out)

        map_threads(fill, blocks(self.n_nodes, minimum=kernels.TILE))
        return out


def _activations(values: ArrayLike, name: str) -> NDArray[np.floating[Any]]:
    matrix = real_matrix(values, name, ("images", "nodes"))
    # A sum is finite only if its terms are (or, rarely, overflows): cheaper than a mask.
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = not np.isfinite(matrix.sum())
    if suspicious:
        bad = np.argwhere(~np.isfinite(matrix))
        if len(bad):
            i, j = bad[0]
            raise ValueError(f"{name} must be finite; got {matrix[i, j]} at image {i}, node {j}")
    return matrix


def _read_only(array: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    view = array.view()
    view.flags.writeable = False
    return view
