"""Training of the variational autoencoder."""

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from scanning._validation import one_of, whole_number
from scanning.generative.checkpoints import Checkpoint
from scanning.generative.models import ConvVAE, ConvVAEConfig

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained.

    Attributes
    ----------
    epochs : int
    batch_size : int
    learning_rate : float
        Highest rate; it rises for the first tenth of the steps and falls to zero after.
    beta : float
        Weight of the latents' divergence from the prior.
    seed : int
        Of initial weights, order and sampling.
    latent_dim : int
    """

    epochs: int = 12
    batch_size: int = 128
    learning_rate: float = 2e-3
    beta: float = 1.0
    seed: int = 0
    latent_dim: int = 32

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "latent_dim"):
            whole_number(getattr(self, name), name, minimum=1)
        whole_number(self.seed, "seed")
        if not 0.0 < self.learning_rate < 1.0:
            raise ValueError(f"learning_rate must be in (0, 1); got {self.learning_rate}")
        if not 0.0 <= self.beta < float("inf"):
            raise ValueError(f"beta must be at least 0; got {self.beta}")

    def to_dict(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainingConfig":
        """The inverse of :meth:`to_dict`."""
        return cls(**values)


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A trained model and how it came about.

    Attributes
    ----------
    model : ConvVAE
        In evaluation mode.
    losses : tuple of float
        Mean negative evidence lower bound per image of each epoch, in nats.
    config : TrainingConfig
    versions : dict of str to str
        Python, numpy and torch.
    duration_s : float
    """

    model: ConvVAE
    losses: tuple[float, ...]
    config: TrainingConfig
    versions: dict[str, str]
    duration_s: float

    @property
    def seed(self) -> int:
        """Seed of the training."""
        return self.config.seed

    def to_dict(self) -> dict[str, Any]:
        """Everything but the weights, in values that JSON can hold."""
        return {
            "model": self.model.config.to_dict(),
            "training": self.config.to_dict(),
            "losses": list(self.losses),
            "versions": self.versions,
            "duration_s": self.duration_s,
        }


def train_vae(
    images: NDArray[np.uint8],
    config: TrainingConfig | None = None,
    *,
    device: str = "cpu",
    checkpoint: str | Path | None = None,
    progress: Progress | None = None,
) -> TrainedModel:
    """Train a :class:`ConvVAE` on square images.

    Parameters
    ----------
    images : ndarray of uint8, (n, H, H) or (n, H, H, C)
        H a multiple of 4, C 1 or 3.
    config : TrainingConfig, optional
    device : {"cpu", "cuda", "auto"}
        "auto" takes a CUDA device where there is one.
    checkpoint : path, optional
        File in which the state is kept after each epoch, and from which training goes on if it
        holds that of a training with the same settings and images. It is removed at the end.
    progress : callable, optional
        Called with (steps done, steps, message).

    Returns
    -------
    TrainedModel

    Raises
    ------
    ValueError
        If `images` is not such an array.

    Notes
    -----
    Maximises the evidence lower bound with Bernoulli pixels (Kingma & Welling, 2014). The same
    seed gives the same weights on the same machine with the same number of threads, interrupted
    or not. The global random state is left as it was.
    """
    config = config or TrainingConfig()
    where = chosen_device(device)
    data = image_tensor(images)
    started = time.perf_counter()
    shape = ConvVAEConfig(
        latent_dim=config.latent_dim, channels=data.shape[1], image_size=data.shape[2]
    )
    # Weights are drawn from torch's global state; the fork gives it back unchanged.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = ConvVAE(shape).to(where)
    generator = torch.Generator().manual_seed(config.seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
    kept = None
    done: dict[str, Any] = {"losses": [], "duration_s": 0.0}
    if checkpoint is not None:
        settings = {
            "training": config.to_dict(),
            "model": shape.to_dict(),
            "images": [list(data.shape), int(data.long().sum())],
        }
        kept = Checkpoint(
            checkpoint, settings, {"model": model}, {"adam": optimizer}, {"order": generator}
        )
        done = kept.read() or done
    steps_per_epoch = -(-len(data) // config.batch_size)
    n_steps = config.epochs * steps_per_epoch
    losses: list[float] = done["losses"]
    step = len(losses) * steps_per_epoch
    for epoch in range(len(losses), config.epochs):
        total = 0.0
        order = torch.randperm(len(data), generator=generator)
        for chosen in order.split(config.batch_size):
            for group in optimizer.param_groups:
                group["lr"] = config.learning_rate * _warm_up_and_decay(step, n_steps)
            batch = data[chosen].float().to(where) / 255
            loss = _negative_elbo(model, batch, config.beta, generator)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(chosen)
            step += 1
            if progress is not None and (step % 10 == 0 or step == n_steps):
                progress(step, n_steps, f"training, epoch {epoch + 1} of {config.epochs}")
        losses.append(total / len(data))
        if kept is not None:
            duration = done["duration_s"] + time.perf_counter() - started
            kept.write({"losses": losses, "duration_s": duration})
    if kept is not None:
        kept.remove()
    return TrainedModel(
        model=model.cpu().eval(),
        losses=tuple(losses),
        config=config,
        versions={
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": torch.__version__,
        },
        duration_s=done["duration_s"] + time.perf_counter() - started,
    )


def chosen_device(device: str) -> str:
    """The device that `device` means here: "cpu" or "cuda"."""
    one_of(device, ("cpu", "cuda", "auto"), "device")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device must be cpu or auto where there is no CUDA device; got 'cuda'")
    return device


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread: sums come out the same however many processors there are."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def image_tensor(images: NDArray[np.uint8]) -> torch.Tensor:
    """Images (n, H, H) or (n, H, H, C) as a uint8 tensor (n, C, H, H)."""
    array = np.asarray(images)
    if array.dtype != np.uint8:
        raise ValueError(f"images must be uint8; got {array.dtype}")
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[3] not in (1, 3):
        raise ValueError(f"images must be (n, H, W) or (n, H, W, C); got shape {array.shape}")
    if not array.size:
        raise ValueError(f"images must hold at least one image; got shape {array.shape}")
    if array.shape[1] != array.shape[2] or array.shape[1] % 4:
        raise ValueError(
            f"images must be square with a side that is a multiple of 4; "
            f"got {array.shape[1]} × {array.shape[2]} pixels"
        )
    return torch.from_numpy(np.ascontiguousarray(array.transpose(0, 3, 1, 2)))


def _warm_up_and_decay(step: int, n_steps: int) -> float:
    done = (step + 1) / n_steps
    return min(1.0, 10.0 * done) * 0.5 * (1.0 + float(np.cos(np.pi * done)))


def _negative_elbo(
    model: ConvVAE, batch: torch.Tensor, beta: float, generator: torch.Generator
) -> torch.Tensor:
    mean, log_variance = model.encode(batch)
    noise = torch.randn(mean.shape, generator=generator).to(mean.device)
    decoded = model.decode(mean + noise * torch.exp(0.5 * log_variance))
    reconstruction = functional.binary_cross_entropy(decoded, batch, reduction="sum")
    divergence = 0.5 * (mean**2 + log_variance.exp() - 1.0 - log_variance).sum()
    return (reconstruction + beta * divergence) / len(batch)
