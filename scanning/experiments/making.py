"""Data, models and images of a cell, from their seeds; what the next cell needs too is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scanning.experiments.measures import derived_seed
from scanning.experiments.settings import ARCHITECTURES, LAYERS
from scanning.experiments.store import Cell, Store
from scanning.generative.datasets import ImageData
from scanning.generative.decoding_names import decoding_parameters
from scanning.generative.sources import load_named, load_pictures
from scanning.pvalues import Background, RankedPvalues

N_ACTIVITY = 2_000  # training images, or latents, that say which nodes are usually quiet


def load_source(source: dict[str, Any], cache: Path, n_train: int, size: int) -> ImageData:
    """A data set by where it is: `name`, and `place` where it is not bundled."""
    if source["name"] == "pictures":
        data = load_pictures(source["place"], size=size, cache=cache)
    else:
        data = load_named(source["name"], folder=source["place"])
    if len(data) <= n_train:
        return data
    # Evenly over the set, so that both halves of a combination are there.
    chosen = np.linspace(0, len(data) - 1, n_train).round().astype(int)
    labels = None if data.labels is None else data.labels[chosen]
    words = f"{n_train:,} of {data.description}"
    return ImageData(data.images[chosen], labels, data.name, words, data.licence)


@lru_cache(maxsize=1)
def _training_data(folder: Path, place: str, name: str, n_train: int, size: int) -> ImageData:
    source = {"name": name, "place": place or None}
    return load_source(source, folder / "cache", n_train, size)


def training_data(store: Store, data: str) -> ImageData:
    """The images that the data set's models are trained on."""
    place = store.sources[data]["place"]
    sizes = store.sizes
    return _training_data(
        store.folder, str(place or ""), data, sizes["n_train"], sizes["picture_size"]
    )


def model_file(store: Store, data: str, seed: int) -> Path:
    """Weights of a model, beside its cell's result."""
    name = store.path(Cell("model", data, seed)).stem
    return store.folder / "models" / f"{name}.safetensors"


@dataclass(frozen=True, eq=False)
class Bench:
    """A trained model with its background and normal images.

    Attributes
    ----------
    model : ConvVAE or ConvGenerator
    layers : tuple of str
        Those that are scanned, pixels last.
    shapes : dict of str to tuple of int
    backgrounds : dict of str to Background
    normal : dict of str to RankedPvalues
        Upper tail.
    normal_images : ndarray of uint8
    normal_activations : dict of str to ndarray of float32
    """

    model: Any
    layers: tuple[str, ...]
    shapes: dict[str, tuple[int, ...]]
    backgrounds: dict[str, Background]
    normal: dict[str, RankedPvalues]
    normal_images: NDArray[np.uint8]
    normal_activations: dict[str, NDArray[np.float32]]


def bench(store: Store, data: str, seed: int) -> Bench:
    """The model of this seed with what all its decodings are compared with."""
    return _bench(
        str(model_file(store, data, seed)),
        data,
        seed,
        store.sizes["n_background"],
        store.sizes["n_test"],
    )


@lru_cache(maxsize=1)
def _bench(path: str, data: str, seed: int, n_background: int, n_test: int) -> Bench:
    from scanning.generative import load_model

    model = load_model(path)
    layers = LAYERS[ARCHITECTURES[data]]
    reference = normal_images(model, n_background, layers, data, seed, "background")
    backgrounds = {}
    for layer in layers:
        backgrounds[layer] = Background.fit(reference.activations.pop(layer))
    made = normal_images(model, n_test, layers, data, seed, "normal")
    ranked = {layer: backgrounds[layer].ranks(made.activations[layer]) for layer in layers}
    shapes = model.layer_shapes()
    return Bench(model, layers, shapes, backgrounds, ranked, made.images, made.activations)


def normal_images(
    model: Any, n: int, layers: Sequence[str], data: str, seed: int, role: str
) -> Any:
    """Normally generated images for a role; each role draws latents of its own."""
    from scanning.generative import generate

    return generate(model, n, seed=derived_seed(data, seed, role), layers=layers)


def creative_images(
    store: Store, held: Bench, cell: Cell, decoding: dict[str, Any], n: int | None = None
) -> Any:
    """Images of the cell's model, decoded creatively."""
    from scanning.generative import CreativeDecoding, fit_activity, generate, prior_activity

    layer = decoding["layer"]
    n_nodes = int(np.prod(held.shapes[layer]))
    creative = CreativeDecoding(**decoding_parameters(n_nodes=n_nodes, **decoding))
    activity = None
    if decoding["process"] in ("low_active", "correlated"):
        if ARCHITECTURES[cell.data] == "vae":
            images = training_data(store, cell.data).images
            evenly = np.linspace(0, len(images) - 1, min(N_ACTIVITY, len(images))).astype(int)
            activity = fit_activity(held.model, images[evenly], layer)
        else:
            role = derived_seed(cell.data, cell.seed, "activity")
            activity = prior_activity(held.model, layer, n=N_ACTIVITY, seed=role)
    return generate(
        held.model,
        n or store.sizes["n_test"],
        # The latents are those of no normal image; each process has the same ones.
        seed=derived_seed(cell.data, cell.seed, "creative"),
        layers=held.layers,
        creative=creative,
        activity=activity,
    )
