"""How the nodes of a decoder layer usually behave."""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from scanning._validation import one_of, whole_number
from scanning.generative.models import ConvVAE, Decoder, decoder_layers
from scanning.generative.training import image_tensor

N_CORRELATED = 1_000  # encodings from which correlations are estimated


@dataclass(frozen=True, eq=False)
class LayerActivity:
    """How a layer's nodes behave over training images.

    Attributes
    ----------
    layer : str
    mean : ndarray of float32, (J,)
        Mean activation of each node.
    standardized : ndarray of float32, (n, J)
        Activations of at most 1,000 images, centred and scaled to unit length node by node,
        so that inner products are correlations; 0 for nodes that never change.
    """

    layer: str
    mean: NDArray[np.float32]
    standardized: NDArray[np.float32] = field(repr=False)


def fit_activity(
    model: ConvVAE, images: NDArray[np.uint8], layer: str, *, batch_size: int = 256
) -> LayerActivity:
    """Behaviour of a decoder layer over the encodings of training images.

    Parameters
    ----------
    model : ConvVAE
    images : ndarray of uint8, (n, H, W) or (n, H, W, C)
        Images are encoded to their mean latents, which are decoded.
    layer : str
        A hidden layer of :func:`decoder_layers`.
    batch_size : int

    Returns
    -------
    LayerActivity

    Raises
    ------
    ValueError
        If the layer is unknown, the images do not fit the model, or `batch_size` is not a
        whole number >= 1.
    """
    hidden_layer(model, layer)
    batch_size = whole_number(batch_size, "batch_size", minimum=1)
    data = image_tensor(images)
    expected = decoder_layers(model)["pixels"]
    if data.shape[1:] != expected:
        raise ValueError(
            f"images must have the model's shape {expected}; got {tuple(data.shape[1:])}"
        )

    with torch.no_grad():
        latents = torch.cat([model.encode(b.float() / 255)[0] for b in data.split(batch_size)])
    return _activity(model, latents, layer, batch_size)


def prior_activity(
    model: Decoder, layer: str, *, n: int = 2_000, seed: int = 0, batch_size: int = 256
) -> LayerActivity:
    """Behaviour of a decoder layer over latents drawn from the prior.

    For models that cannot encode, such as a :class:`ConvGenerator`: what they usually do is
    what they do with the latents that they were trained on.

    Parameters
    ----------
    model : Decoder
    layer : str
        A hidden layer of :func:`decoder_layers`.
    n : int
        Latents drawn.
    seed : int
    batch_size : int

    Returns
    -------
    LayerActivity

    Raises
    ------
    ValueError
        If the layer is unknown, or a number is too small.
    """
    hidden_layer(model, layer)
    n = whole_number(n, "n", minimum=1)
    seed = whole_number(seed, "seed")
    batch_size = whole_number(batch_size, "batch_size", minimum=1)
    latents = np.random.default_rng(seed).standard_normal((n, model.latent_dim), dtype=np.float32)
    return _activity(model, torch.from_numpy(latents), layer, batch_size)


def _activity(model: Decoder, latents: torch.Tensor, layer: str, batch_size: int) -> LayerActivity:
    @torch.no_grad()
    def activations(chosen: torch.Tensor) -> NDArray[np.float32]:
        hidden = chosen
        for name, module in model.decoder.named_children():
            hidden = module(hidden)
            if f"decoder.{name}" == layer:
                break
        return hidden.reshape(len(hidden), -1).numpy()

    # In pieces, so that the activations of all images are never held at once.
    total = sum(
        activations(batch).sum(axis=0, dtype=np.float64) for batch in latents.split(batch_size)
    )
    evenly = torch.linspace(0, len(latents) - 1, min(N_CORRELATED, len(latents))).long()
    values = activations(latents[evenly]).copy()
    values -= values.mean(axis=0)
    lengths = np.linalg.norm(values, axis=0)
    standardized = np.divide(values, lengths, out=np.zeros_like(values), where=lengths > 0)
    return LayerActivity(layer, (total / len(latents)).astype(np.float32), standardized)


def hidden_layer(model: Decoder, layer: str) -> tuple[int, ...]:
    """Shape of the layer, if it is one that can be modulated."""
    hidden = {name: shape for name, shape in decoder_layers(model).items() if name != "pixels"}
    one_of(layer, hidden, "layer")
    return hidden[layer]
