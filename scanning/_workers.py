"""Where tasks run: here, in local processes, or on a cluster."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from scanning._dask import map_cluster
from scanning._processes import map_processes
from scanning._threads import Item, Result
from scanning._validation import whole_number

Progress = Callable[[int, int, str], None]
"""Called with (tasks done, tasks in all, message)."""


@dataclass(frozen=True)
class Workers:
    """`n_workers`, `cluster` and `progress` of :func:`scanning.fan_out`, checked."""

    n_workers: int = 1
    cluster: str | None = None
    progress: Progress | None = None

    def __post_init__(self) -> None:
        n_workers = whole_number(self.n_workers, "n_workers", minimum=1)
        object.__setattr__(self, "n_workers", n_workers)
        if self.cluster is not None and not (
            isinstance(self.cluster, str) and "://" in self.cluster
        ):
            raise ValueError(
                f"cluster must be the address of a Dask scheduler, such as tcp://host:8786; "
                f"got {self.cluster!r}"
            )

    def map(
        self,
        function: Callable[..., Result],
        items: Iterable[Item],
        shared: Sequence[Any] = (),
        message: str = "running tasks",
    ) -> list[Result]:
        """``[function(item, *shared) for item in items]``, in that order."""
        tasks = items if isinstance(items, range) else list(items)

        def done(n_done: int) -> None:
            if self.progress is not None:
                self.progress(n_done, len(tasks), message)

        if not tasks:
            return []
        if self.cluster is not None:
            return map_cluster(function, tasks, shared, self.cluster, done)
        if self.n_workers > 1 and len(tasks) > 1:
            return map_processes(function, tasks, shared, self.n_workers, done)
        results = []
        for task in tasks:
            results.append(function(task, *shared))
            done(len(results))
        return results
