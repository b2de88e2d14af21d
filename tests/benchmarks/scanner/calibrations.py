"""A whole calibration against a few of the peer's scans, since the peer has no calibration."""

from collections.abc import Iterator

import numpy as np

from scanning import Background, calibrate_group
from tests.benchmarks.scanner.data import planted
from tests.benchmarks.scanner.report import Row, against_peer
from tests.benchmarks.scanner.setting import Setting
from tests.benchmarks.scanner.timing import seconds

GROUP_SIZE, N_NODES, N_RESTARTS = 500, 3_136, 5
N_HELD_OUT = 10 * GROUP_SIZE  # what the held-out null asks for


def measure(setting: Setting) -> Iterator[Row]:
    """1,000 null groups by `calibrate_group`, and 20 groups from the same images by the peer."""
    n_replicates, n_searches = (100, 2) if setting.quick else (1_000, 20)
    rng = np.random.default_rng(0)
    background, test = planted(GROUP_SIZE, N_NODES, 1_000)
    held_out = rng.standard_normal((N_HELD_OUT, N_NODES), dtype=np.float32)
    fitted = Background.fit(background)
    normal, observed = fitted.ranks(held_out), fitted.ranks(test)
    theirs = None
    if setting.peer is not None:
        theirs = 0.0
        np.random.seed(0)  # noqa: NPY002 - the peer reads the global state
        for _ in range(n_searches):
            chosen = rng.choice(N_HELD_OUT, GROUP_SIZE, replace=False)
            ranges = setting.peer.ranges(normal.images(chosen).pvalues())
            theirs += seconds(lambda ranges=ranges: setting.peer.group_score(ranges, N_RESTARTS))[0]
    for n_workers in (1, 2):
        ours, found = seconds(
            lambda n_workers=n_workers: calibrate_group(
                normal,
                observed,
                n_replicates=n_replicates,
                n_restarts=N_RESTARTS,
                n_workers=n_workers,
            )
        )
        work = f"{n_replicates} null groups of {GROUP_SIZE} × {N_NODES}, n_workers={n_workers}"
        note = f"against {n_searches} groups scanned by the peer; p = {found.pvalue:.4g}"
        yield against_peer(work, theirs, ours, 1, note)
