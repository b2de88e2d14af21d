"""Work spread over threads whose kernels release the interpreter lock.

Plain threads rather than numba's own: those abort the process when two threads of a web
server enter a parallel region at once, and do not survive a fork.
"""

import functools
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import ParamSpec, TypeVar

from numba.core import config

Item = TypeVar("Item")
Result = TypeVar("Result")
Parameters = ParamSpec("Parameters")

# Kept from call to call: starting threads takes longer than many a scan.
_pools: dict[int, ThreadPoolExecutor] = {}
_inside = threading.local()
# A forked child has none of its parent's threads.
os.register_at_fork(after_in_child=_pools.clear)


def n_threads() -> int:
    """Threads to use: the cores this process may run on, or NUMBA_NUM_THREADS where set."""
    return int(config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]


def interruptible(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """`function`, from which Ctrl-C and the like come out as what they are.

    Where a signal arrives during a compiled kernel, numba returns both its result and the
    exception of the signal's handler, and Python makes a SystemError of that.
    """

    @functools.wraps(function)
    def as_it_is(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return function(*args, **kwargs)
        except SystemError as error:
            if isinstance(error.__cause__, KeyboardInterrupt | SystemExit):
                raise error.__cause__ from None
            raise

    return as_it_is


def map_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """`[function(item) for item in items]`, in that order, several at a time.

    The calling thread works too. Called from within such work it goes one by one: threads
    that wait for one another in the same pool could wait for ever.
    """
    work = list(items)
    workers = min(n_threads(), len(work))
    if workers <= 1 or getattr(_inside, "busy", False):
        return [function(item) for item in work]
    results: dict[int, Result] = {}
    left = iter(range(len(work)))  # its next() is one step of the interpreter, so thread-safe

    def take() -> None:
        _inside.busy = True
        try:
            for position in left:
                results[position] = function(work[position])
        finally:
            _inside.busy = False

    helpers = []
    try:
        for _ in range(workers - 1):
            helpers.append(_pool().submit(take))
    except RuntimeError:
        pass  # the interpreter is ending and starts no more threads: those there are go on
    try:
        take()
    finally:
        for helper in helpers:
            if not helper.cancel():
                helper.exception()  # waits, so that nothing runs on after an error
    for helper in helpers:
        if not helper.cancelled():
            helper.result()
    return [results[position] for position in range(len(work))]


def _pool() -> ThreadPoolExecutor:
    """The pool beside the calling thread; another only where the number of threads was changed."""
    n_helpers = n_threads() - 1
    pool = _pools.get(n_helpers)
    if pool is None:
        # Two threads may both come here; the loser's pool is never used and holds no thread.
        pool = _pools.setdefault(n_helpers, ThreadPoolExecutor(n_helpers, "scanning"))
    return pool


def blocks(length: int, *, minimum: int = 1) -> list[tuple[int, int]]:
    """`range(length)` cut into (start, stop) pieces, a few per thread, of at least `minimum`."""
    n_blocks = max(1, min(4 * n_threads(), length // minimum))
    edges = [length * b // n_blocks for b in range(n_blocks + 1)]
    return list(pairwise(edges))
