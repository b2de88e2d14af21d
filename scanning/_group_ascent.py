"""The search of the group scan: starts, ascents, and where they end."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scanning import _group_numba as kernels
from scanning._group_compiled import Found
from scanning._group_ranks import GroupRanks, spread
from scanning._threads import map_threads

# The coarse thresholds cost less than a thousandth of the score; starts further behind than
# this are not worth a second look at full resolution.
NEAR_BEST = 0.99
# 1/g and 1/g² for g³ = g + 1: the plane's counterpart of the golden ratio.
SPREAD = np.array([0.7548776662466927, 0.5698402909980532])
# p-values counted while every subset of a side of at most so many elements is tried.
MAX_EXHAUSTIVE = 1 << 20
MAX_SIDE = 10
# Edges tried first; then those around the best of them, each time five times as close.
N_SWEPT = 16
# p-values up to which all edges are tried: a step costs next to nothing then.
MAX_ALL_EDGES = 1 << 14
CLOSER = 5
# Levels of a step beside the single edges.
AROUND, ALL = -1, -2


@dataclass(frozen=True, eq=False)
class Ascent:
    """A subset on its way up; rank -1 and score 0 for a start."""

    images: NDArray[np.int64]
    nodes: NDArray[np.int64]
    score: float = 0.0
    rank: int = -1
    n_steps: int = 0
    level: int = AROUND  # the edge at which to climb first, or AROUND or ALL
    by_rows: bool = True  # whether images are sought first


@dataclass(frozen=True, eq=False)
class Problem:
    """One matrix and one statistic, with all steps taken so far."""

    ranks: GroupRanks
    statistic: int
    caps: tuple[int, int]
    engine: Any  # what steps: a CompiledEngine or a TorchEngine
    found: dict[Any, tuple[float, Found]] = field(default_factory=dict)

    def map(self, function: Callable[[Ascent], Ascent], items: Iterable[Ascent]) -> list[Ascent]:
        """One after the other on a device, which is busy with one; else in several threads."""
        if self.engine.is_threaded:
            return map_threads(function, items)
        return [function(item) for item in items]

    @property
    def is_small(self) -> bool:
        """Whether trying every subset of the shorter side costs next to nothing."""
        side = min(self.ranks.shape)
        return side <= MAX_SIDE and self.ranks.fine.size << side <= MAX_EXHAUSTIVE

    def ascents(self, n_restarts: int, seed: int) -> list[Ascent]:
        """The ends of all ascents, those from the fixed starts first.

        Each has been climbed near the coarse thresholds; those that came near the best one have
        been continued over every threshold, to a fixed point.
        """
        starts = self._starts(n_restarts, np.random.default_rng(seed))
        ascents = self.map(self._climb, starts)
        limit = NEAR_BEST * max(ascent.score for ascent in ascents)
        keys = [
            (ascent.score, ascent.rank, ascent.images.tobytes(), ascent.nodes.tobytes())
            for ascent in ascents
        ]
        near = {
            key: ascent for key, ascent in zip(keys, ascents, strict=True) if ascent.score >= limit
        }  # equal ones once
        if self.engine.is_threaded:
            # The first two steps of each need not wait for one another: the images found with
            # all thresholds are nearly always those at hand, for which nodes are sought next.
            ahead = [(by_rows, ascent) for by_rows in (True, False) for ascent in near.values()]
            map_threads(lambda step: self._step_ahead(*step), ahead)
        ends = self.map(self._climb, [replace(ascent, level=ALL) for ascent in near.values()])
        finished = dict(zip(near, ends, strict=True))
        return [finished.get(key, ascent) for key, ascent in zip(keys, ascents, strict=True)]

    def step(self, by_rows: bool, held: NDArray[np.int64], level: int, floor: float) -> Found:
        """Best images for held nodes (by_rows), or best nodes for held images.

        At the edge `level`, or AROUND the best of a few edges, or at ALL thresholds. Returns
        score, threshold and members; `floor`, -1 and none where nothing scores more than it.
        """
        # Ascents meet: what one has found, the others need not look for again.
        key = (by_rows, level, held.tobytes())
        least, found = self.found.get(key, (math.inf, (0.0, -1, held[:0])))
        if found[1] < 0 and floor < least:
            if level == ALL:
                found = self.engine.at_all(by_rows, held, floor)
                least = floor
            else:
                score, edge, members = (
                    self._around(by_rows, held)
                    if level == AROUND
                    else self.engine.at_edges(by_rows, held, np.array([level]))
                )
                found = score, int(self.ranks.edges[edge]) if edge >= 0 else -1, members
                least = 0.0
            self.found[key] = least, found
        return found if found[0] > floor else (floor, -1, held[:0])

    def _step_ahead(self, by_rows: bool, ascent: Ascent) -> None:
        self.step(by_rows, ascent.nodes if by_rows else ascent.images, ALL, ascent.score)

    def _around(self, by_rows: bool, held: NDArray[np.int64]) -> Found:
        """Best edge of a sweep, and of closer and closer ones around it."""
        n_edges = len(self.ranks.edges)
        best: Found = self.engine.at_edges(by_rows, held, self._swept)
        spacing = -(-n_edges // len(self._swept))
        while spacing > 1 and best[1] >= 0:
            spacing = -(-spacing // CLOSER)
            edges = best[1] + spacing * np.array([-2, -1, 1, 2])
            edges = edges[(edges >= 0) & (edges < n_edges)]
            best = max(best, self.engine.at_edges(by_rows, held, edges), key=_score)
        return best

    @property
    def _swept(self) -> NDArray[np.int64]:
        """Edges tried first: spread evenly, both ends among them."""
        n_edges = len(self.ranks.edges)
        return spread(n_edges, n_edges if self.ranks.fine.size <= MAX_ALL_EDGES else N_SWEPT)

    def _climb(self, start: Ascent) -> Ascent:
        """Alternate between images and nodes until neither side can be bettered.

        At the start's level first; then, where that is a single edge, around others too.
        """
        images, nodes, score, rank = start.images, start.nodes, start.score, start.rank
        level, n_steps = start.level, start.n_steps
        # Where images are not sought first, they are known to be the best ones.
        seek_images, images_settled, nodes_settled = start.by_rows, not start.by_rows, False
        while True:
            # A start's side may be larger than its cap; a score with it is not one to beat.
            if seek_images and len(images) > self.caps[0]:
                score, rank = 0.0, -1
            if not seek_images and len(nodes) > self.caps[1]:
                score, rank = 0.0, -1
            held = nodes if seek_images else images
            found, found_rank, members = self.step(seek_images, held, level, score)
            if level == AROUND and rank >= 0:  # the sweep may have missed where it stands
                own = int(np.searchsorted(self.ranks.edges, rank))
                better = self.step(seek_images, held, own, found)
                found, found_rank, members = max((found, found_rank, members), better, key=_score)
            n_steps += 1
            is_better = found_rank >= 0
            if is_better:
                score, rank = found, found_rank
            if seek_images:
                images_settled = True
                if is_better:
                    images, nodes_settled = members, False
            else:
                nodes_settled = True
                if is_better:
                    nodes, images_settled = members, False
            if images_settled and nodes_settled:
                if level < 0:
                    return Ascent(images, nodes, score, rank, n_steps)
                level, images_settled, nodes_settled = AROUND, False, False
            seek_images = not seek_images

    def _starts(self, n_restarts: int, rng: np.random.Generator) -> list[Ascent]:
        n_images, n_nodes = self.ranks.shape
        all_nodes = np.arange(n_nodes)
        swept = self._swept
        alphas = self.ranks.alphas[self.ranks.edges[swept]]
        counts = np.empty((len(swept), self.ranks.turned.shape[1]), np.int32)
        map_threads(
            lambda left: kernels.count_levels(
                self.ranks.turned,
                all_nodes,
                swept[left : left + kernels.BATCH],
                counts[left : left + kernels.BATCH],
            ),
            range(0, len(swept), kernels.BATCH),
        )
        counts = counts[:, :n_images]
        # Its subset scores above 0 whenever any does: the smallest p-value is at an edge.
        image, position = kernels.best_row(counts, alphas, self.statistic)
        own = np.flatnonzero(self.ranks.coarse[image, :n_nodes] <= swept[position])
        if self.is_small:
            first = self._best_of_all()
        else:
            score, position, members = kernels.best_level(
                counts, n_nodes, alphas, self.statistic, 0.0, self.caps[0]
            )
            if position >= 0:
                rank = int(self.ranks.edges[swept[position]])
                first = Ascent(members, all_nodes, score, rank, n_steps=1, by_rows=False)
            else:
                first = Ascent(np.arange(n_images), all_nodes, n_steps=1, by_rows=False)
        starts = [first, Ascent(np.array([image]), own)]
        # Multiples of these spread evenly over the square however many starts there are.
        offsets = rng.random(2)
        for restart in range(n_restarts):
            at_size, at_level = (offsets + restart * SPREAD) % 1.0
            # Sizes over all orders of magnitude reach small subsets as well as large.
            n_chosen = min(n_nodes, int((n_nodes + 1.0) ** at_size))
            chosen = np.sort(rng.choice(n_nodes, size=n_chosen, replace=False))
            level = int(at_level * len(self.ranks.edges))
            starts.append(Ascent(np.arange(n_images), chosen, level=level))
        return starts

    def _best_of_all(self) -> Ascent:
        """The best subset of all: every subset of the shorter side, with the best of the other."""
        n_images, n_nodes = self.ranks.shape
        by_rows = n_nodes <= n_images
        length, cap = (n_nodes, self.caps[1]) if by_rows else (n_images, self.caps[0])
        best = Ascent(np.arange(n_images), np.arange(n_nodes))
        n_steps = 0
        for bits in range(1, 1 << length):
            if bits.bit_count() <= cap:
                n_steps += 1
                held = np.flatnonzero(bits >> np.arange(length) & 1)
                score, rank, found = self.step(by_rows, held, ALL, best.score)
                if rank >= 0:
                    images, nodes = (found, held) if by_rows else (held, found)
                    best = Ascent(images, nodes, score, rank)
        return replace(best, n_steps=n_steps)


def _score(found: Found) -> float:
    return found[0]
