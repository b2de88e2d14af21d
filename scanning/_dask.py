"""Tasks on the machines of a Dask cluster. Dask need not be installed."""

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from importlib import import_module
from itertools import chain, pairwise
from typing import Any

from scanning._threads import Item, Result

BATCHES_PER_THREAD = 8  # enough to even out slow machines, few enough to keep a scheduler idle
MAX_ATTEMPTS = 3
SECONDS_TO_CONNECT = 10


def map_cluster(
    function: Callable[..., Result],
    items: Sequence[Item],
    shared: Sequence[Any],
    address: str,
    done: Callable[[int], None],
) -> list[Result]:
    """``[function(item, *shared) for item in items]`` on the cluster at `address`.

    `done` is called with the number of results so far. Raises ModuleNotFoundError without Dask,
    and ConnectionError where no scheduler answers, it has no workers, or loses them.
    """
    try:
        distributed = import_module("distributed")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'cluster needs Dask, which "pip install distributed" brings; {error}', name=error.name
        ) from None
    try:
        client = distributed.Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConnectionError(
            f"cluster must be the address of a running Dask scheduler; got {address!r}: {error}"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=SECONDS_TO_CONNECT)
        except TimeoutError:
            raise ConnectionError(f"cluster {address!r} must have workers; it has none") from None
        n_batches = min(len(items), BATCHES_PER_THREAD * sum(client.nthreads().values()))
        edges = [len(items) * b // n_batches for b in range(n_batches + 1)]
        batches = [items[start:stop] for start, stop in pairwise(edges)]
        finished: dict[int, list[Result]] = {}
        for attempt in range(1, MAX_ATTEMPTS + 1):
            # 1. What is shared goes to every worker, once, so that the death of one loses
            #    nothing. Each task refers to it.
            # 2. The scheduler runs the tasks of a dead worker again on another.
            # 3. If the last copy of something shared died, the waiting tasks are cancelled:
            #    then it is sent again, and only the unfinished batches follow.
            try:
                held = client.scatter(list(shared), broadcast=True, hash=False) if shared else []
                waiting = {
                    client.submit(_run_batch, function, batch, *held, pure=False): number
                    for number, batch in enumerate(batches)
                    if number not in finished
                }
                for future in distributed.as_completed(waiting, client.loop):
                    finished[waiting[future]] = future.result()
                    done(sum(map(len, finished.values())))
                break
            except CancelledError as error:
                if attempt == MAX_ATTEMPTS:
                    raise _lost(address) from error
            except distributed.scheduler.KilledWorker as error:
                raise _lost(address) from error
    return list(chain.from_iterable(finished[number] for number in range(len(batches))))


def _run_batch(
    function: Callable[..., Result], batch: Sequence[Item], *shared: Any
) -> list[Result]:
    return [function(item, *shared) for item in batch]


def _lost(address: str) -> ConnectionError:
    return ConnectionError(
        f"cluster {address!r} must keep its scheduler and workers while tasks run; "
        "they died again and again, as they do when memory runs out"
    )
