"""Whether the nodes of two processes differ."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scanning._plain import Plain
from scanning._validation import whole_number
from scanning.detection._measures import node_indices


@dataclass(frozen=True, eq=False)
class NodeOverlap(Plain):
    """Node subsets of two processes, compared.

    Attributes
    ----------
    jaccard_between : float
        Mean Jaccard index of a subset of A and a subset of B.
    jaccard_a, jaccard_b : float
        Mean Jaccard index of two different subsets of the same process.
    difference : float
        Mean of `jaccard_a` and `jaccard_b`, less `jaccard_between`: above 0 where subsets are
        more alike within a process than between.
    pvalue : float
        Of `difference` when the subsets are dealt to the processes at random.
    n_exceeding : int
        Permutations with at least the observed difference.
    frequency_a, frequency_b : ndarray of float64, (J,)
        Share of the process's subsets that hold each node.
    channels_a, channels_b : ndarray of float64, (C,), or None
        Mean frequency over the nodes of each channel; None without a shape.
    shape : tuple of int or None
        (C, H, W) or whatever was given, channels first.
    n_a, n_b : int
        Subsets of each process.
    n_permutations, seed : int
    """

    jaccard_between: float
    jaccard_a: float
    jaccard_b: float
    difference: float
    pvalue: float
    n_exceeding: int
    frequency_a: NDArray[np.float64]
    frequency_b: NDArray[np.float64]
    channels_a: NDArray[np.float64] | None
    channels_b: NDArray[np.float64] | None
    shape: tuple[int, ...] | None
    n_a: int
    n_b: int
    n_permutations: int
    seed: int

    def maps(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Frequencies of A and of B laid out as the layer is.

        Returns
        -------
        tuple of two ndarrays of float64, `shape`
            One plane per channel.

        Raises
        ------
        ValueError
            If no shape was given.
        """
        if self.shape is None:
            raise ValueError("shape must be given to node_overlap for maps; got None")
        return self.frequency_a.reshape(self.shape), self.frequency_b.reshape(self.shape)


def node_overlap(
    nodes_a: Sequence[ArrayLike],
    nodes_b: Sequence[ArrayLike],
    n_nodes: int,
    shape: Sequence[int] | None = None,
    *,
    n_permutations: int = 999,
    seed: int = 0,
) -> NodeOverlap:
    """Whether two processes leave their anomalies in different nodes.

    Parameters
    ----------
    nodes_a, nodes_b : sequence of array_like of int
        One subset of nodes per image, or per group, of each process: indices below `n_nodes`.
        At least two subsets of each.
    n_nodes : int
        J.
    shape : sequence of int, optional
        (C, H, W) of the layer, or any shape of J nodes with channels first.
    n_permutations : int
        R, random deals of all subsets to two processes of the given sizes.
    seed : int
        Of the permutations.

    Returns
    -------
    NodeOverlap

    Raises
    ------
    ValueError
        If there are fewer than two subsets on a side, or an index or argument is out of range.

    Notes
    -----
    The permutation test is exact for subsets that are independent and, under the null
    hypothesis, alike distributed in both processes; p = (1 + #{permuted >= observed})/(R + 1).
    A larger size in one process is a difference too. Two empty subsets have a Jaccard index of
    1. Costs O(n²·J) for n subsets and O(R·n²). Clarke (1993), for tests of within against
    between.

    Examples
    --------
    >>> found = node_overlap([[0, 1], [0, 1, 2], [0, 1]], [[3], [3], [2, 3]], 4, (2, 1, 2))
    >>> round(found.jaccard_between, 3), found.pvalue < 0.2, found.channels_a.round(2)
    (0.028, True, array([1.  , 0.17]))
    """
    n_nodes = whole_number(n_nodes, "n_nodes", minimum=1)
    n_permutations = whole_number(n_permutations, "n_permutations", minimum=1)
    seed = whole_number(seed, "seed")
    dimensions = None
    if shape is not None:
        dimensions = tuple(whole_number(length, "shape", minimum=1) for length in shape)
        if int(np.prod(dimensions)) != n_nodes:
            raise ValueError(f"shape must hold the {n_nodes} nodes; got {dimensions}")
    members_a = _members(nodes_a, n_nodes, "nodes_a")
    members_b = _members(nodes_b, n_nodes, "nodes_b")
    n_a, n_b = len(members_a), len(members_b)
    members = np.concatenate([members_a, members_b]).astype(np.float32)
    shared = (members @ members.T).astype(np.float64)
    sizes = members.sum(axis=1, dtype=np.float64)
    united = sizes[:, None] + sizes - shared
    index = np.divide(shared, united, out=np.ones_like(shared), where=united > 0)

    def compare(in_a: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Mean index between, within A and within B, for each deal (R, n)."""
        dealt = in_a.astype(np.float64)
        rest = 1.0 - dealt
        to_a, to_b = dealt @ index, rest @ index
        between = (to_a * rest).sum(axis=1) / (n_a * n_b)
        # A subset's index with itself is 1 and does not count.
        within_a = ((to_a * dealt).sum(axis=1) - n_a) / (n_a * (n_a - 1))
        within_b = ((to_b * rest).sum(axis=1) - n_b) / (n_b * (n_b - 1))
        return np.stack([between, within_a, within_b], axis=1)

    observed_deal = np.arange(n_a + n_b) < n_a
    between, within_a, within_b = map(float, compare(observed_deal[None])[0])
    difference = (within_a + within_b) / 2 - between
    rng = np.random.default_rng(seed)
    deals = rng.permuted(np.tile(observed_deal, (n_permutations, 1)), axis=1)
    permuted = compare(deals) @ np.array([-1.0, 0.5, 0.5])
    # Equal differences may come out apart in the last digits.
    n_exceeding = int((permuted >= difference - 1e-9).sum())
    frequency_a, frequency_b = members_a.mean(axis=0), members_b.mean(axis=0)
    channels_a, channels_b = None, None
    if dimensions is not None:
        channels_a = frequency_a.reshape(dimensions[0], -1).mean(axis=1)
        channels_b = frequency_b.reshape(dimensions[0], -1).mean(axis=1)
    return NodeOverlap(
        jaccard_between=between,
        jaccard_a=within_a,
        jaccard_b=within_b,
        difference=difference,
        pvalue=(1 + n_exceeding) / (n_permutations + 1),
        n_exceeding=n_exceeding,
        frequency_a=frequency_a,
        frequency_b=frequency_b,
        channels_a=channels_a,
        channels_b=channels_b,
        shape=dimensions,
        n_a=n_a,
        n_b=n_b,
        n_permutations=n_permutations,
        seed=seed,
    )


def _members(subsets: Sequence[ArrayLike], n_nodes: int, name: str) -> NDArray[np.bool_]:
    """One row per subset (n, J)."""
    if len(subsets) < 2:
        raise ValueError(f"{name} must hold at least two subsets of nodes; got {len(subsets)}")
    members = np.zeros((len(subsets), n_nodes), np.bool_)
    for row, subset in zip(members, subsets, strict=True):
        row[node_indices(subset, n_nodes, name)] = True
    return members
