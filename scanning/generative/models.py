"""A convolutional variational autoencoder whose decoder layers have names."""

from collections import OrderedDict
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import torch
from torch import nn

from scanning._validation import whole_number


class Decoder(Protocol):
    """A model that makes images of latents by a chain of named layers.

    `decoder` is an ``nn.Sequential`` whose last child is ``pixels`` and puts out images in
    [0, 1]; every child before it is a hidden layer ``decoder.<name>`` that ends with a ReLU.
    """

    @property
    def decoder(self) -> nn.Sequential: ...

    @property
    def latent_dim(self) -> int: ...

    def layer_shapes(self) -> dict[str, tuple[int, ...]]: ...


@dataclass(frozen=True)
class ConvVAEConfig:
    """Shape of a :class:`ConvVAE`.

    Attributes
    ----------
    latent_dim : int
    channels : int
        1 for grey images, 3 for colour.
    image_size : int
        Height and width in pixels, a multiple of 4.
    dense_width : int
        Nodes of the first decoder layer (and of the last hidden encoder layer).
    conv_widths : (int, int)
        Channels of the decoder's maps at a quarter and at half of the image's size.
    """

    latent_dim: int = 32
    channels: int = 1
    image_size: int = 28
    dense_width: int = 256
    conv_widths: tuple[int, int] = (64, 32)

    def __post_init__(self) -> None:
        for name in ("latent_dim", "dense_width"):
            whole_number(getattr(self, name), name, minimum=1)
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3; got {self.channels!r}")
        whole_number(self.image_size, "image_size", minimum=4)
        if self.image_size % 4:
            raise ValueError(f"image_size must be a multiple of 4; got {self.image_size}")
        if len(self.conv_widths) != 2:
            raise ValueError(f"conv_widths must be two numbers; got {self.conv_widths!r}")
        for width in self.conv_widths:
            whole_number(width, "conv_widths", minimum=1)

    def to_dict(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return asdict(self) | {"conv_widths": list(self.conv_widths)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ConvVAEConfig":
        """The inverse of :meth:`to_dict`."""
        return cls(**(values | {"conv_widths": tuple(values["conv_widths"])}))

    def build(self) -> "ConvVAE":
        """A model of this shape, untrained."""
        return ConvVAE(self)


class ConvVAE(nn.Module):
    """Variational autoencoder for small square images.

    The decoder is a chain of named layers, each ending with its nonlinearity: ``dense1``
    (dense_width), ``dense2`` (a map at a quarter of the image's size), ``conv1`` (a map at
    half of it) and ``pixels`` (the image, in [0, 1]).
    """

    def __init__(self, config: ConvVAEConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ConvVAEConfig()
        deep, shallow = config.conv_widths
        quarter = config.image_size // 4
        # Half the decoder's width: the encoder is not scanned, and this trains a third faster.
        first, second = max(1, shallow // 2), max(1, deep // 2)
        self.encoder = nn.Sequential(
            nn.Conv2d(config.channels, first, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(first, second, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(second * quarter**2, config.dense_width),
            nn.ReLU(),
            nn.Linear(config.dense_width, 2 * config.latent_dim),
        )
        self.decoder = nn.Sequential(
            OrderedDict(
                dense1=nn.Sequential(nn.Linear(config.latent_dim, config.dense_width), nn.ReLU()),
                dense2=nn.Sequential(
                    nn.Linear(config.dense_width, deep * quarter**2),
                    nn.ReLU(),
                    nn.Unflatten(1, (deep, quarter, quarter)),
                ),
                conv1=nn.Sequential(
                    nn.ConvTranspose2d(deep, shallow, 4, stride=2, padding=1), nn.ReLU()
                ),
                pixels=nn.Sequential(
                    nn.ConvTranspose2d(shallow, config.channels, 4, stride=2, padding=1),
                    nn.Sigmoid(),
                ),
            )
        )

    def encode(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log-variance of the latents, each (n, latent_dim), of images (n, C, H, W)."""
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        return mean, log_variance

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Images (n, C, H, W) in [0, 1] of latents (n, latent_dim)."""
        images: torch.Tensor = self.decoder(latents)
        return images

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images decoded from the mean of their latents."""
        return self.decode(self.encode(images)[0])

    @property
    def latent_dim(self) -> int:
        """Length of a latent."""
        return self.config.latent_dim

    def layer_shapes(self) -> dict[str, tuple[int, ...]]:
        """See :func:`decoder_layers`."""
        deep, shallow = self.config.conv_widths
        size = self.config.image_size
        return {
            "decoder.dense1": (self.config.dense_width,),
            "decoder.dense2": (deep, size // 4, size // 4),
            "decoder.conv1": (shallow, size // 2, size // 2),
            "pixels": (self.config.channels, size, size),
        }


def decoder_layers(model: Decoder) -> dict[str, tuple[int, ...]]:
    """Layers of the decoder that can be scanned, in order, with the shape of their nodes.

    Examples
    --------
    >>> decoder_layers(ConvVAE())  # doctest: +NORMALIZE_WHITESPACE
    {'decoder.dense1': (256,), 'decoder.dense2': (64, 7, 7), 'decoder.conv1': (32, 14, 14),
     'pixels': (1, 28, 28)}
    """
    return model.layer_shapes()
