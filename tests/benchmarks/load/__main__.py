"""Participants against the real application, and against oTree, on the same PostgreSQL.

    python -m tests.benchmarks.load [--quick] [--only otree,html,json,many,think,flat]

Makes a private PostgreSQL cluster with default settings, serves Musescan as `manage.py demo`
does, and oTree as its documentation does (installed once from the package index, in a virtual
environment of its own under --cache), and lets participants rate 20 images with one Likert
question each. They answer by oTree's pages (otree), by Musescan's pages without JavaScript
(html), and as the trial page's script does (json). An answer is taken when the next page, or
the next trial, is there. Measured are medians of --runs runs, in which the flows take turns:

- otree, html, json: answers per second, --participants at full speed;
- many: --crowd participants at full speed; think: the same who think 2 to 6 s before each answer;
- flat: single submissions with 10 participants and 100 images in the database, and with 10,000
  and 100,000.

Named flows narrow down many, think and flat. Pages are fetched without their style sheets,
scripts and images (--images: with the images of trials). Server, database and player share the
machine: the last three columns are the processor time in ms that each took for one answer, which
other work on the machine changes less than the rest. No time makes the command fail: it exits
with 1 when an answer was wrong or missing, or when the stored answers are not the acknowledged.
"""

import argparse
import asyncio
import gc
import json
import os
import platform
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from studies.serving import THREADS_PER_WORKER, WORKERS
from tests.benchmarks.load import scenarios
from tests.benchmarks.load.crowd import SPARE, Crowd
from tests.benchmarks.load.flows import FLOWS
from tests.benchmarks.load.musescan_server import ROOT, musescan_server
from tests.benchmarks.load.otree_project import VERSION, otree_server
from tests.benchmarks.load.postgres import Cluster, private_cluster
from tests.benchmarks.load.report import Target, table

MEASURES = ("many", "think", "flat")
N_TRIALS, N_IMAGES = 20, 100
# More than oTree answers per second here: so many of its participants are made beforehand.
OTREE_AT_MOST = 150
TIMES_OTREE = {"html": 6, "json": 10}
LOG_LINES = 30
SMALL, LARGE = (10, 100), (10_000, 100_000)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cache = Path(os.environ.get("MUSESCAN_DATA_DIR", ROOT / "var")) / "benchmarks"
    parser.add_argument("--quick", action="store_true", help="one short run of each")
    parser.add_argument("--only", default="", help="some of " + ",".join([*FLOWS, *MEASURES]))
    parser.add_argument("--participants", type=int, default=50, metavar="N")
    parser.add_argument("--crowd", type=int, default=200, metavar="N")
    parser.add_argument("--seconds", type=float, help="of each run (10; thinking 30)")
    parser.add_argument("--runs", type=int, help="of each measure (3)")
    parser.add_argument("--workers", type=int, default=WORKERS, help=f"of Musescan ({WORKERS})")
    parser.add_argument("--threads", type=int, default=THREADS_PER_WORKER, help="of each worker")
    parser.add_argument("--images", action="store_true", help="fetch the images of trials, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run's figures")
    parser.add_argument("--cache", type=Path, default=cache, help=f"for oTree ({cache})")
    options = parser.parse_args(arguments)
    options.chosen = {name for name in options.only.split(",") if name}
    if unknown := options.chosen - {*FLOWS, *MEASURES}:
        parser.error(f"--only must name some of {', '.join([*FLOWS, *MEASURES])}; got {unknown}")
    for name in ("participants", "crowd", "seconds", "runs", "workers", "threads"):
        value = getattr(options, name)
        if value is not None and value <= 0:
            parser.error(f"--{name} must be positive; got {value}")
    options.flows = [name for name in FLOWS if name in options.chosen] or list(FLOWS)
    options.rates = not options.chosen or bool(options.chosen & set(FLOWS))
    options.seconds_full = options.seconds or (3 if options.quick else 10)
    options.seconds_thinking = options.seconds or (10 if options.quick else 30)
    options.runs = options.runs or (1 if options.quick else 3)
    return options


