"""What was measured, as a plain table with its targets."""

from dataclasses import dataclass

from tests.benchmarks.load.scenarios import Figures, medians

COLUMNS = {
    "answers/s": ("per_second", 1),
    "p50 ms": ("p50_ms", 1),
    "p95 ms": ("p95_ms", 1),
    "p99 ms": ("p99_ms", 1),
    "errors": ("errors", 0),
    "server": ("server_cpu_ms", 2),
    "database": ("database_cpu_ms", 2),
    "player": ("player_cpu_ms", 2),
}
NAME_WIDTH, WIDTH = 16, 10
HEADER = " " * NAME_WIDTH + "".join(f"{title:>{WIDTH}}" for title in COLUMNS)


@dataclass(frozen=True)
class Target:
    """A bound on a figure, and whether it was kept. It decides nothing but a word."""

    what: str
    value: float
    bound: float
    at_least: bool = False

    @property
    def kept(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def line(self) -> str:
        sign, verdict = ("≥" if self.at_least else "≤"), "reached" if self.kept else "NOT reached"
        return f"  {self.what:<52}{self.value:10.2f}  {sign} {self.bound:g}  {verdict}"


def row(name: str, figures: Figures) -> str:
    cells = [
        f"{figures[key]:{WIDTH}.{digits}f}" if key in figures else " " * WIDTH
        for key, digits in COLUMNS.values()
    ]
    return f"{name:<{NAME_WIDTH}}{''.join(cells)}".rstrip()


def table(title: str, runs: dict[str, list[Figures]]) -> str:
    """Medians over the runs, a line each."""
    lines = [row(name, medians(each)) for name, each in runs.items()]
    return "\n".join([title, HEADER, *lines])
