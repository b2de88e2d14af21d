"""Individual scans."""

from collections.abc import Iterator

import numpy as np

from scanning import scan_images
from tests.benchmarks.scanner.data import planted
from tests.benchmarks.scanner.report import Row, against_peer
from tests.benchmarks.scanner.setting import Setting
from tests.benchmarks.scanner.timing import by_turns, median_seconds

GOAL = 20


def measure(setting: Setting) -> Iterator[Row]:
    n_images = 200 if setting.quick else 1_000
    pvalues = planted(n_images, 3_136, 1_000).pvalues()
    work = f"{n_images} individual scans of 3136 nodes"
    peer = setting.peer

    def ours():
        return scan_images(pvalues).scores

    if peer is None:
        yield against_peer(work, None, median_seconds(ours, setting.n_runs), GOAL)
        return
    ranges = peer.ranges(pvalues)
    theirs, mine = by_turns(lambda: peer.image_scores(ranges), ours, n_runs=setting.n_runs)
    np.testing.assert_allclose(mine.results[0], theirs.results[0], rtol=1e-9)
    yield against_peer(work, theirs.median, mine.median, GOAL, "the same scores")