class Benchmark:
    """One run of the command: its options, what it found, and what went wrong."""

    def __init__(self, options: argparse.Namespace, cluster: Cluster, work: Path) -> None:
        self.options, self.cluster, self.work = options, cluster, work
        self.found: dict[str, Any] = {}
        self.targets: list[Target] = []
        self.wrong: list[str] = []

    def wants(self, measure: str) -> bool:
        return not self.options.chosen or measure in self.options.chosen

    def say(self, text: str) -> None:
        print(text, flush=True)

    def crowds(self, servers: dict[str, Any]) -> dict[str, Crowd]:
        """A crowd by flow, at the server that the flow is for."""
        return {
            name: Crowd(FLOWS[name](servers[name], self.options.images), N_TRIALS)
            for name in self.options.flows
            if name in servers
        }

    def check(self, stored: dict[Any, int], crowds: dict[str, Crowd], at: str = "") -> None:
        """Compare what every server holds more than before with what it acknowledged."""
        for server, before in stored.items():
            there = {name: each for name, each in crowds.items() if each.flow.server is server}
            names = ", ".join(there) + at
            self.wrong += scenarios.mismatches(names, server.n_stored() - before, there.values())
            for name, crowd in there.items():
                self.wrong += [f"{name}{at}: {error}" for error in crowd.errors]
            if any(crowd.errors for crowd in there.values()):
                last = server.log.read_text().splitlines()[-LOG_LINES:]
                self.say("\n".join([f"\nThe end of the log of the server of {names}:", *last]))

    def record(self, measure: str, title: str, runs: dict[str, list[scenarios.Figures]]) -> None:
        self.found[measure] = runs
        self.say("\n" + table(title, runs))

    def many_at_once(self) -> None:
        """The rates and the crowds: all servers up at once, one asked at a time."""
        options = self.options
        with ExitStack() as stack:
            servers: dict[str, Any] = {}
            if {"html", "json"} & set(options.flows):
                musescan = musescan_server(
                    self.cluster,
                    work=self.work,
                    database="musescan",
                    n_trials=N_TRIALS,
                    n_images=N_IMAGES,
                    workers=options.workers,
                    threads=options.threads,
                )
                servers |= dict.fromkeys(("html", "json"), stack.enter_context(musescan))
            if "otree" in options.flows and (options.rates or self.wants("many")):
                otree = otree_server(
                    self.cluster,
                    cache=options.cache,
                    work=self.work,
                    n_rounds=N_TRIALS,
                    n_participants=self.n_otree_participants(),
                )
                servers["otree"] = stack.enter_context(otree)
            crowds = self.crowds(servers)
            stored = {crowd.flow.server: crowd.flow.server.n_stored() for crowd in crowds.values()}
            asyncio.run(self.measure(crowds))
            self.check(stored, crowds)

    def n_otree_participants(self) -> int:
        options = self.options
        n_measures = options.rates + self.wants("many")
        n_answers = OTREE_AT_MOST * n_measures * options.runs * (options.seconds_full + 1)
        n_players = options.rates * options.participants + self.wants("many") * options.crowd
        return int(SPARE * n_answers / N_TRIALS) + 2 * n_players

    async def measure(self, crowds: dict[str, Crowd]) -> None:
        options = self.options
        gc.disable()  # collecting would stop the player in the middle of a run
        how = {"seconds": options.seconds_full, "n_runs": options.runs}
        if options.rates:
            n = options.participants
            runs = await scenarios.full_speed(crowds, n_players=n, **how)
            self.record("rates", f"{n} participants at full speed", runs)
            self.compare(runs)
        if self.wants("many"):
            n = options.crowd
            runs = await scenarios.full_speed(crowds, n_players=n, **how)
            self.record("many", f"{n} participants at full speed", runs)
            self.bound(runs, "many", p95_ms=750)
        if self.wants("think"):
            n = options.crowd
            ours = {name: crowd for name, crowd in crowds.items() if name != "otree"}
            how["seconds"] = options.seconds_thinking
            runs = await scenarios.thinking(ours, n_players=n, **how)
            self.record("think", f"{n} participants who think 2 to 6 s before each answer", runs)
            self.bound(runs, "think", p95_ms=50, p99_ms=250)

    def compare(self, runs: dict[str, list[scenarios.Figures]]) -> None:
        rates = {name: scenarios.medians(each)["per_second"] for name, each in runs.items()}
        for name, times in TIMES_OTREE.items():
            if name in rates and "otree" in rates:
                what = f"{name}: answers/s, times oTree's"
                self.targets.append(Target(what, rates[name] / rates["otree"], times, True))

    def bound(
        self, runs: dict[str, list[scenarios.Figures]], measure: str, **bounds: float
    ) -> None:
        for name, each in runs.items():
            if name != "otree":
                figures = scenarios.medians(each)
                self.targets += [
                    Target(f"{name}, {measure}: {figure.replace('_', ' ')}", figures[figure], most)
                    for figure, most in bounds.items()
                ]

    def growth(self) -> None:
        """The cost of single submissions in a small and in a large database."""
        options = self.options
        large = tuple(n // 10 for n in LARGE) if options.quick else LARGE
        with ExitStack() as stack:
            crowds: dict[str, Crowd] = {}
            for size, (n_participants, n_images) in {"small": SMALL, "large": large}.items():
                self.say(f"\nBuilding {n_participants:,} participants, {n_images:,} images")
                server = stack.enter_context(
                    musescan_server(
                        self.cluster,
                        work=self.work,
                        database=size,
                        n_trials=N_TRIALS,
                        n_images=n_images,
                        n_participants=n_participants,
                        workers=1,
                        threads=1,
                    )
                )
                ours = dict.fromkeys(("html", "json"), server)
                crowds |= {f"{name}, {size}": each for name, each in self.crowds(ours).items()}
            stored = {crowd.flow.server: crowd.flow.server.n_stored() for crowd in crowds.values()}
            figures = asyncio.run(scenarios.one_by_one(crowds, 3 if options.quick else 10))
            self.check(stored, crowds, " (flat)")
        self.record("flat", "Submissions one by one", {name: [f] for name, f in figures.items()})
        for name in options.flows:
            if name != "otree":
                small, big = (figures[f"{name}, {size}"] for size in ("small", "large"))
                ratio = big["p50_ms"] / small["p50_ms"]
                self.targets.append(Target(f"{name}: median, large against small", ratio, 1.3))
                self.say(
                    f"{name}: from the first page to the first trial {small['enter_ms']:.0f} ms "
                    f"in the small database, {big['enter_ms']:.0f} ms in the large"
                )

    def environment(self) -> dict[str, Any]:
        return {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "postgresql": self.cluster.version(),
            "otree": VERSION,
            "workers": self.options.workers,
            "threads": self.options.threads,
            "images": self.options.images,
        }


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    # Ended from outside, it still ends the servers that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    options.cache.mkdir(parents=True, exist_ok=True)
    with private_cluster() as cluster, tempfile.TemporaryDirectory(prefix="musescan-load-") as work:
        benchmark = Benchmark(options, cluster, Path(work))
        environment = benchmark.environment()
        benchmark.say(", ".join(f"{name} {value}" for name, value in environment.items()))
        if options.rates or benchmark.wants("many") or benchmark.wants("think"):
            benchmark.many_at_once()
        if benchmark.wants("flat"):
            benchmark.growth()
    if benchmark.targets:
        benchmark.say("\nTargets\n" + "\n".join(target.line() for target in benchmark.targets))
    for wrong in benchmark.wrong:
        print(f"WRONG {wrong}", file=sys.stderr)
    if options.json:
        found = {
            "environment": environment,
            "measures": benchmark.found,
            "targets": [vars(target) | {"kept": target.kept} for target in benchmark.targets],
            "wrong": benchmark.wrong,
        }
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 1 if benchmark.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
