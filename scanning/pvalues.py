"""Empirical p-values of activations against those of normally generated images."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scanning import _pvalues_numba as kernels
from scanning._threads import blocks, interruptible, map_threads
from scanning._validation import one_of, real_matrix, whole_number

TAILS = ("upper", "lower", "two-sided")


@dataclass(frozen=True, eq=False)
class RankedPvalues:
    """Empirical p-values held as small integers, one to four bytes each.

    Made by :meth:`Background.ranks`; the scans take it in the place of p-values and give the
    same results.

    Attributes
    ----------
    numbers : ndarray of uint8, uint16 or uint32, (M, J)
        p-value × (B + 1) − 1, in 0…B; read-only.
    n_background : int
        B.

    Examples
    --------
    >>> ranked = RankedPvalues(np.array([[0, 3], [1, 0]], np.uint8), n_background=3)
    >>> ranked.pvalues()
    array([[0.25, 1.  ],
           [0.5 , 0.25]])
    >>> ranked.images([1]).numbers
    array([[1, 0]], dtype=uint8)
    """

    numbers: NDArray[Any] = field(repr=False)
    n_background: int

    def __post_init__(self) -> None:
        whole_number(self.n_background, "n_background", minimum=1)
        numbers = np.asarray(self.numbers)
        if numbers.dtype not in (np.uint8, np.uint16, np.uint32):
            raise ValueError(f"numbers must be uint8, uint16 or uint32; got {numbers.dtype}")
        if numbers.ndim != 2 or 0 in numbers.shape:
            raise ValueError(
                f"numbers must be a non-empty matrix (images, nodes); got shape {numbers.shape}"
            )
        if numbers.max() > self.n_background:
            raise ValueError(
                f"numbers must be at most n_background, {self.n_background}; got {numbers.max()}"
            )
        # A copy, unless nobody else can write to it: what has been checked must stay as it is.
        if numbers.flags.writeable or not (numbers.flags.owndata and numbers.flags.c_contiguous):
            numbers = _frozen(numbers.copy(order="C"))
        object.__setattr__(self, "numbers", numbers)

    @property
    def shape(self) -> tuple[int, int]:
        """Images and nodes."""
        return self.numbers.shape[0], self.numbers.shape[1]

    def __len__(self) -> int:
        return len(self.numbers)

    def pvalues(self) -> NDArray[np.float64]:
        """The same as float64, equal to what :meth:`Background.pvalues` gives.

        Returns
        -------
        ndarray of float64, (M, J)
        """
        return (self.numbers + 1.0) / (self.n_background + 1.0)

    def images(self, chosen: ArrayLike) -> "RankedPvalues":
        """The p-values of some of the images.

        Parameters
        ----------
        chosen : array_like of int
            Rows, in the order wanted; repeats are allowed.

        Returns
        -------
        RankedPvalues
        """
        return RankedPvalues(_frozen(self.numbers[np.asarray(chosen, np.intp)]), self.n_background)


def smallest_type(largest: int) -> np.dtype[Any]:
    """The smallest unsigned integer type, up to four bytes, that holds `largest`."""
    return np.dtype(np.uint8 if largest < 1 << 8 else np.uint16 if largest < 1 << 16 else np.uint32)


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

    # Of each node, as `_pvalues_numba.deal` leaves them:
    _values: NDArray[np.floating[Any]] = field(repr=False)  # (J, B), in cells
    _begins: NDArray[Any] = field(repr=False)  # (J, B + 2), of the cells
    _lows: NDArray[np.float64] = field(repr=False)  # (J,)
    _scales: NDArray[np.float64] = field(repr=False)  # (J,)
    _crowds: NDArray[np.int32] = field(repr=False)  # (J,), most values in one cell

    @property
    def n_background(self) -> int:
        """Images in the background."""
        return self._values.shape[1]

    @property
    def n_nodes(self) -> int:
        """Nodes of the layer."""
        return self._values.shape[0]

    @classmethod
    @interruptible
    def fit(cls, activations: ArrayLike | Iterator[ArrayLike]) -> "Background":
        """Arrange the activations of the background, node by node.

        Parameters
        ----------
        activations : array_like, (B, J), or iterator of such
            Finite real numbers. Single precision is kept as such, integers are compared in
            double precision; memory-mapped arrays are read where they lie. An iterator gives
            batches of images, all with the same J nodes.

        Returns
        -------
        Background

        Raises
        ------
        ValueError
            If `activations` is not a non-empty matrix of finite numbers, or an iterator gives
            no batch or batches of different widths.

        Notes
        -----
        Costs O(J·B) time, or O(J·B·log B) where many values lie close together but are not
        the lowest, as zeros after a ReLU are. Takes a copy of the activations and two or four
        bytes more for each; for an iterator one copy more.
        """
        if isinstance(activations, Iterator):
            activations = _joined(activations)
        matrix = _activations(activations, "activations")
        n_background, n_nodes = matrix.shape
        begins_type = np.uint16 if n_background < 1 << 16 else np.uint32
        background = cls(
            np.empty((n_nodes, n_background), matrix.dtype),
            np.empty((n_nodes, n_background + 2), begins_type),
            np.empty(n_nodes),
            np.empty(n_nodes),
            np.empty(n_nodes, np.int32),
        )

        def arrange(block: tuple[int, int]) -> None:
            # A few nodes at a time: what is turned, dealt and sorted stays in the cache.
            for start in range(*block, kernels.TILE):
                nodes = slice(start, min(start + kernels.TILE, block[1]))
                columns = np.ascontiguousarray(matrix[:, nodes].T)
                values, crowds = background._values[nodes], background._crowds[nodes]
                kernels.deal(
                    columns,
                    values,
                    background._begins[nodes],
                    background._lows[nodes],
                    background._scales[nodes],
                    crowds,
                )
                crowded = crowds > kernels.MAX_CROWD
                values[crowded] = np.sort(columns[crowded], axis=1)

        map_threads(arrange, blocks(n_nodes, minimum=kernels.TILE))
        for array in vars(background).values():
            array.flags.writeable = False
        return background

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
        background as well has an upper-tail p-value of 1. Costs O(M·J), O(M·J·log B) at most.
        Cintas et al. (2022), section 3.1.
        """
        numbers = _numbers(self.n_background, tail)
        table = (numbers + 1.0) / (self.n_background + 1.0)
        return self._fill(test, tail, table)

    def ranks(self, test: ArrayLike | Iterator[ArrayLike], tail: str = "upper") -> RankedPvalues:
        """The same p-values as the smallest integers that hold them.

        Parameters
        ----------
        test : array_like, (M, J), or iterator of such
            Activations as in :meth:`pvalues`; memory-mapped arrays are read where they lie. An
            iterator gives batches of images, all with the same J nodes.
        tail : {"upper", "lower", "two-sided"}
            As in :meth:`pvalues`.

        Returns
        -------
        RankedPvalues
            Accepted by the scans in the place of p-values, with the same results.

        Raises
        ------
        ValueError
            As :meth:`pvalues`, or if an iterator gives no batch.

        Notes
        -----
        Exact. Takes 1 byte per p-value where B < 256 and 2 where B < 65,536, a quarter or less
        of what :meth:`pvalues` takes; time as there.

        Examples
        --------
        >>> background = Background.fit([[0.0], [1.0], [2.0]])
        >>> background.ranks([[1.5], [2.0], [9.0]]).numbers.ravel()
        array([1, 1, 0], dtype=uint8)
        """
        numbers = _numbers(self.n_background, tail)
        table = numbers.astype(smallest_type(self.n_background))
        if isinstance(test, Iterator):
            batches = [self._fill(batch, tail, table) for batch in test]
            if not batches:
                raise ValueError("test must give at least one batch of images; got none")
            return RankedPvalues(_frozen(np.concatenate(batches)), self.n_background)
        return RankedPvalues(_frozen(self._fill(test, tail, table)), self.n_background)

    @interruptible
    def _fill(self, test: ArrayLike, tail: str, table: NDArray[Any]) -> NDArray[Any]:
        """table[background values at least as extreme] for each activation."""
        matrix = _activations(test, "test")
        if matrix.shape[1] != self.n_nodes:
            raise ValueError(
                f"test must have the {self.n_nodes} nodes of the background; got {matrix.shape[1]}"
            )
        # Single precision widens without loss, so mixed precisions compare exactly.
        common = np.result_type(matrix, self._values)
        values = _read_only(self._values.astype(common, copy=False))
        matrix = _read_only(matrix.astype(common, copy=False))
        out = np.empty(matrix.shape, table.dtype)

        def fill(block: tuple[int, int]) -> None:
            kernels.fill(
                values,
                self._begins,
                self._lows,
                self._scales,
                self._crowds,
                matrix,
                TAILS.index(tail),
                table,
                *block,
                out,
            )

        map_threads(fill, blocks(self.n_nodes, minimum=kernels.TILE))
        return out


def _numbers(n_background: int, tail: str) -> NDArray[np.int64]:
    """p-value × (B + 1) − 1 for 0…B background values at least as extreme."""
    counts = np.arange(n_background + 1)
    if one_of(tail, TAILS, "tail") == "two-sided":
        return np.minimum(2 * counts + 1, n_background)
    return counts


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


def _joined(batches: Iterator[ArrayLike]) -> NDArray[np.floating[Any]]:
    matrices = [real_matrix(batch, "activations", ("images", "nodes")) for batch in batches]
    widths = sorted({matrix.shape[1] for matrix in matrices})
    if len(widths) != 1:
        raise ValueError(
            "activations must give at least one batch, all with the same number of nodes; "
            f"got {widths}"
        )
    return np.concatenate(matrices)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """The array itself, from now on read-only."""
    array.flags.writeable = False
    return array


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view
