"""Activations to scan: planted groups of any size, and those of a variational autoencoder."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scanning import Background

TEST_IMAGES, CREATIVE_IMAGES, BACKGROUND_IMAGES = 500, 100, 1_000
LAYERS = ("decoder.dense1", "decoder.dense2", "pixels")  # 256, 3,136 and 784 nodes


class Activations(NamedTuple):
    """Of the background (B, J) and of the images in question (M, J)."""

    background: NDArray[np.float32]
    test: NDArray[np.float32]

    def pvalues(self) -> NDArray[np.float64]:
        return Background.fit(self.background).pvalues(self.test)


def planted(n_images: int, n_nodes: int, n_background: int, seed: int = 0) -> Activations:
    """Normal noise in which a fifth of the images is shifted by 1 in a tenth of the nodes."""
    rng = np.random.default_rng(seed)
    background = rng.standard_normal((n_background, n_nodes), dtype=np.float32)
    test = rng.standard_normal((n_images, n_nodes), dtype=np.float32)
    test[: n_images // 5, : n_nodes // 10] += 1
    return Activations(background, test)


def of_trained_model(epochs: int, n_training: int) -> dict[str, Activations]:
    """Of each layer of the demonstration's model, trained briefly on the bundled images.

    A fifth of the test images is decoded creatively, as the demonstration does.
    """
    from scanning.generative import (
        CreativeDecoding,
        TrainingConfig,
        fit_activity,
        generate,
        load_combo,
        train_vae,
    )

    images = load_combo().images
    images = images[np.random.default_rng(0).permutation(len(images))[:n_training]]
    model = train_vae(images, TrainingConfig(epochs=epochs, seed=0)).model
    creative = CreativeDecoding(layer=LAYERS[0])
    background = generate(model, BACKGROUND_IMAGES, seed=1, layers=LAYERS)
    normal = generate(model, TEST_IMAGES - CREATIVE_IMAGES, seed=2, layers=LAYERS)
    unusual = generate(
        model,
        CREATIVE_IMAGES,
        seed=3,
        layers=LAYERS,
        creative=creative,
        activity=fit_activity(model, images, creative.layer),
    )
    return {
        layer: Activations(
            background.activations[layer],
            np.concatenate([unusual.activations[layer], normal.activations[layer]]),
        )
        for layer in LAYERS
    }
