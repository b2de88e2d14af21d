"""Empirical p-values, with the fitting of the background."""

from collections.abc import Iterator

import numpy as np

from scanning import Background
from tests.benchmarks.scanner.data import planted
from tests.benchmarks.scanner.report import Row, against_peer
from tests.benchmarks.scanner.setting import Setting
from tests.benchmarks.scanner.timing import by_turns, median_seconds

GOAL = 15


def measure(setting: Setting) -> Iterator[Row]:
    peer = setting.peer
    for n_background in (1_000,) if setting.quick else (1_000, 2_000):
        background, test = planted(500, 3_136, n_background)

        def ours(background=background, test=test):
            return Background.fit(background).pvalues(test)

        work = f"p-values with fitting, 500 × 3136, B = {n_background}"
        if peer is None:
            yield against_peer(work, None, median_seconds(ours, setting.n_runs), GOAL)
            continue
        theirs, mine = by_turns(
            lambda background=background, test=test: peer.pvalues(background, test),
            ours,
            n_runs=setting.n_runs,
        )
        np.testing.assert_allclose(mine.results[0], theirs.results[0], rtol=1e-12)
        yield against_peer(work, theirs.median, mine.median, GOAL, "the same p-values")
