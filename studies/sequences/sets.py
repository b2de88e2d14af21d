"""Dividing a participant's images into sets shown together, for best-worst and ranking tasks."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

# Of so many deals the one in which the fewest pairs meet again is kept.
N_DEALS = 10

# A set, or one of an image's groups of showings: a node of a bipartite graph.
Node = tuple[str, int, int]


def partition_into_sets(
    images: Sequence[int], k: int, rng: np.random.Generator
) -> list[tuple[int, ...]]:
    """Divide images into sets of k distinct ones.

    Parameters
    ----------
    images : sequence of int
        Image ids, one per showing: an id may occur up to len(images) / k times.
    k : int
        Images per set, at least 1.
    rng : numpy.random.Generator
        What is random comes from it.

    Returns
    -------
    list of tuple of int
        len(images) / k sets in random order, each with its images by place. The numbers of times
        that an image is at each of the k places differ by at most 1.

    Raises
    ------
    ValueError
        If `k` is less than 1 or does not divide the number of images, or an image occurs more
        often than there are sets.

    Notes
    -----
    Sets are filled one after the other with the images that have met those in the set least
    often, among equals with those that have most showings left, then at random; an image with as
    many showings left as there are sets goes into each of them. The best of up to
    N_DEALS such deals is kept: few pairs meet again, not provably the fewest. If all images are
    distinct, every division and order is equally likely.

    Places are an equitable edge colouring of the bipartite graph of images and sets (König 1916;
    de Werra 1971, Equitable colorations of graphs, RAIRO 5: 3-8), found by alternating paths.

    Cost is O(len(images) * distinct images), memory O(distinct images squared).

    Examples
    --------
    >>> partition_into_sets([1, 2, 3, 4, 1, 2], 3, np.random.default_rng(0))
    [(1, 2, 3), (2, 1, 4)]
    """
    if k < 1:
        raise ValueError(f"k must be at least 1; got {k}")
    n_sets, rest = divmod(len(images), k)
    if rest:
        raise ValueError(f"k must divide the number of images, {len(images)}; got {k}")
    counts = Counter(images)
    image, most = max(counts.items(), key=lambda item: item[1], default=(0, 0))
    if most > n_sets:
        raise ValueError(
            f"images must hold no image more than {n_sets} times, once per set of {k}; "
            f"got image {image} {most} times"
        )
    ids = sorted(counts)
    dealt = _best_deal([counts[i] for i in ids], n_sets, k, rng)
    mixed = [dealt[s] for s in rng.permutation(n_sets).tolist()]
    return [tuple(ids[i] for i in members) for members in _in_places(mixed, k, rng)]


def _best_deal(counts: list[int], n_sets: int, k: int, rng: np.random.Generator) -> list[list[int]]:
    """The deal in which the fewest pairs meet again; the first one without such a pair."""
    best, fewest = _deal(counts, n_sets, k, rng)
    for _ in range(N_DEALS - 1):
        if fewest == 0:
            break
        other, n_again = _deal(counts, n_sets, k, rng)
        if n_again < fewest:
            best, fewest = other, n_again
    return best


def _deal(
    counts: list[int], n_sets: int, k: int, rng: np.random.Generator
) -> tuple[list[list[int]], int]:
    """Sets of k distinct indices into `counts`, each index in as many sets as it says.

    Also the number of times that a pair meets again.
    """
    left = np.array(counts, dtype=np.int64)
    met = np.zeros((len(left), len(left)), dtype=np.int32)
    sets = []
    n_again = 0
    for still in range(n_sets, 0, -1):
        members = np.flatnonzero(left == still).tolist()
        while len(members) < k:
            outside = left > 0
            outside[members] = False
            others = np.flatnonzero(outside)
            meetings = met[members].sum(axis=0)[others]
            by_need = np.lexsort((rng.random(len(others)), -left[others], meetings))
            members.append(int(others[by_need[0]]))
        left[members] -= 1
        together = met[np.ix_(members, members)]
        n_again += int(np.count_nonzero(np.triu(together, 1)))
        met[np.ix_(members, members)] = together + 1
        sets.append(members)
    return sets, n_again


def _in_places(sets: list[list[int]], k: int, rng: np.random.Generator) -> list[list[int]]:
    """The sets with their members in places, each image about equally often at each place.

    An image's showings are nodes in groups of k: a colouring of the edges between these and the
    sets, in which no two edges at a node are alike, has each place once in every full group.
    """
    at: dict[Node, dict[int, Node]] = {}
    n_shown: Counter[int] = Counter()
    for s, members in enumerate(sets):
        here = at.setdefault(("set", s, 0), {})
        for image in members:
            showing: Node = ("image", image, n_shown[image] // k)
            there = at.setdefault(showing, {})
            n_shown[image] += 1
            free_here = [place for place in range(k) if place not in here]
            free_there = [place for place in range(k) if place not in there]
            common = [place for place in free_here if place in free_there]
            if common:
                place = common[rng.integers(len(common))]
            else:
                place = free_there[rng.integers(len(free_there))]
                _exchange(at, ("set", s, 0), place, free_here[rng.integers(len(free_here))])
            here[place], there[place] = showing, ("set", s, 0)
    return [[at["set", s, 0][place][1] for place in range(k)] for s in range(len(sets))]


def _exchange(at: dict[Node, dict[int, Node]], start: Node, taken: int, free: int) -> None:
    """Exchange two places along the path of both from `start`, where `free` is not yet taken."""
    path = [start]
    colour, other = taken, free
    while colour in at[path[-1]]:
        path.append(at[path[-1]][colour])
        colour, other = other, colour
    for node in path:
        edges = at[node]
        first, second = edges.pop(taken, None), edges.pop(free, None)
        if first is not None:
            edges[free] = first
        if second is not None:
            edges[taken] = second
