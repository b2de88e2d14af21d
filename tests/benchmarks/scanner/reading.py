"""How near the counting pass of a group scan comes to merely reading the same memory."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from scanning import _group_numba as kernels
from tests.benchmarks.scanner.report import Row
from tests.benchmarks.scanner.setting import Setting
from tests.benchmarks.scanner.timing import median_seconds

SHAPE, QUICK_SHAPE = (4_000, 12_544), (1_000, 12_544)
N_LEVELS = 4  # that are counted while the p-values are read once


def measure(setting: Setting) -> Iterator[Row]:
    """On one thread. What is called is private: where that has changed, the row says so."""
    try:
        yield from _measure(setting)
    except (AttributeError, TypeError) as error:
        yield Row("counting pass", None, note=f"not measured, the kernels have changed: {error}")


def _measure(setting: Setting) -> Iterator[Row]:
    shape = QUICK_SHAPE if setting.quick else SHAPE
    ranks = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    words = ranks.view(np.uint64)
    read = ranks.nbytes / median_seconds(
        lambda: np.bitwise_xor.reduce(words, axis=None), setting.n_runs
    )
    size = f"{ranks.nbytes / 1e6:.0f} MB"
    yield Row(f"plain read, {size}", read / 1e9, unit=" GB/s", note="one thread")
    for side, count in _passes(ranks).items():
        speed = ranks.nbytes / median_seconds(count, setting.n_runs)
        note = f"{speed / read:.1%} of a plain read, one byte per p-value, {N_LEVELS} thresholds"
        yield Row(f"counting small p-values of {side}", speed / 1e9, unit=" GB/s", note=note)


def _passes(ranks: NDArray[np.uint8]) -> dict[str, Callable[[], None]]:
    """Counting images for all nodes, and nodes for all images; each as it lies in memory."""
    images, nodes = (np.arange(length) for length in ranks.shape)
    of_images, of_nodes = (np.empty((N_LEVELS, len(side)), np.int32) for side in (images, nodes))
    turned, limits = np.ascontiguousarray(ranks.T), np.arange(N_LEVELS) * 16
    return {
        "images": lambda: kernels.count_levels(turned, nodes, limits, of_images),
        "nodes": lambda: kernels.count_levels(ranks, images, limits, of_nodes),
    }
