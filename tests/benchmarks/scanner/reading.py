"""How near the counting pass of a group scan comes to merely reading the same memory."""

from collections.abc import Iterator

import numpy as np

from scanning import Background
from scanning import _group_numba as kernels
from scanning import group as group_module
from scanning._ranks import rank_pvalues
from tests.benchmarks.scanner.data import planted
from tests.benchmarks.scanner.report import Row
from tests.benchmarks.scanner.setting import Setting
from tests.benchmarks.scanner.timing import median_seconds


def measure(setting: Setting) -> Iterator[Row]:
    """On one thread. What is called is private: where that has changed, the row says so."""
    try:
        yield from _measure(setting)
    except (AttributeError, TypeError) as error:
        yield Row("counting pass", None, note=f"not measured, the kernels have changed: {error}")


def _measure(setting: Setting) -> Iterator[Row]:
    background, test = planted(1_000 if setting.quick else 4_000, 12_544, 300)
    ranked = rank_pvalues(Background.fit(background).ranks(test), 0.5)
    problem = group_module._Problem.of(ranked, 0, ranked.ranks.shape)
    coarse, n_edges = problem.coarse, len(problem.edges)
    images, nodes = (np.arange(length) for length in coarse.shape)
    words = coarse.view(np.uint64)
    read = coarse.nbytes / median_seconds(
        lambda: np.bitwise_xor.reduce(words, axis=None), setting.n_runs
    )
    yield Row(
        f"plain read, {coarse.nbytes / 1e6:.0f} MB", read / 1e9, unit=" GB/s", note="one thread"
    )
    for side, count, held, n_counted in (
        ("images", kernels._count_rows, nodes, len(images)),
        ("nodes", kernels._count_columns, images, len(nodes)),
    ):
        counts = np.empty((n_edges, n_counted), np.int32)
        base = np.zeros(n_counted, np.int32)
        speed = coarse.nbytes / median_seconds(
            lambda count=count, held=held, base=base, counts=counts: count(
                coarse, held, 0, base, counts
            ),
            setting.n_runs,
        )
        note = f"{speed / read:.1%} of a plain read, one byte per p-value, {n_edges} thresholds"
        yield Row(f"counting small p-values of {side}", speed / 1e9, unit=" GB/s", note=note)
