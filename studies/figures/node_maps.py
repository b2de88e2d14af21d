"""Where a subset's nodes lie in their layer, as the geometry of a small drawing.

One node is one unit square. A layer of channels × height × width becomes one small map per
channel; a dense layer becomes strips; a layer with the image's own shape is laid over it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

GAP = 1.5
STRIP = 64  # nodes to a strip of a dense layer
STRIP_HEIGHT = 2.5
WIDE = 2.4  # how much wider than high the maps of many channels are laid out


@dataclass(frozen=True)
class Panel:
    """One channel or strip: its frame, its nodes in the subset as a path, and words for both."""

    x: float
    y: float
    width: float
    height: float
    path: str
    title: str


@dataclass(frozen=True)
class NodeMap:
    kind: str  # "pixels", "channels" or "strips"
    width: float
    height: float
    panels: list[Panel]
    summary: str


def node_map(shape: Sequence[int], nodes: ArrayLike, image_size: tuple[int, int]) -> NodeMap:
    """The drawing of `nodes` in a layer of `shape`; `image_size` is (width, height)."""
    n_nodes = math.prod(shape)
    inside = np.zeros(n_nodes, dtype=bool)
    inside[np.asarray(nodes, dtype=np.int64)] = True
    share = f"{np.count_nonzero(inside):,} of {n_nodes:,} nodes are in the subset"
    if len(shape) == 1:
        return strips(inside, share)
    channels = inside.reshape(-1, shape[-2], shape[-1])
    n_channels, height, width = channels.shape
    if (width, height) == tuple(image_size) and n_channels in (1, 3):
        # A pixel is in the subset where any of its colours is.
        path = path_of(np.asarray(channels.any(axis=0)), 0, 0)
        panel = Panel(0, 0, width, height, path, share)
        return NodeMap("pixels", width, height, [panel], f"{share}, drawn over the image.")
    per_channel = channels.sum(axis=(1, 2))
    columns = columns_for(n_channels, math.sqrt(n_channels * WIDE * height / width))
    panels = []
    for index, cells in enumerate(channels):
        x = (index % columns) * (width + GAP)
        y = (index // columns) * (height + GAP)
        title = f"Channel {index}: {per_channel[index]} of {height * width} nodes"
        panels.append(Panel(x, y, width, height, path_of(cells, x, y), title))
    rows = math.ceil(n_channels / columns)
    summary = f"{share}, in {np.count_nonzero(per_channel)} of {n_channels} channels"
    if per_channel.any():
        fullest = int(per_channel.argmax())
        summary += f"; channel {fullest} has most, {per_channel[fullest]} of {height * width}"
    return NodeMap(
        "channels",
        columns * (width + GAP) - GAP,
        rows * (height + GAP) - GAP,
        panels,
        f"{summary}.",
    )


def columns_for(n: int, ideal: float) -> int:
    """A number of columns near `ideal` that leaves no gap in the last row, else the nearest."""
    divisors = [each for each in range(1, n + 1) if n % each == 0]
    nearest = min(divisors, key=lambda each: abs(math.log(each / ideal)))
    even = abs(math.log(nearest / ideal)) < math.log(1.6)
    return nearest if even else min(n, math.ceil(ideal))


def strips(inside: np.ndarray, share: str) -> NodeMap:
    panels = []
    for row, start in enumerate(range(0, len(inside), STRIP)):
        cells = inside[start : start + STRIP]
        y = row * (STRIP_HEIGHT + GAP)
        title = (
            f"Nodes {start} to {start + len(cells) - 1}: {int(cells.sum())} of {len(cells)} nodes"
        )
        path = path_of(cells[np.newaxis], 0, y, cell_height=STRIP_HEIGHT)
        panels.append(Panel(0, y, len(cells), STRIP_HEIGHT, path, title))
    height = len(panels) * (STRIP_HEIGHT + GAP) - GAP
    width = min(len(inside), STRIP)
    return NodeMap("strips", width, height, panels, f"{share}, {STRIP} nodes to a strip.")


def path_of(cells: np.ndarray, x: float, y: float, *, cell_height: float = 1) -> str:
    """An SVG path of the true cells of a (rows, columns) array, neighbours in a row joined."""
    parts = []
    for row, line in enumerate(cells):
        edges = np.flatnonzero(np.diff(line.astype(np.int8), prepend=0, append=0))
        top = y + row * cell_height
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            parts.append(f"M{x + start:g} {top:g}h{end - start}v{cell_height:g}h-{end - start}z")
    return "".join(parts)
