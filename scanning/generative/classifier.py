"""A small classifier: its features say how alike images are, its entropy how clear they are."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from scanning._validation import array_of, whole_number
from scanning.generative.training import Progress, chosen_device, image_tensor


@dataclass(frozen=True, eq=False)
class Classifier:
    """A trained classifier.

    Attributes
    ----------
    accuracy : float
        Share of held-out training images that it labels rightly.
    n_classes : int
    n_held_out : int
    """

    accuracy: float
    n_classes: int
    n_held_out: int
    _network: nn.Sequential

    def features(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the last hidden layer says about each image, scaled to unit length.

        Returns
        -------
        ndarray of float32, (n, 64)
        """
        return self._run(images)[0]

    def entropy(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Entropy of the predicted classes of each image in nats, at most ln(n_classes).

        Returns
        -------
        ndarray of float64, (n,)
        """
        logits = torch.from_numpy(self._run(images)[1]).double()
        logs = functional.log_softmax(logits, dim=1)
        entropy: NDArray[np.float64] = -(logs.exp() * logs).sum(dim=1).numpy()
        return np.maximum(entropy, 0.0)

    @torch.no_grad()
    def _run(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        features, logits = [], []
        for batch in image_tensor(images).split(512):
            hidden = self._network[:-1](batch.float() / 255)
            logits.append(self._network[-1](hidden).numpy())
            features.append(functional.normalize(hidden, dim=1).numpy())
        return np.concatenate(features), np.concatenate(logits)


def train_classifier(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    *,
    epochs: int = 5,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Classifier:
    """Train a small convolutional classifier.

    Parameters
    ----------
    images : ndarray of uint8, (n, H, H) or (n, H, H, C)
        H a multiple of 4; at least 20.
    labels : ndarray of int, (n,)
        Classes from 0 on, at least two.
    epochs : int
    seed : int
        Of weights, order, and the tenth of the images that is held out.
    device : {"cpu", "cuda", "auto"}
    progress : callable, optional
        Called with (steps done, steps, message).

    Returns
    -------
    Classifier

    Raises
    ------
    ValueError
        If images and labels do not match, or there are too few of either.

    Notes
    -----
    The global random state is left as it was.
    """
    epochs = whole_number(epochs, "epochs", minimum=1)
    seed = whole_number(seed, "seed")
    where = chosen_device(device)
    data = image_tensor(images)
    classes = array_of(labels, "labels")
    if classes.shape != (len(data),) or classes.dtype.kind not in "iu" or len(data) < 20:
        raise ValueError(
            f"labels must be one whole number for each of at least 20 images; got shape "
            f"{classes.shape} for {len(data)}"
        )
    n_classes = int(classes.max()) + 1
    if n_classes < 2 or classes.min() < 0:
        raise ValueError(f"labels must be at least two classes from 0 on; got {np.unique(classes)}")
    target = torch.from_numpy(classes.astype(np.int64))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _network(data.shape[1], data.shape[2], n_classes).to(where)
    draws = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(data), generator=draws)
    held_out, rest = order[: len(data) // 10], order[len(data) // 10 :]
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    n_steps, step = epochs * -(-len(rest) // 64), 0
    for _ in range(epochs):
        for chosen in rest[torch.randperm(len(rest), generator=draws)].split(64):
            logits = network(data[chosen].float().to(where) / 255)
            loss = functional.cross_entropy(logits, target[chosen].to(where))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            if progress is not None and (step % 10 == 0 or step == n_steps):
                progress(step, n_steps, "training the classifier")
    network = network.cpu().eval()
    with torch.no_grad():
        found = torch.cat([network(b.float() / 255).argmax(1) for b in data[held_out].split(512)])
    accuracy = float((found == target[held_out]).float().mean())
    return Classifier(accuracy, n_classes, len(held_out), network)


def _network(channels: int, size: int, n_classes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    before, width = channels, 16
    # Halved until the map is at most 8 pixels wide.
    while size > 8 or not layers:
        layers += [nn.Conv2d(before, width, 3, stride=2, padding=1), nn.ReLU()]
        before, width, size = width, min(2 * width, 32), -(-size // 2)
    layers += [nn.Flatten(), nn.Linear(before * size**2, 64), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(64, n_classes))
