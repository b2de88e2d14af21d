"""Registering models, and generating image sets with them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from django.db import transaction

from studies.errors import DomainError
from studies.models import GenerativeModel, Image, ImageSet, Process, Workspace
from studies.services import files
from studies.services.saving import save_valid

Progress = Callable[[int, int, str], None]


@transaction.atomic
def register_model(
    *,
    workspace: Workspace,
    name: str,
    architecture: str,
    configuration: dict[str, Any],
    training: dict[str, Any],
    layers: dict[str, tuple[int, ...]],
    weights_sha256: str,
) -> GenerativeModel:
    """Record a model whose weights are kept already. `layers`: name → shape, in order."""
    return save_valid(
        GenerativeModel(
            workspace=workspace,
            name=name,
            architecture=architecture,
            configuration=configuration,
            training=training,
            layers=[{"name": key, "shape": list(shape)} for key, shape in layers.items()],
            weights_sha256=weights_sha256,
        )
    )


def create_image_set(
    *,
    workspace: Workspace,
    name: str,
    process: Process,
    images: np.ndarray,
    latents: np.ndarray,
    activations: dict[str, np.ndarray],
    modulated_nodes: Sequence[np.ndarray] | None = None,
    model: GenerativeModel | None,
    generation: dict[str, Any],
    licence: str = "",
    source: str = "",
    progress: Progress | None = None,
) -> ImageSet:
    """Keep generated images, their latents and activations, and record them as one set.

    images: uint8 (n, H, W) or (n, H, W, 3); latents: (n, d); activations: layer → (n, J);
    modulated_nodes: for each image the nodes that creative decoding set, which is what a scan
    should find (kept as one array, with the number of nodes of each image beside it).
    Files come first, rows after, in one transaction: a set is recorded whole or not at all.
    """
    n = len(images)
    for what, array in {"latents": latents, **activations}.items():
        if len(array) != n:
            raise DomainError(
                "activations_do_not_match",
                f"{what} must have one row per image; got {len(array)} rows for {n} images",
            )
    arrays = {"latents": latents}
    arrays.update({f"layer:{layer}": values for layer, values in activations.items()})
    if modulated_nodes is not None:
        arrays["modulated:nodes"] = np.concatenate([np.asarray(n) for n in modulated_nodes])
        arrays["modulated:counts"] = np.array([len(n) for n in modulated_nodes])
    activations_sha256 = files.keep_arrays(arrays)
    kept = []
    for position, pixels in enumerate(images):
        kept.append(files.keep_pixels(pixels))
        if progress and (position + 1) % 50 == 0:
            progress(position + 1, n, "storing images")
    with transaction.atomic():
        image_set = save_valid(
            ImageSet(
                workspace=workspace,
                name=name,
                model=model,
                generation=generation,
                activations_sha256=activations_sha256,
                layers=list(activations),
                licence=licence,
                source=source,
            )
        )
        Image.objects.bulk_create(
            [
                Image(image_set=image_set, position=position, process=process, **fields)
                for position, fields in enumerate(kept)
            ],
            batch_size=500,
        )
    return image_set
