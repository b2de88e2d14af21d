"""A small generative adversarial network for square pictures, whose layers have names."""

from collections import OrderedDict
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from scanning._validation import whole_number


@dataclass(frozen=True)
class ConvGeneratorConfig:
    """Shape of a :class:`ConvGenerator`.

    Attributes
    ----------
    latent_dim : int
    channels : int
        1 for grey images, 3 for colour.
    image_size : int
        Height and width in pixels: 8, 16, 32, 64 or 128.
    widths : tuple of int
        Channels of the maps of 4 × 4, 8 × 8, … pixels, up to half of the image's size.
    """

    latent_dim: int = 64
    channels: int = 3
    image_size: int = 64
    widths: tuple[int, ...] = (64, 32, 16, 16)

    def __post_init__(self) -> None:
        whole_number(self.latent_dim, "latent_dim", minimum=1)
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3; got {self.channels!r}")
        if self.image_size not in (8, 16, 32, 64, 128):
            raise ValueError(f"image_size must be 8, 16, 32, 64 or 128; got {self.image_size!r}")
        if 4 * 2 ** len(self.widths) != self.image_size:
            raise ValueError(
                f"widths must be one for each map from 4 × 4 up to half of {self.image_size}; "
                f"got {self.widths!r}"
            )
        for width in self.widths:
            whole_number(width, "widths", minimum=1)

    def to_dict(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return asdict(self) | {"widths": list(self.widths)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ConvGeneratorConfig":
        """The inverse of :meth:`to_dict`."""
        return cls(**(values | {"widths": tuple(values["widths"])}))

    def build(self) -> "ConvGenerator":
        """A generator of this shape, untrained."""
        return ConvGenerator(self)


class ConvGenerator(nn.Module):
    """Generator after DCGAN (Radford et al., 2016), enlarging before each convolution.

    The decoder is a chain of named layers: ``dense1`` (a map of 4 × 4), ``conv1``, ``conv2``, …
    (each twice as wide as the one before), and ``pixels``, the image in [0, 1].
    """

    def __init__(self, config: ConvGeneratorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ConvGeneratorConfig()
        first = config.widths[0]
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            dense1=nn.Sequential(
                nn.Linear(config.latent_dim, first * 16), nn.ReLU(), nn.Unflatten(1, (first, 4, 4))
            )
        )
        for place, (before, after) in enumerate(pairwise(config.widths), 1):
            layers[f"conv{place}"] = nn.Sequential(
                # Enlarging first leaves none of the chequers of a strided transposed convolution.
                nn.Upsample(scale_factor=2),
                nn.Conv2d(before, after, 3, padding=1),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            )
        layers["pixels"] = nn.Sequential(
            nn.Upsample(scale_factor=2),
            nn.Conv2d(config.widths[-1], config.channels, 3, padding=1),
            nn.Sigmoid(),
        )
        self.decoder = nn.Sequential(layers)

    @property
    def latent_dim(self) -> int:
        """Length of a latent."""
        return self.config.latent_dim

    def layer_shapes(self) -> dict[str, tuple[int, ...]]:
        """See :func:`decoder_layers`."""
        names = ["decoder.dense1"]
        names += [f"decoder.conv{place}" for place in range(1, len(self.config.widths))]
        shapes: dict[str, tuple[int, ...]] = {
            name: (width, 4 * 2**place, 4 * 2**place)
            for place, (name, width) in enumerate(zip(names, self.config.widths, strict=True))
        }
        size = self.config.image_size
        return shapes | {"pixels": (self.config.channels, size, size)}

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        """Images (n, C, H, W) in [0, 1] of latents (n, latent_dim)."""
        images: torch.Tensor = self.decoder(latents)
        return images


class Critic(nn.Module):
    """Tells real images from generated ones; spectral normalisation keeps it 1-Lipschitz.

    Miyato et al. (2018).
    """

    def __init__(self, config: ConvGeneratorConfig) -> None:
        super().__init__()
        widths = [config.channels, *(2 * width for width in _narrow_to_wide(config))]
        steps: list[nn.Module] = []
        for before, after in pairwise(widths):
            steps.append(spectral_norm(nn.Conv2d(before, after, 4, stride=2, padding=1)))
            steps.append(nn.LeakyReLU(0.2))
        steps += [nn.Flatten(), spectral_norm(nn.Linear(widths[-1] * 16, 1))]
        self.judge = nn.Sequential(*steps)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """One number per image (n,), high where it looks real."""
        judged: torch.Tensor = self.judge(images * 2 - 1)
        return judged[:, 0]


def _narrow_to_wide(config: ConvGeneratorConfig) -> list[int]:
    """Channels that double as the maps halve, so that each map costs about the same."""
    return [max(1, config.widths[0] // 2**step) for step in range(len(config.widths))][::-1]
