"""Tasks in local processes."""

import warnings
from collections.abc import Callable, Generator, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from scanning._threads import Item, Result

MAX_ATTEMPTS = 3


def map_processes(
    function: Callable[..., Result],
    items: Sequence[Item],
    shared: Sequence[Any],
    n_workers: int,
    done: Callable[[int], None],
) -> list[Result]:
    """``[function(item, *shared) for item in items]`` in `n_workers` processes.

    `done` is called with the number of results so far. Raises ChildProcessError if processes
    die again and again.
    """
    import joblib  # type: ignore[import-untyped]

    results: list[Result] = []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        # joblib writes each large array to a file once, which all processes map.
        parallel = joblib.Parallel(n_jobs=min(n_workers, len(items)), return_as="generator")
        # A process that dies takes the others with it: what is missing runs in new ones.
        missing = items[len(results) :]
        found = parallel(joblib.delayed(function)(item, *shared) for item in missing)
        try:
            for result in found:
                results.append(result)
                done(len(results))
            break
        except BrokenProcessPool as error:
            if attempt == MAX_ATTEMPTS:
                raise ChildProcessError(
                    f"worker processes died {attempt} times, as they do when memory runs out; "
                    f"n_workers was {n_workers}"
                ) from error
        finally:
            _stop(found)
    return results


def _stop(found: Generator[Any, None, None]) -> None:
    """End the tasks that still run, where an error in one of them or in `done` left some."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # joblib warns that work may be in vain
        found.close()
