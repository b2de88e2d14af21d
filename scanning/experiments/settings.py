"""What is run: data, models, decodings, sizes and seeds, fixed before anything is measured."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from scanning.generative.decoding_names import CONTROLS as CONTROLS
from scanning.generative.decoding_names import PROCESSES as PROCESSES

REPORTED_SEEDS = (201, 202, 203, 204, 205)
# Other ones, so that nothing seen in a quick run was seen on the models of the full run.
QUICK_SEEDS = (101, 102, 103)
# The parameters of the demonstration were chosen with a model of seed 1.
TUNING_SEEDS = (1,)
MAIN_GROUP_SHARE = 0.2
MAIN_SHARE = 0.16  # about 40 of 256 nodes, the middle of the demonstration's 20 to 60
SHARES = (0.02, 0.04, 0.08, 0.32, 0.5)
SCALES = (0.5, 2.0)
DATA = ("mnist", "fashion-mnist", "combo", "pictures")
ARCHITECTURES = {"mnist": "vae", "fashion-mnist": "vae", "combo": "vae", "pictures": "gan"}
# Layers that are scanned, and those of them that are modulated: the first in every process, the
# others as a variation.
LAYERS = {
    "vae": ("decoder.dense1", "decoder.dense2", "decoder.conv1", "pixels"),
    "gan": ("decoder.dense1", "decoder.conv1", "decoder.conv2", "pixels"),
}


@dataclass(frozen=True)
class Decoding:
    """One way of creative decoding.

    Attributes
    ----------
    process : str
        One of `PROCESSES`: how nodes are chosen, or what is done instead.
    layer : str
    share : float
        Share of the layer's nodes that each image has set; without meaning for noise.
    scale : float
        What they are set to, in units of the image's largest activation in the layer; for
        noise, its standard deviation in units of that of the image's activations.
    """

    process: str = "low_active"
    layer: str = "decoder.dense1"
    share: float = MAIN_SHARE
    scale: float = 1.0

    @property
    def is_control(self) -> bool:
        """Whether no claim is tested on it."""
        return self.process in CONTROLS


@dataclass(frozen=True)
class Sizes:
    """Every number that a cell's result depends on, beside its own key.

    Attributes
    ----------
    n_train : int
        Training images, at most; as many as there are.
    epochs, batch_size, gan_steps, classifier_epochs : int
    n_background, n_test : int
        B; and the images of each test set.
    group_size : int
        M.
    group_shares : tuple of float
        π, shares of creative images in a group.
    n_groups, n_restarts : int
        Groups of either kind; random starts of each group scan.
    n_draws : int
        Bootstrap resamples of the images (or groups) of a cell.
    n_overlap, n_permutations : int
        Images of each process whose nodes are compared; permutations.
    n_null, n_observed : int
        Null groups and observed groups of the calibration.
    picture_size : int
        Height and width of colour pictures.
    """

    n_train: int = 20_000
    epochs: int = 8
    batch_size: int = 128
    gan_steps: int = 2_000
    classifier_epochs: int = 5
    n_background: int = 2_000
    n_test: int = 500
    group_size: int = 50
    group_shares: tuple[float, ...] = (0.1, 0.2, 0.5)
    n_groups: int = 40
    n_restarts: int = 5
    n_draws: int = 200
    n_overlap: int = 60
    n_permutations: int = 499
    n_null: int = 199
    n_observed: int = 100
    picture_size: int = 64


@dataclass(frozen=True)
class Settings:
    """A whole run.

    Attributes
    ----------
    name : str
    seeds, tuning_seeds : tuple of int
        Of the models; verdicts rest on the first alone, defaults are chosen on the second.
    data : tuple of str
    sizes : Sizes
    processes : tuple of str
    shares, scales : tuple of float
        Strengths of the first process beside its main one.
    vary_layers : bool
        Whether the first process is also run at the later hidden layers.
    """

    name: str = "full"
    seeds: tuple[int, ...] = REPORTED_SEEDS
    tuning_seeds: tuple[int, ...] = TUNING_SEEDS
    data: tuple[str, ...] = DATA
    sizes: Sizes = field(default_factory=Sizes)
    processes: tuple[str, ...] = PROCESSES
    shares: tuple[float, ...] = SHARES
    scales: tuple[float, ...] = SCALES
    vary_layers: bool = True

    def __post_init__(self) -> None:
        both = set(self.seeds) & set(self.tuning_seeds)
        if both:
            raise ValueError(
                f"seeds must not be among the tuning seeds {self.tuning_seeds}; got {min(both)}"
            )
        if not self.seeds or len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            raise ValueError(f"seeds must be different whole numbers >= 0; got {self.seeds}")
        unknown = sorted(set(self.data) - set(DATA))
        if unknown or not self.data:
            raise ValueError(f"data must be among {', '.join(DATA)}; got {', '.join(unknown)!r}")

    def to_dict(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return asdict(self)

    def main_decodings(self) -> list[Decoding]:
        """Each process at the first layer with the main strength."""
        return [Decoding(process) for process in self.processes]

    def decodings(self, data: str) -> list[Decoding]:
        """All decodings of a data set's models: processes, then layers, then strengths."""
        first = Decoding(self.processes[0])
        found = self.main_decodings()
        if self.vary_layers:
            later = LAYERS[ARCHITECTURES[data]][1:-1]
            found += [replace(first, layer=layer) for layer in later]
        found += [replace(first, share=share) for share in self.shares]
        found += [replace(first, scale=scale) for scale in self.scales]
        return found


FULL = Settings()
QUICK = Settings(
    name="quick",
    seeds=QUICK_SEEDS,
    sizes=Sizes(
        n_train=4_000,
        epochs=6,
        # Smaller ones make four times as many steps of it; with fewer, all samples look alike.
        batch_size=32,
        gan_steps=150,
        classifier_epochs=2,
        n_background=500,
        n_test=150,
        group_size=30,
        group_shares=(0.2,),
        n_groups=15,
        n_restarts=2,
        n_draws=100,
        n_overlap=30,
        n_permutations=99,
        n_null=39,
        n_observed=20,
        picture_size=32,
    ),
    processes=("low_active", "correlated", "switch_off", "noise"),
    shares=(0.04, 0.5),
    scales=(),
    vary_layers=False,
)
