"""Group scans of planted and of real activations, the same p-values on both sides."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from scanning import scan_group
from tests.benchmarks.scanner.data import of_trained_model, planted
from tests.benchmarks.scanner.peer import PeerFailed
from tests.benchmarks.scanner.report import Row, against_peer
from tests.benchmarks.scanner.setting import Setting
from tests.benchmarks.scanner.timing import by_turns, median_seconds

N_RESTARTS = 5  # ours has its two fixed starts besides
PEER_SEARCHES = 5  # of which the best is what our score must reach


def measure_planted(setting: Setting) -> Iterator[Row]:
    sizes = [(500, 3_136, 100), (1_000, 6_272, 200)]
    for n_images, n_nodes, goal in sizes[:1] if setting.quick else sizes:
        pvalues = planted(n_images, n_nodes, 1_000).pvalues()
        yield from _compare(setting, f"group, planted, {n_images} × {n_nodes}", pvalues, goal)


def measure_real(setting: Setting) -> Iterator[Row]:
    epochs, n_training = (1, 2_000) if setting.quick else (4, 10_000)
    for layer, activations in of_trained_model(epochs, n_training).items():
        pvalues = activations.pvalues()
        n_images, n_nodes = pvalues.shape
        goal = 100 if n_nodes == 3_136 else None  # small layers: shown, without a goal
        yield from _compare(setting, f"group, {layer}, {n_images} × {n_nodes}", pvalues, goal)


def _compare(
    setting: Setting, work: str, pvalues: NDArray[np.float64], goal: float | None
) -> Iterator[Row]:
    peer = setting.peer

    def ours() -> float:
        return scan_group(pvalues, n_restarts=N_RESTARTS).score

    if peer is None:
        yield against_peer(work, None, median_seconds(ours, setting.n_runs), goal)
        return
    ranges = peer.ranges(pvalues)
    np.random.seed(0)  # noqa: NPY002 - the peer reads the global state
    try:
        theirs, mine = by_turns(
            lambda: peer.group_score(ranges, N_RESTARTS), ours, n_runs=setting.n_runs
        )
    except PeerFailed as error:
        yield against_peer(work, None, median_seconds(ours, setting.n_runs), goal, str(error))
        return
    yield against_peer(work, theirs.median, mine.median, goal)
    scores = [*theirs.results]
    while len(scores) < PEER_SEARCHES:
        scores.append(peer.group_score(ranges, N_RESTARTS))
    best = max(scores)
    yield Row(
        "  score against the best of the peer's searches",
        round(mine.results[0] / best, 9),  # sums of the same terms may differ in the last digits
        1,
        note=f"{mine.results[0]:.2f} against {best:.2f}, best of {len(scores)}",
    )
