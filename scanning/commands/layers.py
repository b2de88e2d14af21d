"""The layers of files, and their p-values against a fitted background."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from scanning.commands.files import names, nodes, read
from scanning.pvalues import Background, RankedPvalues

FITTED = "background:"  # before the name of a layer in a fitted background


def layer_pvalues(
    options: argparse.Namespace, path: str
) -> dict[str, tuple[RankedPvalues, tuple[int, ...]]]:
    """p-values of the file's layers that the background knows, and each layer's shape."""
    fitted = [name for name in names(options.background) if name.startswith(FITTED)]
    if not fitted:
        raise ValueError(
            f"background must be a file written by fit; {options.background} holds no background"
        )
    known = [name.removeprefix(FITTED) for name in fitted]
    normal = getattr(options, "normal", None)
    tested = vars(options).get("test", vars(options).get("creative", path))
    if normal is not None and Path(normal).resolve() == Path(tested).resolve():
        raise ValueError(f"normal must hold other images than those tested; both are {normal}")
    files = [path, normal or path]
    found = {}
    for layer in common_layers(files, options.layer, of_background=known):
        activations = read(path, layer)
        try:
            background = Background.fit(read(options.background, f"{FITTED}{layer}"))
            ranked = background.ranks(nodes(activations, path), options.tail)
        except ValueError as error:
            raise ValueError(f"{path}, layer {layer}: {error}") from None
        found[layer] = ranked, activations.shape[1:]
    return found


def common_layers(
    paths: Iterable[str], wanted: list[str] | None, of_background: list[str] | None = None
) -> list[str]:
    """The wanted layers, or all that every file holds, in the order of the first."""
    held = [names(path) for path in paths]
    if of_background is not None:
        held.append(of_background)
    shared = [layer for layer in held[0] if all(layer in inside for inside in held)]
    for layer in wanted or []:
        if layer not in shared:
            raise ValueError(f"layer must be in every file; {layer!r} is not, {shared} are")
    if not shared:
        raise ValueError(f"the files must share a layer; they hold {held}")
    return wanted or shared
