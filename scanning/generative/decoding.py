"""Normal and creative decoding of latents drawn from the prior."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from scanning._validation import one_of, proportion, whole_number
from scanning.generative.activity import LayerActivity, hidden_layer
from scanning.generative.models import Decoder, decoder_layers

SELECTIONS = ("low_active", "correlated", "random", "noise")


@dataclass(frozen=True)
class CreativeDecoding:
    """Modulation of one decoder layer, after Das et al. (2020).

    Attributes
    ----------
    layer : str
        A hidden layer of :func:`decoder_layers`.
    selection : {"low_active", "correlated", "random", "noise"}
        Which nodes may be switched on: those with the lowest mean activation over training
        images; those least correlated with the image's strongly active ones; any; or none,
        with Gaussian noise on all nodes instead, as a control.
    pool_fraction : float
        Share of the layer that makes up the pool, for the first two selections.
    n_on : int or (int, int)
        Nodes switched on per image, drawn from the pool; or the range, both ends included,
        from which each image draws its own number.
    scale : float
        A switched-on node gets the image's largest activation in the layer times this.
    switch_off_active : bool
        Set the strongly active nodes to 0 instead of switching the pool's nodes on.
    active_fraction : float
        Share of an image's nodes that counts as strongly active.
    noise_sd : float
        Standard deviation of the noise, in standard deviations of the image's activations.
    """

    layer: str = "decoder.dense1"
    selection: str = "low_active"
    pool_fraction: float = 0.5
    n_on: int | tuple[int, int] = (20, 60)
    scale: float = 1.0
    switch_off_active: bool = False
    active_fraction: float = 0.1
    noise_sd: float = 1.0

    def __post_init__(self) -> None:
        one_of(self.selection, SELECTIONS, "selection")
        proportion(self.pool_fraction, "pool_fraction")
        proportion(self.active_fraction, "active_fraction")
        low, high = self.n_on_range
        whole_number(low, "n_on", minimum=1)
        whole_number(high, "n_on", minimum=low)
        for name in ("scale", "noise_sd"):
            value = getattr(self, name)
            if not 0.0 < value < float("inf"):
                raise ValueError(f"{name} must be positive and finite; got {value}")

    @property
    def n_on_range(self) -> tuple[int, int]:
        """Fewest and most nodes switched on per image."""
        if isinstance(self.n_on, int):
            return self.n_on, self.n_on
        if len(self.n_on) != 2:
            raise ValueError(f"n_on must be a number or a range of two; got {self.n_on!r}")
        return self.n_on[0], self.n_on[1]

    def to_dict(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        n_on = self.n_on if isinstance(self.n_on, int) else list(self.n_on)
        return asdict(self) | {"n_on": n_on}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "CreativeDecoding":
        """The inverse of :meth:`to_dict`."""
        n_on = values.get("n_on", cls.n_on)
        return cls(**(values | {"n_on": n_on if isinstance(n_on, int) else tuple(n_on)}))


@dataclass(frozen=True, eq=False)
class Generated:
    """Images with what produced them.

    Attributes
    ----------
    latents : ndarray of float32, (n, d)
    images : ndarray of uint8, (n, H, W) or (n, H, W, C)
    activations : dict of str to ndarray of float32, (n, J)
        Per layer, after modulation. "pixels" are the images' bytes over 255, flattened
        channel by channel: what a viewer sees, not the numbers before rounding.
    modulated_nodes : tuple of ndarray of int64, or None
        For each image, the sorted nodes that creative decoding set; None for normal decoding.
    creative : CreativeDecoding or None
    seed : int
    """

    latents: NDArray[np.float32]
    images: NDArray[np.uint8]
    activations: dict[str, NDArray[np.float32]]
    modulated_nodes: tuple[NDArray[np.int64], ...] | None
    creative: CreativeDecoding | None
    seed: int

    def __len__(self) -> int:
        return len(self.images)


def generate(
    model: Decoder,
    n: int,
    *,
    seed: int,
    layers: Sequence[str],
    creative: CreativeDecoding | None = None,
    activity: LayerActivity | None = None,
    batch_size: int = 256,
    progress: Callable[[int, int, str], None] | None = None,
) -> Generated:
    """Draw latents from the prior and decode them, normally or creatively.

    Parameters
    ----------
    model : ConvVAE, ConvGenerator or another Decoder
    n : int
        Images to generate.
    seed : int
        Of latents and, apart from them, of each image's modulation: the same seed gives the
        same latents with and without creative decoding.
    layers : sequence of str
        Layers of :func:`decoder_layers` whose activations are kept.
    creative : CreativeDecoding, optional
        Without it, decoding is normal.
    activity : LayerActivity, optional
        From :func:`fit_activity` or :func:`prior_activity` for the modulated layer; needed for
        the selections "low_active" and "correlated".
    batch_size : int
        Changes memory and speed, not what is drawn; a pixel may differ by rounding.
    progress : callable, optional
        Called with (images done, n, message).

    Returns
    -------
    Generated

    Raises
    ------
    ValueError
        If a layer is unknown, the pool holds fewer nodes than are to be switched on, or
        `activity` is missing or of another layer.

    Notes
    -----
    Holds n·J single-precision numbers per layer kept. Das, Quanz, Chen, Ahn & Shah (2020),
    section 3.
    """
    n = whole_number(n, "n", minimum=1)
    seed = whole_number(seed, "seed")
    batch_size = whole_number(batch_size, "batch_size", minimum=1)
    shapes = decoder_layers(model)
    for layer in layers:
        one_of(layer, shapes, "layers")
    modulator = None if creative is None else _Modulator(model, creative, activity, seed)

    latents = np.random.default_rng(seed).standard_normal((n, model.latent_dim), dtype=np.float32)
    channels, size, _ = shapes["pixels"]
    pixels = np.empty((n, channels, size, size), np.uint8)
    kept = {
        layer: np.empty((n, int(np.prod(shapes[layer]))), np.float32)
        for layer in layers
        if layer != "pixels"
    }
    with torch.no_grad():
        for start in range(0, n, batch_size):
            batch = slice(start, min(start + batch_size, n))
            hidden = torch.from_numpy(latents[batch])
            for name, module in model.decoder.named_children():
                hidden = module(hidden)
                layer = f"decoder.{name}"
                if modulator is not None and modulator.layer == layer:
                    hidden = modulator.modulate(hidden, start)
                if layer in kept:
                    kept[layer][batch] = hidden.reshape(len(hidden), -1).numpy()
            pixels[batch] = (hidden * 255).round().to(torch.uint8).numpy()
            if progress is not None:
                progress(batch.stop, n, "generating images")
    if "pixels" in layers:
        kept["pixels"] = pixels.reshape(n, -1).astype(np.float32) / np.float32(255)
    return Generated(
        latents=latents,
        images=pixels[:, 0] if channels == 1 else np.moveaxis(pixels, 1, 3).copy(),
        activations={layer: kept[layer] for layer in layers},
        modulated_nodes=None if modulator is None else tuple(modulator.modulated),
        creative=creative,
        seed=seed,
    )


class _Modulator:
    """Creative decoding of one layer, image by image."""

    def __init__(
        self,
        model: Decoder,
        creative: CreativeDecoding,
        activity: LayerActivity | None,
        seed: int,
    ) -> None:
        shape = hidden_layer(model, creative.layer)
        self.layer = creative.layer
        self.modulated: list[NDArray[np.int64]] = []
        self._creative = creative
        self._seed = seed
        n_nodes = int(np.prod(shape))
        self._n_active = max(1, round(creative.active_fraction * n_nodes))
        self._pool = np.arange(n_nodes)
        self._standardized: NDArray[np.float32] | None = None
        switches_on = creative.selection != "noise" and not creative.switch_off_active
        if not switches_on:
            return
        if creative.selection != "random":
            if activity is None or activity.layer != creative.layer:
                given = "none" if activity is None else f"that of {activity.layer}"
                raise ValueError(
                    f"activity must be that of {creative.layer} for the selection "
                    f"{creative.selection}; got {given}"
                )
            n_pool = max(1, round(creative.pool_fraction * n_nodes))
            if creative.selection == "low_active":
                self._pool = np.argsort(activity.mean, kind="stable")[:n_pool]
            else:
                self._standardized = activity.standardized
                self._pool = self._pool[:n_pool]
        if creative.n_on_range[1] > len(self._pool):
            raise ValueError(
                f"n_on must be at most the {len(self._pool)} nodes of the pool; "
                f"got {creative.n_on_range[1]}"
            )

    def modulate(self, hidden: torch.Tensor, first: int) -> torch.Tensor:
        """The layer's output (batch, ...) for images `first` onwards, with nodes set."""
        values = hidden.reshape(len(hidden), -1).numpy().copy()
        for i, row in enumerate(values):
            # A generator of its own makes each image independent of how they are batched.
            rng = np.random.default_rng((self._seed, first + i))
            self.modulated.append(self._set_nodes(row, rng))
        return torch.from_numpy(values).reshape(hidden.shape)

    def _set_nodes(self, row: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.int64]:
        creative = self._creative
        if creative.selection == "noise":
            noise = rng.standard_normal(row.shape, dtype=np.float32)
            # Still the output of a ReLU: nothing below 0.
            np.maximum(row + creative.noise_sd * row.std() * noise, 0.0, out=row)
            return np.arange(len(row))
        if creative.switch_off_active:
            chosen = np.sort(self._active(row))
            row[chosen] = 0.0
            return chosen
        low, high = creative.n_on_range
        n_on = int(rng.integers(low, high + 1))
        chosen = np.sort(rng.choice(self._pool_of(row), size=n_on, replace=False))
        row[chosen] = row.max() * creative.scale
        return chosen

    def _active(self, row: NDArray[np.float32]) -> NDArray[np.int64]:
        return np.argsort(-row, kind="stable")[: self._n_active]

    def _pool_of(self, row: NDArray[np.float32]) -> NDArray[np.int64]:
        if self._standardized is None:
            return self._pool
        active = self._standardized[:, self._active(row)].mean(axis=1)
        return np.argsort(active @ self._standardized, kind="stable")[: len(self._pool)]
