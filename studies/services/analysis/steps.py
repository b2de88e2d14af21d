"""How far an analysis is."""

from collections.abc import Callable
from dataclasses import dataclass

Progress = Callable[[int, int, str], None]


@dataclass
class Steps:
    """Tells `progress`, where there is one, of each step as it begins."""

    progress: Progress | None
    n_total: int
    n_done: int = -1

    def say(self, message: str) -> None:
        """Tell what is done within the step."""
        if self.progress is not None:
            self.progress(max(0, self.n_done), self.n_total, message)

    def begin(self, message: str) -> None:
        self.n_done = min(self.n_done + 1, self.n_total)
        self.say(message)
