"""A convolutional variational autoencoder whose decoder layers have names."""

import hashlib
import json
from collections import OrderedDict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from scanning._validation import whole_number

FORMAT = "scanning.ConvVAE/1"


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


def decoder_layers(model: ConvVAE) -> dict[str, tuple[int, ...]]:
    """Layers of the decoder that can be scanned, in order, with the shape of their nodes.

    Examples
    --------
    >>> decoder_layers(ConvVAE())  # doctest: +NORMALIZE_WHITESPACE
    {'decoder.dense1': (256,), 'decoder.dense2': (64, 7, 7), 'decoder.conv1': (32, 14, 14),
     'pixels': (1, 28, 28)}
    """
    config = model.config
    deep, shallow = config.conv_widths
    size = config.image_size
    return {
        "decoder.dense1": (config.dense_width,),
        "decoder.dense2": (deep, size // 4, size // 4),
        "decoder.conv1": (shallow, size // 2, size // 2),
        "pixels": (config.channels, size, size),
    }


def save_model(model: ConvVAE, path: str | Path) -> str:
    """Write weights and configuration as safetensors; return the file's SHA-256."""
    path = Path(path)
    weights = {name: tensor.contiguous().cpu() for name, tensor in model.state_dict().items()}
    # One entry only: safetensors writes several in no fixed order, which would change the hash.
    data = save(weights, {FORMAT: json.dumps(model.config.to_dict())})
    # Nobody ever reads half a file under the final name.
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(data)
    unfinished.replace(path)
    return hashlib.sha256(data).hexdigest()


def load_model(path: str | Path) -> ConvVAE:
    """Read a model that :func:`save_model` wrote, ready for evaluation.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is something else, or damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if FORMAT not in metadata:
                raise ValueError(f"{path.name} does not hold a model of this kind")
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        model = ConvVAE(ConvVAEConfig.from_dict(json.loads(metadata[FORMAT])))
        model.load_state_dict(weights)
    except SafetensorError as error:
        raise ValueError(f"{path.name} is not a safetensors file: {error}") from error
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{path.name} holds a damaged model: {error}") from error
    return model.eval()
