"""What the scans return: frozen, with every parameter that produced it."""

import operator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scanning._plain import plain


@dataclass(frozen=True, eq=False)
class ImageScan:
    """Individual scans of M images over J nodes.

    Attributes
    ----------
    scores : ndarray of float64, (M,)
        Highest score of any subset of the image's nodes; 0 where nothing is anomalous.
    sizes : ndarray of int64, (M,)
        Number of nodes in that subset.
    alphas : ndarray of float64, (M,)
        Level at which it was found, NaN where nothing is anomalous.
    n_nodes : int
        J.
    statistic : str
    alpha_max : float
    n_thresholds : int
        Distinct p-values at or below `alpha_max` in the whole matrix; every one was tried.
    """

    scores: NDArray[np.float64]
    sizes: NDArray[np.int64]
    alphas: NDArray[np.float64]
    n_nodes: int
    statistic: str
    alpha_max: float
    n_thresholds: int
    _members: NDArray[np.uint8] = field(repr=False)  # (M, ceil(J / 8)), one bit per node

    def __len__(self) -> int:
        return len(self.scores)

    def nodes(self, image: int) -> NDArray[np.int64]:
        """Sorted indices of the nodes in one image's subset.

        Parameters
        ----------
        image : int
            Row of the image in the scanned matrix.

        Returns
        -------
        ndarray of int64, (sizes[image],)

        Raises
        ------
        IndexError
            If there is no such image.
        """
        row = self._members[operator.index(image)]
        return np.flatnonzero(np.unpackbits(row, count=self.n_nodes, bitorder="little"))

    def to_dict(self) -> dict[str, Any]:
        """The result as lists, numbers and strings, for JSON; NaN becomes None.

        Returns
        -------
        dict
            Every attribute, and the node indices of each image under "nodes".
        """
        nodes = [self.nodes(image).tolist() for image in range(len(self))]
        return {**plain(self), "nodes": nodes}


@dataclass(frozen=True, eq=False)
class GroupScan:
    """The highest-scoring images × nodes that a group scan found.

    Attributes
    ----------
    score : float
        0 where nothing is anomalous.
    alpha : float
        Level of the subset, NaN where nothing is anomalous.
    images, nodes : ndarray of int64
        Sorted members of the subset; empty where nothing is anomalous.
    statistic : str
    alpha_max : float
    n_restarts : int
        Random starts, in addition to the fixed ones.
    seed : int
        From which the random starts were drawn.
    n_thresholds : int
        Distinct p-values at or below `alpha_max`. The result is a fixed point over all.
    n_steps : int
        Ascent steps over all starts.
    restart_scores : ndarray of float64
        Score each start reached: the fixed starts first, then the random ones. Starts that
        fell clearly behind stopped at the coarse thresholds; the others went on over all.
    max_images, max_nodes : int or None
        Largest subsets allowed.
    is_exact : bool
        Whether every subset of one side was tried, so that the score is the highest of all.
    """

    score: float
    alpha: float
    images: NDArray[np.int64]
    nodes: NDArray[np.int64]
    statistic: str
    alpha_max: float
    n_restarts: int
    seed: int
    n_thresholds: int
    n_steps: int
    restart_scores: NDArray[np.float64]
    max_images: int | None = None
    max_nodes: int | None = None
    is_exact: bool = False

    @property
    def size(self) -> int:
        """Number of p-values in the subset, images × nodes."""
        return len(self.images) * len(self.nodes)

    def to_dict(self) -> dict[str, Any]:
        """The result as lists, numbers and strings, for JSON; NaN becomes None.

        Returns
        -------
        dict
        """
        return {**plain(self), "size": self.size}
