"""Independent tasks spread over processes, or over the machines of a Dask cluster.

Every function here returns the same numbers whatever `n_workers` and `cluster` are: what is
random in a task is drawn from the task's own seed, never from the order in which tasks end.
joblib and Dask are imported only when they are used; Dask need not be installed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scanning._matrices import PValueMatrix, pvalue_matrix, take_images
from scanning._ranks import rank_pvalues
from scanning._search import Search
from scanning._validation import whole_number
from scanning._workers import Item, Progress, Result, Workers
from scanning.pvalues import RankedPvalues
from scanning.results import GroupScan, ImageScan


def fan_out(
    function: Callable[..., Result],
    items: Iterable[Item],
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
    items : iterable
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
        If no scheduler answers at `cluster`, or it has no workers or keeps losing them.
    ChildProcessError
        If local processes keep dying, as they do when memory runs out.

    Notes
    -----
    When a local process or a worker of the cluster dies, its tasks are run again in another,
    and what was shared is sent again if no other worker held a copy; the same results come out,
    because tasks depend on their arguments alone. An exception in a task is raised here.

    Examples
    --------
    >>> fan_out(pow, [2, 3], shared=[10])
    [1024, 59049]
    """
    return Workers(n_workers, cluster, progress).map(function, items, shared, message)


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
    if not isinstance(seeds, Iterable):
        raise ValueError(f"seeds must be several whole numbers; got {seeds!r}")
    checked = [whole_number(seed, "seeds") for seed in seeds]
    if not checked:
        raise ValueError("seeds must hold at least one seed; got none")
    search = Search(statistic, alpha_max, n_restarts, max_images, max_nodes, engine)
    workers = Workers(n_workers, cluster, progress)
    scans = workers.map(
        _scan_seed,
        checked,
        [pvalue_matrix(pvalues, "pvalues"), search],
        "scanning from seeds",
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
    Exact. Costs what :func:`scanning.scan_images` costs, and looks at the p-values once more.

    Examples
    --------
    >>> scan_image_blocks([[0.01, 0.02, 0.9, 0.4], [0.8, 0.7, 0.9, 0.6]]).sizes
    array([2, 0])
    """
    block_size = whole_number(block_size, "block_size", minimum=1)
    search = Search(statistic, alpha_max)
    workers = Workers(n_workers, cluster, progress)
    matrix = pvalue_matrix(pvalues, "pvalues")
    edges = [*range(0, len(matrix), block_size), len(matrix)]
    found = workers.map(_scan_block, pairwise(edges), [matrix, search], "scanning images")
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
    search = Search(statistic, alpha_max, n_restarts, max_images, max_nodes, engine, seed)
    workers = Workers(n_workers, cluster, progress)
    if not isinstance(pvalues, Mapping):
        raise ValueError(
            f"pvalues must be a mapping of layer names to p-values; got {type(pvalues).__name__}"
        )
    matrices = {
        layer: pvalue_matrix(values, f"pvalues[{layer!r}]") for layer, values in pvalues.items()
    }
    if not matrices:
        raise ValueError("pvalues must hold at least one layer; got none")
    found = workers.map(
        _scan_layer,
        [(position, kind) for position in range(len(matrices)) for kind in ("images", "group")],
        [search, *matrices.values()],
        "scanning layers",
    )
    return {
        layer: LayerScan(images, scan)
        for layer, images, scan in zip(matrices, found[::2], found[1::2], strict=True)
    }


def _scan_seed(seed: int, matrix: PValueMatrix, search: Search) -> GroupScan:
    return replace(search, seed=seed).group(matrix)


def _scan_block(
    block: tuple[int, int], matrix: PValueMatrix, search: Search
) -> tuple[ImageScan, NDArray[np.float64]]:
    """The scans of these images, and the levels that were tried."""
    rows = take_images(matrix, np.arange(*block))
    return search.images(rows), rank_pvalues(rows, search.alpha_max).alphas


def _scan_layer(task: tuple[int, str], search: Search, *matrices: PValueMatrix) -> Any:
    position, kind = task
    scan = search.images if kind == "images" else search.group
    return scan(matrices[position])
