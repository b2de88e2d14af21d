"""The command line: activations in files in, JSON or tables out.

    python -m scanning fit background.npz --output fitted.safetensors
    python -m scanning scan test.npz --background fitted.safetensors
    python -m scanning calibrate test.npz --background fitted.safetensors --normal held_out.npz
    python -m scanning detect creative.npz --background fitted.safetensors --normal held_out.npz \
        --group-size 50
    python -m scanning info test.npz fitted.safetensors

A file holds one array (``.npy``) or one per layer (``.npz``, ``.safetensors``); images come
first, and what follows is flattened to nodes in C order. Nothing is ever unpickled. Results go
to standard output, progress to standard error. Exit code 0, or 2 after one line of error.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from scanning.calibration import NULLS, calibrate_group, calibrate_images
from scanning.cluster import scan_layers
from scanning.detection import detect_groups, detect_images, node_overlap
from scanning.group import ENGINES
from scanning.individual import scan_images
from scanning.pvalues import TAILS, Background, RankedPvalues
from scanning.results import ImageScan
from scanning.statistics import STATISTICS

SUFFIXES = (".npy", ".npz", ".safetensors")
ONLY_LAYER = "activations"  # the name of the array of a .npy file
FITTED = "background:"  # before the name of a layer in a fitted background


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Returns
    -------
    int
        Exit code: 0, or 2 where the input was refused.
    """
    options = _parser().parse_args(arguments)
    try:
        report, table = options.run(options)
    except (ValueError, OSError, ImportError) as error:
        line = " ".join(str(error).split())
        sys.stderr.write(f"python -m scanning {options.command}: {line}\n")
        return 2
    if options.format == "json":
        json.dump(_plain(report), sys.stdout, allow_nan=False)
        sys.stdout.write("\n")
    else:
        sys.stdout.write("\n".join(table) + "\n")
    return 0


