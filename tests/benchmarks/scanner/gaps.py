"""How far group scans end below the best subset of all, where that can be found by brute force."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from scanning import Background, berk_jones, scan_group
from tests.benchmarks.scanner.report import Row
from tests.benchmarks.scanner.setting import Setting

ALPHA_MAX = 0.5
RESTARTS = (5, 10, 30, 100)
PEER_RESTARTS = (5, 8)  # it makes no more than there are images
NEGLIGIBLE = 1e-9
MOST = 0.5  # per cent, on average


def brute_force(pvalues: NDArray[np.float64]) -> float:
    """Highest Berk–Jones score: every subset of images, and for each every prefix of nodes."""
    chosen = (np.arange(1, 1 << len(pvalues))[:, None] >> np.arange(len(pvalues))) & 1
    best = 0.0
    for alpha in np.unique(pvalues[pvalues <= ALPHA_MAX]):
        counts = -np.sort(-(chosen @ (pvalues <= alpha)), axis=1)
        n = chosen.sum(axis=1)[:, None] * np.arange(1, pvalues.shape[1] + 1)
        best = max(best, float(berk_jones(alpha, counts.cumsum(axis=1), n).max()))
    return best


def small_case(case: int) -> NDArray[np.float64]:
    """8 × 10 p-values: uniform ones, and empirical ones with and without a planted group."""
    rng = np.random.default_rng(case)
    if case % 4 == 0:
        return 1.0 - rng.random((8, 10))
    background = rng.normal(size=((20, 100, 1_000)[case % 4 - 1], 10))
    test = rng.normal(size=(8, 10))
    test[:2, :2] += case // 4 % 2
    return Background.fit(background).pvalues(test)


def bordered(case: NDArray[np.float64]) -> NDArray[np.float64]:
    """The case among p-values of 1, which no best subset holds, until it is too large for every
    subset to be tried: what is left is the ascent, which at this size nobody would choose."""
    width = 0
    while scan_group(
        padded := np.pad(case, (0, width), constant_values=1.0), n_restarts=0
    ).is_exact:
        width += 1
    return padded


def measure(setting: Setting) -> Iterator[Row]:
    n_cases = 40 if setting.quick else 200
    cases = [small_case(case) for case in range(n_cases)]
    optima = np.array([brute_force(case) for case in cases])

    def row(
        name: str, score: Callable[[NDArray[np.float64]], float], goal: float | None = None
    ) -> Row:
        gap = 1.0 - np.array([score(case) for case in cases]) / optima
        gap[np.abs(gap) < NEGLIGIBLE] = 0.0  # sums of the same terms in another order
        missed = np.sort(gap[gap > 0.0])[::-1]
        note = f"largest {gap.max():.3%}, missed {len(missed)} of {n_cases} cases of 8 × 10"
        return Row(
            f"mean gap below brute force, {name}",
            100 * float(gap.mean()),
            goal,
            at_least=False,
            unit="%",
            note=note,
            details=[100 * float(value) for value in missed],
        )

    yield row("ours", lambda case: scan_group(case).score, MOST)
    for n in RESTARTS:
        yield row(
            f"ascent alone, {n} starts",
            lambda case, n=n: scan_group(bordered(case), n_restarts=n).score,
        )
    if setting.peer is None:
        return
    np.random.seed(0)  # noqa: NPY002 - the peer reads the global state
    for n in PEER_RESTARTS:

        def theirs(case: NDArray[np.float64], n: int = n) -> float:
            if not (case <= ALPHA_MAX).any():  # it fails where nothing is small
                return 0.0
            return setting.peer.group_score(setting.peer.ranges(case), n)

        yield row(f"peer, {n} starts", theirs)
