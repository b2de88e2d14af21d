"""How new images are, by measures that know nothing of a scan."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from scanning._validation import whole_number
from scanning.generative.classifier import Classifier
from scanning.generative.models import ConvVAE
from scanning.generative.training import image_tensor


@dataclass(frozen=True, eq=False)
class PrincipalComponents:
    """The directions in which training images differ most: features and reconstruction for
    models that cannot encode.

    Attributes
    ----------
    mean : ndarray of float32, (P,)
        Of P pixel values in [0, 1].
    directions : ndarray of float32, (k, P)
        Orthonormal.
    explained : float
        Share of the images' variance that they hold.
    """

    mean: NDArray[np.float32]
    directions: NDArray[np.float32]
    explained: float

    @classmethod
    def fit(
        cls, images: NDArray[np.uint8], n: int = 64, *, max_images: int = 2_000, seed: int = 0
    ) -> "PrincipalComponents":
        """Directions of `images`, of at most `max_images` of them, drawn with `seed`.

        Raises
        ------
        ValueError
            If `n` is less than 1, or there are fewer than two images.
        """
        n = whole_number(n, "n", minimum=1)
        if len(images) < 2:
            raise ValueError(f"images must hold at least two images; got {len(images)}")
        rng = np.random.default_rng(seed)
        chosen = rng.permutation(len(images))[:max_images]
        values = _flat(images[np.sort(chosen)])
        mean = values.mean(axis=0)
        values -= mean
        # Of the images' inner products, which are fewer than the pixels'.
        powers, weights = np.linalg.eigh((values @ values.T).astype(np.float64))
        kept = np.argsort(powers)[::-1][: min(n, len(values) - 1)]
        kept = kept[powers[kept] > 1e-9 * max(1.0, powers.max())]
        scaled = (weights[:, kept] / np.sqrt(powers[kept])).astype(np.float32)
        directions = scaled.T @ values
        total = float(np.maximum(powers, 0).sum())
        explained = float(powers[kept].sum() / total) if total > 0 else 1.0
        return cls(mean, directions, explained)

    def features(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Coordinates along the directions, (n, k)."""
        return np.asarray((_flat(images) - self.mean) @ self.directions.T, np.float32)

    def reconstruction_errors(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Mean squared difference between each image and its projection, (n,)."""
        centred = _flat(images) - self.mean
        rest = centred - (centred @ self.directions.T) @ self.directions
        errors: NDArray[np.float64] = np.square(rest, dtype=np.float64).mean(axis=1)
        return errors


def nearest_distances(
    features: NDArray[Any], training_features: NDArray[Any], *, block: int = 256
) -> NDArray[np.float64]:
    """Euclidean distance of each row to the nearest training row.

    Parameters
    ----------
    features : ndarray, (n, k)
    training_features : ndarray, (N, k)
    block : int
        Rows at a time; memory is block·N numbers.

    Returns
    -------
    ndarray of float64, (n,)

    Raises
    ------
    ValueError
        If there is no training row, or the widths differ.

    Examples
    --------
    >>> nearest_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [6.0, 8.0]]))
    array([5.])
    """
    if training_features.ndim != 2 or not len(training_features):
        raise ValueError("training_features must hold at least one row")
    if features.shape[1:] != training_features.shape[1:]:
        raise ValueError(
            f"features must be as wide as training_features, {training_features.shape[1]}; "
            f"got {features.shape}"
        )
    reference = training_features.astype(np.float64)
    lengths = np.square(reference).sum(axis=1)
    found = np.empty(len(features))
    for start in range(0, len(features), block):
        rows = features[start : start + block].astype(np.float64)
        squares = np.square(rows).sum(axis=1)[:, None] + lengths - 2 * rows @ reference.T
        found[start : start + block] = squares.min(axis=1)
    distances: NDArray[np.float64] = np.sqrt(np.maximum(found, 0.0))
    return distances


@torch.no_grad()
def reconstructions(model: ConvVAE, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What the model makes of each image, in the shape of `images`."""
    decoded = torch.cat([model(batch.float() / 255) for batch in image_tensor(images).split(512)])
    pixels = (decoded * 255).round().to(torch.uint8).numpy()
    return np.moveaxis(pixels, 1, 3).reshape(images.shape)


@torch.no_grad()
def reconstruction_errors(model: ConvVAE, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean squared difference between each image and what the model makes of its latent, (n,).

    The baseline of anomaly detection: a model reconstructs badly what it does not know.
    """
    errors = []
    for batch in image_tensor(images).split(512):
        pixels = batch.float() / 255
        rest = (model(pixels) - pixels).double().flatten(1)
        errors.append(rest.square().mean(dim=1).numpy())
    return np.concatenate(errors)


@dataclass(frozen=True, eq=False)
class Judges:
    """What novelty is measured with, fitted to one training set.

    Attributes
    ----------
    components : PrincipalComponents
    classifier : Classifier or None
        None where the training images have no labels.
    training_features : ndarray of float32, (N, k)
        Of the classifier, or of the components without one.
    """

    components: PrincipalComponents
    classifier: Classifier | None
    training_features: NDArray[np.float32]

    def measure(self, images: NDArray[np.uint8], model: Any) -> dict[str, NDArray[np.float64]]:
        """Novelty of each image, high where it is new: `distance` to the nearest training image
        in the feature space, `reconstruction` error (of the model where it can encode, else of
        the components), and `entropy` of the classifier where there is one."""
        space = self.classifier or self.components
        encodes = isinstance(model, ConvVAE)
        measured = {
            "distance": nearest_distances(space.features(images), self.training_features),
            "reconstruction": reconstruction_errors(model, images)
            if encodes
            else self.components.reconstruction_errors(images),
        }
        if self.classifier is not None:
            measured["entropy"] = self.classifier.entropy(images)
        return measured


def _flat(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)