def fit(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Write the sorted activations of each node, which is all that a background needs."""
    output = Path(options.output)
    if output.suffix not in SUFFIXES[1:]:
        raise ValueError(f"output must end in .npz or .safetensors; got {options.output}")
    fitted = {}
    for layer in _common_layers(options.activations, options.layer):
        parts = [_nodes(_read(path, layer), path) for path in options.activations]
        widths = {part.shape[1] for part in parts}
        if len(widths) > 1:
            raise ValueError(
                f"activations of layer {layer} must have the same nodes; got {sorted(widths)}"
            )
        activations = np.concatenate(parts)
        try:
            Background.fit(activations)
        except ValueError as error:
            raise ValueError(f"layer {layer}: {error}") from None
        fitted[layer] = np.sort(activations, axis=0)
    arrays = {f"{FITTED}{layer}": values for layer, values in fitted.items()}
    if output.suffix == ".npz":
        np.savez(output, **arrays)  # type: ignore[arg-type]
    else:
        from safetensors.numpy import save_file

        save_file(arrays, output)
    rows = [(layer, *values.shape) for layer, values in fitted.items()]
    report = {
        "output": str(output),
        "layers": {name: {"n_background": b, "n_nodes": j} for name, b, j in rows},
    }
    return report, _table(("layer", "background images", "nodes"), rows)


def scan(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Individual scans and the group scan of each layer."""
    pvalues = _pvalues(options, options.test)
    found = scan_layers(
        {layer: matrix for layer, (matrix, _) in pvalues.items()},
        **_search(options),
        **_workers(options),
    )
    report: dict[str, Any] = {"tail": options.tail, "layers": {}}
    lines: list[str] = []
    for layer, both in found.items():
        images = _image_scan(both.images)
        if options.nodes:
            images["nodes"] = [both.images.nodes(i).tolist() for i in range(len(both.images))]
        report["layers"][layer] = {
            "n_images": len(both.images),
            "n_nodes": both.images.n_nodes,
            "group": both.group.to_dict(),
            "images": images,
        }
        lines += [
            f"{layer}: group score {both.group.score:.4f} at alpha {both.group.alpha:.4g}, "
            f"{len(both.group.images)} of {len(both.images)} images × "
            f"{len(both.group.nodes)} of {both.images.n_nodes} nodes",
            *_table(
                ("image", "score", "size", "alpha", "in group"),
                [
                    (i, score, size, alpha, "yes" if i in members else "no")
                    for members in [set(both.group.images.tolist())]
                    for i, (score, size, alpha) in enumerate(
                        zip(both.images.scores, both.images.sizes, both.images.alphas, strict=True)
                    )
                ],
            ),
            "",
        ]
    return report, lines[:-1]


def calibrate(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """p-values of both kinds of scan, from held-out normal images."""
    test, normal = _pvalues(options, options.test), _pvalues(options, options.normal)
    report: dict[str, Any] = {"tail": options.tail, "layers": {}}
    lines: list[str] = []
    for layer, (matrix, _) in test.items():
        group = calibrate_group(
            normal[layer][0],
            matrix,
            n_replicates=options.replicates,
            null=options.null,
            confidence=options.confidence,
            **_search(options),
            **_workers(options),
        )
        images = calibrate_images(
            normal[layer][0],
            matrix,
            statistic=options.statistic,
            alpha_max=options.alpha_max,
            confidence=options.confidence,
        )
        report["layers"][layer] = {"group": group.to_dict(), "images": images.to_dict()}
        low, high = group.interval
        lines += [
            f"{layer}: group score {group.score:.4f}, p = {group.pvalue:.4g} "
            f"({options.confidence:.0%} interval {low:.4g} to {high:.4g}), "
            f"{len(group.null_scores)} null groups of {group.group_size}",
            *_table(
                ("image", "score", "p", "low", "high"),
                [
                    (i, score, p, *interval)
                    for i, (score, p, interval) in enumerate(
                        zip(images.scores, images.pvalues, images.intervals, strict=True)
                    )
                ],
            ),
            "",
        ]
    return report, lines[:-1]


def detect(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Detection power, and whether the nodes of creative images differ from those of normal."""
    creative, normal = _pvalues(options, options.creative), _pvalues(options, options.normal)
    shared = {
        "true_nodes": _true_nodes(options.true_nodes),
        "n_bootstrap": options.bootstrap,
        "confidence": options.confidence,
    }
    search = _search(options)
    report: dict[str, Any] = {"tail": options.tail, "layers": {}}
    lines: list[str] = []
    for layer, (matrix, shape) in creative.items():
        groups = detect_groups(
            normal[layer][0],
            matrix,
            group_size=options.group_size,
            share=options.share,
            n_replicates=options.replicates,
            **shared,
            **search,
            **_workers(options),
        )
        individual = {name: search[name] for name in ("statistic", "alpha_max", "seed")}
        images = detect_images(normal[layer][0], matrix, **shared, **individual)
        del individual["seed"]
        of_creative, of_normal = (
            scan_images(values, **individual) for values in (matrix, normal[layer][0])
        )
        overlap = node_overlap(
            [of_creative.nodes(i) for i in range(len(of_creative))],
            [of_normal.nodes(i) for i in range(len(of_normal))],
            of_creative.n_nodes,
            shape,
            seed=options.seed,
        )
        found = {
            "groups": groups.to_dict(),
            "images": images.to_dict(),
            "overlap": overlap.to_dict(),
        }
        report["layers"][layer] = found
        rows = [
            (f"{kind} {name}", *(value[part] for part in ("value", "low", "high", "n")))
            for kind in ("groups", "images")
            for name, value in found[kind].items()
            if isinstance(value, dict)
        ]
        lines += [
            f"{layer}: {groups.n_creative} creative of {groups.group_size} images in a group",
            *_table(("measure", "value", "low", "high", "n"), rows),
            f"nodes of creative and normal images: Jaccard {overlap.jaccard_between:.4f} between, "
            f"{overlap.jaccard_a:.4f} and {overlap.jaccard_b:.4f} within, p = {overlap.pvalue:.4g}",
            "",
        ]
    return report, lines[:-1]


def info(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """What the files hold."""
    report: dict[str, Any] = {"files": {}}
    rows = []
    for path in options.files:
        arrays = {}
        for name in _names(path):
            array = _read(path, name)
            n_bad = 0
            if array.dtype.kind == "f":
                n_bad = array.size - int(np.isfinite(array).sum())
            arrays[name] = {
                "kind": "background" if name.startswith(FITTED) else "activations",
                "shape": list(array.shape),
                "dtype": str(array.dtype),
                "n_not_finite": n_bad,
            }
            rows.append((path, name, "×".join(map(str, array.shape)), array.dtype, n_bad))
        report["files"][path] = arrays
    return report, _table(("file", "array", "shape", "type", "not finite"), rows)


class _Parser(argparse.ArgumentParser):
    """Refuses bad options in one line, as everything else is refused."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m scanning",
        description="Subset scanning of activations in .npy, .npz or .safetensors files.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    output = _Parser(add_help=False)
    output.add_argument("--format", choices=("table", "json"), default="table")
    layers = _Parser(add_help=False)
    layers.add_argument(
        "--layer", action="append", help="a layer to use; may be repeated (default: all shared)"
    )
    search = _Parser(add_help=False)
    search.add_argument("--background", required=True, metavar="FILE", help="written by fit")
    search.add_argument("--tail", choices=TAILS, default="upper")
    search.add_argument("--statistic", choices=tuple(STATISTICS), default="berk_jones")
    search.add_argument("--alpha-max", type=float, default=0.5)
    search.add_argument("--restarts", type=int, default=10, help="random starts of a group scan")
    search.add_argument("--max-images", type=int, help="largest subset of images")
    search.add_argument("--max-nodes", type=int, help="largest subset of nodes")
    search.add_argument("--engine", choices=ENGINES, default="numba", help="of the group scan")
    search.add_argument("--seed", type=int, default=0)
    search.add_argument("--workers", type=int, default=1, help="local processes")
    search.add_argument("--cluster", metavar="tcp://…", help="a Dask scheduler to run on")
    search.add_argument("--quiet", action="store_true", help="no progress on standard error")
    normal = _Parser(add_help=False)
    normal.add_argument(
        "--normal", required=True, metavar="FILE", help="normal images outside the background"
    )
    normal.add_argument("--confidence", type=float, default=0.95)

    command = commands.add_parser("fit", parents=[output, layers], help=fit.__doc__)
    command.add_argument("activations", nargs="+", metavar="FILE", help="images are put together")
    command.add_argument("--output", required=True, metavar="FILE", help=".npz or .safetensors")
    command.set_defaults(run=fit)

    command = commands.add_parser("scan", parents=[output, layers, search], help=scan.__doc__)
    command.add_argument("test", metavar="FILE", help="activations of the images to scan")
    command.add_argument("--nodes", action="store_true", help="each image's nodes, in JSON")
    command.set_defaults(run=scan)

    command = commands.add_parser(
        "calibrate", parents=[output, layers, search, normal], help=calibrate.__doc__
    )
    command.add_argument("test", metavar="FILE", help="activations of the images in question")
    command.add_argument("--replicates", type=int, default=999, help="null groups")
    command.add_argument("--null", choices=NULLS, default="held-out")
    command.set_defaults(run=calibrate)

    command = commands.add_parser(
        "detect", parents=[output, layers, search, normal], help=detect.__doc__
    )
    command.add_argument("creative", metavar="FILE", help="activations of creative images")
    command.add_argument("--group-size", type=int, required=True)
    command.add_argument("--share", type=float, default=0.2, help="creative images in a group")
    command.add_argument("--replicates", type=int, default=100, help="groups of either kind")
    command.add_argument("--bootstrap", type=int, default=999, help="resamples")
    command.add_argument(
        "--true-nodes", metavar="FILE", help=".npy of node indices, or a mask (images, nodes)"
    )
    command.set_defaults(run=detect)

    command = commands.add_parser("info", parents=[output], help=info.__doc__)
    command.add_argument("files", nargs="+", metavar="FILE")
    command.set_defaults(run=info)
    return parser


def _search(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "statistic": options.statistic,
        "alpha_max": options.alpha_max,
        "n_restarts": options.restarts,
        "max_images": options.max_images,
        "max_nodes": options.max_nodes,
        "engine": options.engine,
        "seed": options.seed,
    }


def _workers(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "n_workers": options.workers,
        "cluster": options.cluster,
        "progress": None if options.quiet else _show_progress,
    }


def _show_progress(done: int, total: int, message: str) -> None:
    """Over and over on one line of a terminal; ten lines in a log."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{message} {done}/{total}" + ("\n" if done == total else ""))
    elif done * 10 // total > (done - 1) * 10 // total:
        sys.stderr.write(f"{message} {done}/{total}\n")


def _pvalues(
    options: argparse.Namespace, path: str
) -> dict[str, tuple[RankedPvalues, tuple[int, ...]]]:
    """p-values of the file's layers that the background knows, and each layer's shape."""
    fitted = [name for name in _names(options.background) if name.startswith(FITTED)]
    if not fitted:
        raise ValueError(
            f"background must be a file written by fit; {options.background} holds no background"
        )
    known = [name.removeprefix(FITTED) for name in fitted]
    files = [path, getattr(options, "normal", path)]
    found = {}
    for layer in _common_layers(files, options.layer, of_background=known):
        activations = _read(path, layer)
        try:
            background = Background.fit(_read(options.background, f"{FITTED}{layer}"))
            ranked = background.ranks(_nodes(activations, path), options.tail)
        except ValueError as error:
            raise ValueError(f"{path}, layer {layer}: {error}") from None
        found[layer] = ranked, activations.shape[1:]
    return found


def _common_layers(
    paths: Iterable[str], wanted: list[str] | None, of_background: list[str] | None = None
) -> list[str]:
    """The wanted layers, or all that every file holds, in the order of the first."""
    held = [_names(path) for path in paths]
    if of_background is not None:
        held.append(of_background)
    shared = [layer for layer in held[0] if all(layer in names for names in held)]
    for layer in wanted or []:
        if layer not in shared:
            raise ValueError(f"layer must be in every file; {layer!r} is not, {shared} are")
    if not shared:
        raise ValueError(f"the files must share a layer; they hold {held}")
    return wanted or shared


def _names(path: str) -> list[str]:
    """Names of the arrays in a file."""
    suffix = Path(path).suffix
    if suffix not in SUFFIXES:
        raise ValueError(f"files must end in {', '.join(SUFFIXES)}; got {path}")
    if suffix == ".npy":
        return [ONLY_LAYER]
    if suffix == ".npz":
        try:
            with np.load(path, allow_pickle=False) as archive:
                return list(archive.files)
        except (ValueError, BadZipFile, EOFError, AttributeError, TypeError) as error:
            raise ValueError(f"{path} must be an .npz file; {error}") from None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as archive:
            return list(archive.keys())
    except SafetensorError as error:
        raise ValueError(f"{path} must be a .safetensors file; {error}") from None


def _read(path: str, name: str) -> NDArray[Any]:
    """One array; a .npy file is mapped, not read."""
    suffix = Path(path).suffix
    try:
        if suffix == ".npy":
            return np.load(path, mmap_mode="r", allow_pickle=False)
        if suffix == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                return archive[name]
    except (ValueError, BadZipFile, EOFError) as error:
        raise ValueError(f"{path} must hold plain arrays; {error}") from None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as archive:
            return archive.get_tensor(name)
    except (SafetensorError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} must hold arrays of NumPy's types; {error}") from None


def _nodes(array: NDArray[Any], path: str) -> NDArray[Any]:
    """Images × nodes."""
    if array.ndim < 2 or array.size == 0:
        raise ValueError(f"{path} must hold images × nodes; got an array of shape {array.shape}")
    return array.reshape(len(array), -1)


def _true_nodes(path: str | None) -> NDArray[Any] | None:
    if path is None:
        return None
    if Path(path).suffix != ".npy":
        raise ValueError(f"true-nodes must end in .npy; got {path}")
    return _read(path, ONLY_LAYER)


def _image_scan(scan: ImageScan) -> dict[str, Any]:
    return {name: value for name, value in vars(scan).items() if not name.startswith("_")}


def _plain(value: Any) -> Any:
    """What JSON knows; NaN and infinity, which it does not, become null."""
    if isinstance(value, dict):
        return {name: _plain(held) for name, held in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(held) for held in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Columns as wide as their widest cell, the first to the left."""
    cells = [list(header)] + [
        [f"{value:.4g}" if isinstance(value, float) else str(value) for value in row]
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
