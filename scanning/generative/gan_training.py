"""Training of the small generative adversarial network."""

import copy
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from scanning._validation import open_proportion, whole_number
from scanning.generative.checkpoints import Checkpoint
from scanning.generative.gan import ConvGenerator, ConvGeneratorConfig, Critic
from scanning.generative.training import Progress, chosen_device, image_tensor


@dataclass(frozen=True)
class GanTrainingConfig:
    """How a generator is trained.

    Attributes
    ----------
    steps : int
        Updates of the generator; the critic is updated as often.
    batch_size : int
    learning_rate : float
        Of the generator; the critic's is twice as high (Heusel et al., 2017).
    averaging : float
        Weight of the past in the running mean of the generator's weights that is returned.
    seed : int
        Of initial weights, order and latents.
    latent_dim : int
    widths : tuple of int
        As in :class:`ConvGeneratorConfig`, from the widest map of 4 × 4 on; as many as the size
        of the images asks for are used.
    """

    steps: int = 3_000
    batch_size: int = 32
    learning_rate: float = 4e-4
    averaging: float = 0.99
    seed: int = 0
    latent_dim: int = 64
    widths: tuple[int, ...] = (64, 32, 16, 16, 16)

    def __post_init__(self) -> None:
        for name in ("steps", "latent_dim"):
            whole_number(getattr(self, name), name, minimum=1)
        whole_number(self.batch_size, "batch_size", minimum=2)
        whole_number(self.seed, "seed")
        open_proportion(self.learning_rate, "learning_rate")
        open_proportion(self.averaging, "averaging")

    def to_dict(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return asdict(self) | {"widths": list(self.widths)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "GanTrainingConfig":
        """The inverse of :meth:`to_dict`."""
        return cls(**(values | {"widths": tuple(values["widths"])}))


@dataclass(frozen=True, eq=False)
class TrainedGan:
    """A trained generator and how it came about.

    Attributes
    ----------
    model : ConvGenerator
        In evaluation mode, on the processor; its weights are running means.
    losses : tuple of (float, float)
        Mean hinge losses of the critic and of the generator, of each tenth of the steps. They
        tell whether the two keep each other in balance, not how good the images are.
    config : GanTrainingConfig
    versions : dict of str to str
    device : str
    duration_s : float
        Over all sessions, where training was interrupted.
    """

    model: ConvGenerator
    losses: tuple[tuple[float, float], ...]
    config: GanTrainingConfig
    versions: dict[str, str]
    device: str
    duration_s: float

    def to_dict(self) -> dict[str, Any]:
        """Everything but the weights, in values that JSON can hold."""
        return {
            "model": self.model.config.to_dict(),
            "training": self.config.to_dict(),
            "losses": [list(pair) for pair in self.losses],
            "versions": self.versions,
            "device": self.device,
            "duration_s": self.duration_s,
        }


def train_gan(
    images: NDArray[np.uint8],
    config: GanTrainingConfig | None = None,
    *,
    device: str = "cpu",
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 250,
    progress: Progress | None = None,
) -> TrainedGan:
    """Train a :class:`ConvGenerator` on square pictures.

    Parameters
    ----------
    images : ndarray of uint8, (n, H, H) or (n, H, H, C)
        H 8, 16, 32, 64 or 128, C 1 or 3.
    config : GanTrainingConfig, optional
    device : {"cpu", "cuda", "auto"}
        "auto" takes a CUDA device where there is one.
    checkpoint : path, optional
        File in which the state is kept, and from which training goes on if it holds the state
        of a training with the same settings and images. It is removed at the end.
    checkpoint_every : int
        Steps between two states.
    progress : callable, optional
        Called with (steps done, steps, message).

    Returns
    -------
    TrainedGan

    Raises
    ------
    ValueError
        If `images` is not such an array, or holds fewer than a batch.

    Notes
    -----
    Hinge loss with a spectrally normalised critic (Miyato et al., 2018), which stays stable
    without tuning. The same seed gives the same weights on the same machine with the same
    number of threads, interrupted or not. The global random state is left as it was.
    """
    config = config or GanTrainingConfig()
    where = chosen_device(device)
    checkpoint_every = whole_number(checkpoint_every, "checkpoint_every", minimum=1)
    data = image_tensor(images)
    if len(data) < config.batch_size:
        raise ValueError(
            f"images must hold at least a batch of {config.batch_size}; got {len(data)}"
        )
    size = data.shape[2]
    n_maps = max(1, int(size).bit_length() - 3)
    shape = ConvGeneratorConfig(config.latent_dim, data.shape[1], size, config.widths[:n_maps])
    started = time.perf_counter()
    # Weights are drawn from torch's global state; the fork gives it back unchanged.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        generator, critic = ConvGenerator(shape).to(where), Critic(shape).to(where)
    mean = copy.deepcopy(generator)
    draws = torch.Generator().manual_seed(config.seed)
    to_generate = torch.optim.Adam(generator.parameters(), config.learning_rate, (0.0, 0.9))
    to_judge = torch.optim.Adam(critic.parameters(), 2 * config.learning_rate, (0.0, 0.9))
    kept = None
    done: dict[str, Any] = {"step": 0, "losses": [], "duration_s": 0.0}
    if checkpoint is not None:
        settings = {
            "training": config.to_dict(),
            "model": shape.to_dict(),
            "images": [list(data.shape), int(data.long().sum())],
        }
        modules = {"generator": generator, "critic": critic, "mean": mean}
        optimizers: dict[str, torch.optim.Optimizer] = {
            "generator": to_generate,
            "critic": to_judge,
        }
        kept = Checkpoint(checkpoint, settings, modules, optimizers, {"draws": draws})
        done = kept.read() or done
    losses: list[list[float]] = done["losses"]
    for step in range(done["step"], config.steps):
        chosen = torch.randint(len(data), (config.batch_size,), generator=draws)
        real = data[chosen].float().to(where) / 255
        pair = _step(generator, critic, to_generate, to_judge, real, draws)
        losses.append(pair)
        with torch.no_grad():
            for held, new in zip(
                mean.state_dict().values(), generator.state_dict().values(), strict=True
            ):
                if held.is_floating_point():
                    held.lerp_(new, 1 - config.averaging)
                else:
                    held.copy_(new)
        n_done = step + 1
        if kept is not None and n_done % checkpoint_every == 0:
            duration = done["duration_s"] + time.perf_counter() - started
            kept.write({"step": n_done, "losses": losses, "duration_s": duration})
        if progress is not None and (n_done % 10 == 0 or n_done == config.steps):
            progress(n_done, config.steps, f"training, step {n_done} of {config.steps}")
    if kept is not None:
        kept.remove()
    parts = np.array_split(np.array(losses), min(10, len(losses)))
    return TrainedGan(
        model=mean.cpu().eval(),
        losses=tuple((float(p[:, 0].mean()), float(p[:, 1].mean())) for p in parts),
        config=config,
        versions={
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": torch.__version__,
        },
        device=where,
        duration_s=done["duration_s"] + time.perf_counter() - started,
    )


def _step(
    generator: ConvGenerator,
    critic: Critic,
    to_generate: torch.optim.Optimizer,
    to_judge: torch.optim.Optimizer,
    real: torch.Tensor,
    draws: torch.Generator,
) -> list[float]:
    """One update of each network; their losses."""
    latents = torch.randn((len(real), generator.latent_dim), generator=draws).to(real.device)
    made = generator(latents)
    of_real, of_made = critic(torch.cat([real, made.detach()])).chunk(2)
    judged = torch.relu(1 - of_real).mean() + torch.relu(1 + of_made).mean()
    to_judge.zero_grad()
    judged.backward()
    to_judge.step()
    missed = -critic(made).mean()
    to_generate.zero_grad()
    missed.backward()
    to_generate.step()
    return [judged.item(), missed.item()]
