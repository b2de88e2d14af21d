"""What is measured: rates, two kinds of crowds, and the cost of a submission as the data grow."""

import statistics
from collections.abc import Iterable, Sequence

from tests.benchmarks.load.crowd import SETTLE_S, WARM_UP_S, Crowd
from tests.benchmarks.load.measures import Played, percentile

THINKING_S = (2.0, 6.0)
Figures = dict[str, float]


def medians(runs: Sequence[Figures]) -> Figures:
    """The median of every figure over `runs`; errors are added up."""
    found = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    found["errors"] = sum(run["errors"] for run in runs)
    return found


async def full_speed(
    crowds: dict[str, Crowd], *, n_players: int, seconds: float, n_runs: int
) -> dict[str, list[Figures]]:
    """Runs of `n_players` without a pause by crowd, which take turns.

    A short run before them warms the servers up and tells how many participants are needed.
    """
    runs: dict[str, list[Figures]] = {name: [] for name in crowds}
    pace = {}
    for name, crowd in crowds.items():
        await crowd.let_in(2 * n_players)
        warm = await crowd.play(n_players, WARM_UP_S)
        pace[name] = len(warm.acknowledged) / (warm.ended - warm.started + SETTLE_S)
    for _ in range(n_runs):
        for name, crowd in crowds.items():
            played = await crowd.full_speed(n_players, seconds, pace[name])
            runs[name].append(played.figures())
    return runs


async def thinking(
    crowds: dict[str, Crowd], *, n_players: int, seconds: float, n_runs: int
) -> dict[str, list[Figures]]:
    """Runs of `n_players` who think before they answer, by crowd."""
    runs: dict[str, list[Figures]] = {name: [] for name in crowds}
    for seed in range(n_runs):
        for name, crowd in crowds.items():
            # Nobody finishes before everybody has thought as briefly as anybody can.
            n_turns = 1 + int((seconds + 1) / (THINKING_S[0] * crowd.n_trials))
            await crowd.let_in(n_players * n_turns)
            played = await crowd.play(n_players, seconds, thinking_s=THINKING_S, seed=seed)
            runs[name].append(played.figures())
    return runs


async def one_by_one(crowds: dict[str, Crowd], n_participants: int) -> dict[str, Figures]:
    """Figures of submissions one after the other, by crowd.

    The crowds take turns, a participant each, so that whatever else the machine does meets all
    of them; the first participant of each warms up. `enter_ms` is the median time from the
    first page to the first trial.
    """
    figures = {}
    played: dict[str, list[Played]] = {name: [] for name in crowds}
    for crowd in crowds.values():
        await crowd.let_in(1 + n_participants, at_once=1)
    for _ in range(1 + n_participants):
        for name, crowd in crowds.items():
            played[name].append(await crowd.play_one())
    for name, crowd in crowds.items():
        measured = [ms for run in played[name][1:] for ms in run.latencies]
        figures[name] = {
            "answers": len(measured),
            "p50_ms": 1_000 * percentile(measured, 50),
            "p95_ms": 1_000 * percentile(measured, 95),
            "p99_ms": 1_000 * percentile(measured, 99),
            "enter_ms": 1_000 * percentile(crowd.enter_s[1:], 50),
            "errors": len(crowd.errors),
        }
    return figures


def mismatches(name: str, stored: int, crowds: Iterable[Crowd]) -> list[str]:
    """What is wrong where `stored` answers came into a database that `crowds` answered to.

    An answer whose acknowledgement failed may be there; one that was acknowledged must.
    """
    acknowledged = sum(crowd.n_acknowledged for crowd in crowds)
    failed = sum(len(crowd.errors) for crowd in crowds)
    if acknowledged <= stored <= acknowledged + failed:
        return []
    return [f"{name}: {acknowledged} answers acknowledged, {failed} errors, {stored} stored"]
