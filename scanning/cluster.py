"""Independent tasks spread over processes, or over the machines of a Dask cluster.

Every function here returns the same numbers whatever `n_workers` and `cluster` are: what is
random in a task is drawn from the task's own seed, never from the order in which tasks end.
joblib and Dask are imported only when they are used; Dask need not be installed.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import chain, pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scanning._validation import in_precision, proportion, real_matrix, whole_number
from scanning.group import scan_group
from scanning.individual import scan_images
from scanning.pvalues import RankedPvalues
from scanning.results import GroupScan, ImageScan

Progress = Callable[[int, int, str], None]
"""Called with (tasks done, tasks in all, message)."""

Item = TypeVar("Item")
Result = TypeVar("Result")

PValueMatrix = NDArray[np.floating[Any]] | RankedPvalues
"""p-values (images, nodes) that were checked."""

BATCHES_PER_THREAD = 8  # enough to even out slow machines, few enough to keep a scheduler idle
MAX_ATTEMPTS = 3
SECONDS_TO_CONNECT = 10


def fan_out(
    function: Callable[..., Result],
    items: Sequence[Item],
    *,
    shared: Sequence[Any] = (),
    n_workers: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
    message: str = "running tasks",
) -> list[Result]:
    """``[function(item, *shared) for item in items]``, several at a time.

    Parameters
    ----------
    function : callable
        Importable by the workers: defined at the top of a module that they can import too.
    items : sequence
        One per task; small, since each travels with its task.
    shared : sequence
        Arguments that all tasks have in common, such as arrays. They travel once: local
        processes map one file, a cluster receives them by one scatter to all its workers.
    n_workers : int
        Local processes; 1 runs in this process. Each uses its share of the cores.
    cluster : str, optional
        Address of a Dask scheduler, such as ``"tcp://10.0.0.1:8786"``. Tasks then run there
        and `n_workers` has no effect. Its workers need this library in the same version; set
        NUMBA_NUM_THREADS for them where several share a machine.
    progress : callable, optional
        Called in this process with (tasks done, tasks in all, `message`).

    Returns
    -------
    list
        In the order of `items`.

    Raises
    ------
    ValueError
        If `n_workers` is not a whole number >= 1, or `cluster` not an address.
    ModuleNotFoundError
        If `cluster` is given and Dask is not installed.
    ConnectionError
        If no scheduler answers at `cluster`, or it has no workers.

    Notes
    -----
    When a worker of the cluster dies, its tasks are run again elsewhere, and what was shared
    is sent again if no other worker held a copy; the same results come out, because tasks
    depend on their arguments alone. An exception in a task is raised here.

    Examples
    --------
    >>> fan_out(pow, [2, 3], shared=[10])
    [1024, 59049]
    """
    n_workers = whole_number(n_workers, "n_workers", minimum=1)
    if cluster is not None and not (isinstance(cluster, str) and "://" in cluster):
        raise ValueError(
            f"cluster must be the address of a Dask scheduler, such as tcp://host:8786; "
            f"got {cluster!r}"
        )

    def done(n_done: int) -> None:
        if progress is not None:
            progress(n_done, len(items), message)

    if not items:
        return []
    if cluster is not None:
        return _on_cluster(function, items, shared, cluster, done)
    if n_workers > 1 and len(items) > 1:
        return _in_processes(function, items, shared, n_workers, done)
    results = []
    for item in items:
        results.append(function(item, *shared))
        done(len(results))
    return results


def scan_seeds(
    pvalues: ArrayLike | RankedPvalues,
    seeds: Sequence[int],
    *,
    statistic: str = "berk_jones",
    alpha_max: float = 0.5,
    n_restarts: int = 10,
    max_images: int | None = None,
    max_nodes: int | None = None,
    engine: str = "numba",
    n_workers: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> GroupScan:
    """The best of several group scans that differ only in their random starts.

    Parameters
    ----------
    pvalues : array_like or RankedPvalues, (M, J)
        As for :func:`scanning.scan_group`, and the parameters of the search too.
    seeds : sequence of int
        One group scan with `n_restarts` random starts is made for each.
    n_workers, cluster, progress
        As for :func:`fan_out`.

    Returns
    -------
    GroupScan
        Exactly what ``scan_group(pvalues, ..., seed=result.seed)`` returns for the seed that
        won, the first of equals.

    Raises
    ------
    ValueError
        As :func:`scanning.scan_group` and :func:`fan_out`; also if there are no seeds.

    Notes
    -----
    A local maximum, as every group scan. Costs the scans of `seeds`, spread over the workers.

    Examples
    --------
    >>> pvalues = np.full((4, 5), 0.6)
    >>> pvalues[1:3, 2:] = 0.05
    >>> scan_seeds(pvalues, [3, 4]).images
    array([1, 2])
    """
    checked = [whole_number(seed, "seeds") for seed in seeds]
    if not checked:
        raise ValueError("seeds must hold at least one seed; got none")
    matrix = pvalue_matrix(pvalues, "pvalues")
    scans = fan_out(
        _scan_seed,
        checked,
        shared=[
            matrix,
            {
                "statistic": statistic,
                "alpha_max": alpha_max,
                "n_restarts": n_restarts,
                "max_images": max_images,
                "max_nodes": max_nodes,
                "engine": engine,
            },
        ],
        n_workers=n_workers,
        cluster=cluster,
        progress=progress,
        message="scanning from seeds",
    )
    return max(scans, key=lambda scan: scan.score)


def scan_image_blocks(
    pvalues: ArrayLike | RankedPvalues,
    *,
    statistic: str = "berk_jones",
    alpha_max: float = 0.5,
    block_size: int = 256,
    n_workers: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> ImageScan:
    """Individual scans of many images, block by block.

    Parameters
    ----------
    pvalues : array_like or RankedPvalues, (M, J)
        As for :func:`scanning.scan_images`, and `statistic` and `alpha_max` too.
    block_size : int
        Images in one task.
    n_workers, cluster, progress
        As for :func:`fan_out`.

    Returns
    -------
    ImageScan
        Equal to that of ``scan_images(pvalues, statistic, alpha_max)``.

    Raises
    ------
    ValueError
        As :func:`scanning.scan_images` and :func:`fan_out`.

    Notes
    -----
    Exact. Worth its sorting of the p-values (O(J·log J) per image, for `n_thresholds`) only
    where workers share it.

    Examples
    --------
    >>> scan_image_blocks([[0.01, 0.02, 0.9, 0.4], [0.8, 0.7, 0.9, 0.6]]).sizes
    array([2, 0])
    """
    block_size = whole_number(block_size, "block_size", minimum=1)
    alpha_max = proportion(alpha_max, "alpha_max")
    matrix = pvalue_matrix(pvalues, "pvalues")
    edges = [*range(0, len(matrix), block_size), len(matrix)]
    found = fan_out(
        _scan_block,
        list(pairwise(edges)),
        shared=[matrix, statistic, alpha_max],
        n_workers=n_workers,
        cluster=cluster,
        progress=progress,
        message="scanning images",
    )
    scans = [scan for scan, _ in found]
    thresholds = np.unique(np.concatenate([levels for _, levels in found]))
    return replace(
        scans[0],
        scores=np.concatenate([scan.scores for scan in scans]),
        sizes=np.concatenate([scan.sizes for scan in scans]),
        alphas=np.concatenate([scan.alphas for scan in scans]),
        n_thresholds=len(thresholds),
        _members=np.concatenate([scan._members for scan in scans]),
    )


@dataclass(frozen=True, eq=False)
class LayerScan:
    """Both scans of one layer.

    Attributes
    ----------
    images : ImageScan
    group : GroupScan
    """

    images: ImageScan
    group: GroupScan


def scan_layers(
    pvalues: Mapping[str, ArrayLike | RankedPvalues],
    *,
    statistic: str = "berk_jones",
    alpha_max: float = 0.5,
    n_restarts: int = 10,
    max_images: int | None = None,
    max_nodes: int | None = None,
    engine: str = "numba",
    seed: int = 0,
    n_workers: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> dict[str, LayerScan]:
    """Individual scans and the group scan of several layers.

    Parameters
    ----------
    pvalues : mapping of str to array_like or RankedPvalues, (M, J)
        p-values of each layer; M and J may differ between layers.
    statistic, alpha_max, n_restarts, max_images, max_nodes, engine, seed
        As for :func:`scanning.scan_group`, the same for each layer.
    n_workers, cluster, progress
        As for :func:`fan_out`.

    Returns
    -------
    dict of str to LayerScan
        Of each layer what :func:`scanning.scan_images` and :func:`scanning.scan_group` return,
        in the order given.

    Raises
    ------
    ValueError
        As the scans and :func:`fan_out`; also if there are no layers.

    Notes
    -----
    One task per layer and kind of scan; every worker receives the p-values of all layers.

    Examples
    --------
    >>> found = scan_layers({"pixels": [[0.9, 0.8]], "first": [[0.01, 0.9]]})
    >>> {layer: scan.group.size for layer, scan in found.items()}
    {'pixels': 0, 'first': 1}
    """
    matrices = {
        layer: pvalue_matrix(values, f"pvalues[{layer!r}]") for layer, values in pvalues.items()
    }
    if not matrices:
        raise ValueError("pvalues must hold at least one layer; got none")
    group = {
        "statistic": statistic,
        "alpha_max": alpha_max,
        "n_restarts": n_restarts,
        "max_images": max_images,
        "max_nodes": max_nodes,
        "engine": engine,
        "seed": seed,
    }
    found = fan_out(
        _scan_layer,
        [(position, kind) for position in range(len(matrices)) for kind in ("images", "group")],
        shared=[group, *matrices.values()],
        n_workers=n_workers,
        cluster=cluster,
        progress=progress,
        message="scanning layers",
    )
    return {
        layer: LayerScan(images, scan)
        for layer, images, scan in zip(matrices, found[::2], found[1::2], strict=True)
    }


def pvalue_matrix(values: ArrayLike | RankedPvalues, name: str) -> PValueMatrix:
    """p-values, checked before they travel: ranked ones, or numbers in (0, 1]."""
    if isinstance(values, RankedPvalues):
        return values
    matrix = real_matrix(values, name, ("images", "nodes"))
    if not (float(matrix.min()) > 0.0 and float(matrix.max()) <= 1.0):  # NaN fails as well
        i, j = np.argwhere(~((matrix > 0.0) & (matrix <= 1.0)))[0]
        raise ValueError(f"{name} must be in (0, 1]; got {matrix[i, j]} at image {i}, node {j}")
    return matrix


def take_images(pvalues: PValueMatrix, chosen: NDArray[np.int64]) -> PValueMatrix:
    """The chosen rows."""
    return pvalues.images(chosen) if isinstance(pvalues, RankedPvalues) else pvalues[chosen]


def join_images(first: PValueMatrix, second: PValueMatrix) -> PValueMatrix:
    """The images of both, ranked where both are against backgrounds of one size."""
    if (
        isinstance(first, RankedPvalues)
        and isinstance(second, RankedPvalues)
        and first.n_background == second.n_background
    ):
        numbers = np.concatenate([first.numbers, second.numbers])
        return RankedPvalues(numbers, first.n_background)
    return np.concatenate([as_floats(first), as_floats(second)])


def as_floats(pvalues: PValueMatrix) -> NDArray[np.floating[Any]]:
    """p-values as floating-point numbers."""
    return pvalues.pvalues() if isinstance(pvalues, RankedPvalues) else pvalues


def _scan_seed(seed: int, matrix: PValueMatrix, search: dict[str, Any]) -> GroupScan:
    return scan_group(matrix, **search, seed=seed)


def _scan_block(
    block: tuple[int, int], matrix: PValueMatrix, statistic: str, alpha_max: float
) -> tuple[ImageScan, NDArray[np.float64]]:
    rows = take_images(matrix, np.arange(*block))
    levels = as_floats(rows)
    return scan_images(rows, statistic, alpha_max), np.unique(
        levels[levels <= in_precision(alpha_max, levels.dtype)]
    ).astype(np.float64)


def _scan_layer(task: tuple[int, str], group: dict[str, Any], *matrices: PValueMatrix) -> Any:
    position, kind = task
    if kind == "images":
        return scan_images(matrices[position], group["statistic"], group["alpha_max"])
    return scan_group(matrices[position], **group)


def _in_processes(
    function: Callable[..., Result],
    items: Sequence[Item],
    shared: Sequence[Any],
    n_workers: int,
    done: Callable[[int], None],
) -> list[Result]:
    import joblib  # type: ignore[import-untyped]

    # joblib writes each large array to a file once, which all processes map.
    parallel = joblib.Parallel(n_jobs=min(n_workers, len(items)), return_as="generator")
    results = []
    for result in parallel(joblib.delayed(function)(item, *shared) for item in items):
        results.append(result)
        done(len(results))
    return results


def _run_batch(
    function: Callable[..., Result], batch: Sequence[Item], *shared: Any
) -> list[Result]:
    return [function(item, *shared) for item in batch]


def _on_cluster(
    function: Callable[..., Result],
    items: Sequence[Item],
    shared: Sequence[Any],
    address: str,
    done: Callable[[int], None],
) -> list[Result]:
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
            held = client.scatter(list(shared), broadcast=True, hash=False) if shared else []
            waiting = {
                client.submit(_run_batch, function, batch, *held, pure=False): number
                for number, batch in enumerate(batches)
                if number not in finished
            }
            try:
                for future in distributed.as_completed(waiting, client.loop):
                    finished[waiting[future]] = future.result()
                    done(sum(map(len, finished.values())))
                break
            except CancelledError:
                if attempt == MAX_ATTEMPTS:
                    raise
    return list(chain.from_iterable(finished[number] for number in range(len(batches))))
