"""Work spread over threads whose kernels release the interpreter lock.

Plain threads rather than numba's own: those abort the process when two threads of a web
server enter a parallel region at once, and do not survive a fork.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

from numba.core import config

Item = TypeVar("Item")
Result = TypeVar("Result")


def n_threads() -> int:
    """Threads to use: the cores this process may run on, or NUMBA_NUM_THREADS where set."""
    return int(config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]


def map_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """`[function(item) for item in items]`, in that order, several at a time."""
    work = list(items)
    workers = min(n_threads(), len(work))
    if workers <= 1:
        return [function(item) for item in work]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, work))


def blocks(length: int, *, minimum: int = 1) -> list[tuple[int, int]]:
    """`range(length)` cut into (start, stop) pieces, a few per thread, of at least `minimum`."""
    n_blocks = max(1, min(4 * n_threads(), length // minimum))
    edges = [length * b // n_blocks for b in range(n_blocks + 1)]
    return list(pairwise(edges))
