"""Participants who take part by one flow: let in beforehand, then playing for a while."""

import asyncio
import math
import random
import time
from collections.abc import Callable

from tests.benchmarks.load.flows import Flow, FlowError
from tests.benchmarks.load.measures import Played
from tests.benchmarks.load.player import Browser, ProtocolError
from tests.benchmarks.load.processes import cpu_seconds

# What can come instead of a page: no answer, one that is no HTTP, one that nobody should get.
FAILURES = (FlowError, ProtocolError, OSError, ValueError, KeyError)
ENTER_AT_ONCE = 8
SETTLE_S, WARM_UP_S = 1.0, 3.0
SPARE = 1.3


class Crowd:
    """Those who take part by `flow`: who waits at their first trial, and what became of them all.

    `n_acknowledged` counts every answer that the server said it had taken, measured or not.
    """

    def __init__(self, flow: Flow, n_trials: int) -> None:
        self.flow, self.n_trials = flow, n_trials
        self.waiting: list[Browser] = []
        self.enter_s: list[float] = []
        self.n_acknowledged = 0
        self.errors: list[str] = []

    async def let_in(self, n: int, at_once: int = ENTER_AT_ONCE) -> None:
        """Bring newcomers to their first trial until `n` wait there, or nobody else comes."""
        missing = iter(range(n - len(self.waiting)))

        async def door() -> None:
            for _ in missing:
                asked = time.perf_counter()
                try:
                    browser = await self.flow.enter()
                except FAILURES as error:
                    self.errors.append(f"{type(error).__name__}: {error}")
                    return
                if browser is None:
                    return
                self.enter_s.append(time.perf_counter() - asked)
                browser.close()
                self.waiting.append(browser)

        await asyncio.gather(*(door() for _ in range(at_once)))

    async def answer_all(
        self, browser: Browser, run: Played, think: Callable[[], float] | None = None
    ) -> None:
        """Answer trial after trial until there is none left or `run` is over."""
        goes_on = True
        try:
            while goes_on:
                if think is not None:
                    await asyncio.sleep(think())
                asked = time.perf_counter()
                if asked >= run.ended:
                    return
                goes_on = await self.flow.answer(browser)
                answered = time.perf_counter()
                run.acknowledged.append(answered)
                run.latencies.append(answered - asked)
        except FAILURES as error:
            run.errors.append(f"{type(error).__name__}: {error}")
        finally:
            browser.close()

    async def play(
        self,
        n_players: int,
        seconds: float,
        *,
        thinking_s: tuple[float, float] | None = None,
        seed: int = 0,
    ) -> Played:
        """Let `n_players` at a time take part; who has finished is replaced by who waits.

        They begin one by one within a second, so that they do not go on in step, answering all
        together and loading all together. Measured are the `seconds` after it, or less where
        nobody waits any more.
        With `thinking_s` everybody waits a uniform time in that interval before every answer.
        """
        rng = random.Random(seed)
        think = None if thinking_s is None else lambda: rng.uniform(*thinking_s)
        begun, cpu = time.perf_counter(), self.cpu_seconds()
        run = Played(started=begun + SETTLE_S, ended=begun + SETTLE_S + seconds)

        async def player(begins_s: float) -> None:
            await asyncio.sleep(begins_s)
            while time.perf_counter() < run.ended:
                if not self.waiting:
                    run.ended = time.perf_counter()
                    return
                await self.answer_all(self.waiting.pop(), run, think)

        await asyncio.gather(*(player(SETTLE_S * i / n_players) for i in range(n_players)))
        run.server_cpu_s, run.database_cpu_s, run.player_cpu_s = (
            after - before for before, after in zip(cpu, self.cpu_seconds(), strict=True)
        )
        return self.counted(run)

    def cpu_seconds(self) -> tuple[float, float, float]:
        """Processor time so far of the server, of PostgreSQL, and of this process."""
        server = self.flow.server
        return cpu_seconds(server.pid), cpu_seconds(server.cluster.pid), time.process_time()

    async def play_one(self) -> Played:
        """Let one participant answer all of their trials, alone."""
        run = Played(started=time.perf_counter(), ended=math.inf)
        if self.waiting:
            await self.answer_all(self.waiting.pop(), run)
        return self.counted(run)

    def counted(self, run: Played) -> Played:
        self.n_acknowledged += len(run.acknowledged)
        self.errors += run.errors
        return run

    async def full_speed(self, n_players: int, seconds: float, per_second: float) -> Played:
        """Let in as many as `n_players` need who answer `per_second` for `seconds`, and play."""
        n_needed = n_players + math.ceil(SPARE * per_second * (seconds + SETTLE_S) / self.n_trials)
        await self.let_in(n_needed)
        return await self.play(n_players, seconds)
