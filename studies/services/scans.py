"""Running a scan and recording what it found."""

import platform
import time
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
from django.db import transaction

from scanning import Background, scan_group, scan_images
from studies import __version__
from studies.errors import DomainError
from studies.models import Image, ImageSet, Scan, ScanResult, Workspace
from studies.models.fields import NodeSet
from studies.services import files
from studies.services.saving import save_valid


def layer_activations(image_set: ImageSet, layer: str) -> np.ndarray:
    """The kept activations (images, nodes) of `image_set` at `layer`."""
    if layer not in image_set.layers:
        allowed = ", ".join(image_set.layers) or "none are kept"
        raise DomainError(
            "unknown_layer",
            f"layer must be one that image set “{image_set.name}” keeps ({allowed}); got {layer!r}",
        )
    return files.load_array(image_set.activations_sha256, f"layer:{layer}")


def node_shape(image_set: ImageSet, layer: str, n_nodes: int) -> list[int]:
    """The shape of `layer` as the model tells it, else one axis of nodes."""
    shapes = {entry["name"]: entry["shape"] for entry in image_set.model.layers} if (
        image_set.model
    ) else {}  # fmt: skip
    return list(shapes.get(layer, [n_nodes]))


def run_scan(
    *,
    workspace: Workspace,
    name: str,
    background: ImageSet,
    test_sets: Sequence[ImageSet],
    layer: str,
    tail: str = "upper",
    statistic: str = "berk_jones",
    alpha_max: float = 0.5,
    n_restarts: int = 10,
    seed: int = 0,
) -> Scan:
    """Scan the images of `test_sets` one by one and as a group, and record everything.

    DomainError where the layer is not kept, the sets belong elsewhere, an image of the
    background is tested, or a parameter is out of range; then nothing is recorded.
    """
    for image_set in [background, *test_sets]:
        if image_set.workspace_id != workspace.pk:
            raise DomainError(
                "other_workspace",
                f"image set “{image_set.name}” must belong to workspace “{workspace.name}”",
            )
    if background in test_sets:
        raise DomainError(
            "background_tested",
            f"the background “{background.name}” must not be among the sets that are tested",
        )
    if not test_sets:
        raise DomainError("nothing_to_scan", "name at least one image set to scan")
    started = time.perf_counter()
    reference = layer_activations(background, layer)
    test = np.concatenate([layer_activations(image_set, layer) for image_set in test_sets])
    try:
        pvalues = Background.fit(reference).pvalues(test, tail=tail)
        images = scan_images(pvalues, statistic=statistic, alpha_max=alpha_max)
        group = scan_group(
            pvalues, statistic=statistic, alpha_max=alpha_max, n_restarts=n_restarts, seed=seed
        )
    except ValueError as error:
        raise DomainError("bad_scan_parameter", str(error)) from error
    in_group = np.zeros(len(test), dtype=bool)
    in_group[group.images] = True
    duration_ms = round(1000 * (time.perf_counter() - started))
    rows = [
        image
        for image_set in test_sets
        for image in Image.objects.filter(image_set=image_set).order_by("position").only("pk")
    ]
    with transaction.atomic():
        scan = save_valid(
            Scan(
                workspace=workspace,
                name=name,
                model=background.model,
                background=background,
                layer=layer,
                tail=tail,
                statistic=statistic,
                alpha_max=alpha_max,
                n_restarts=n_restarts,
                seed=seed,
                n_background=len(reference),
                n_images=len(test),
                n_nodes=test.shape[1],
                node_shape=node_shape(background, layer, test.shape[1]),
                group_score=group.score,
                group_alpha=none_for_nan(group.alpha),
                group_n_images=len(group.images),
                group_nodes=NodeSet(group.nodes),
                details=search_details(group),
                versions=versions(),
                duration_ms=duration_ms,
            )
        )
        scan.test_sets.set(test_sets)
        ScanResult.objects.bulk_create(
            [
                ScanResult(
                    scan=scan,
                    image=image,
                    score=float(images.scores[i]),
                    size=int(images.sizes[i]),
                    alpha=none_for_nan(images.alphas[i]),
                    nodes=images.nodes(i),
                    in_group=bool(in_group[i]),
                )
                for i, image in enumerate(rows)
            ],
            batch_size=500,
        )
    return scan


def search_details(group: Any) -> dict[str, Any]:
    """What the group search did: enough to judge how hard it looked."""
    return {
        "n_thresholds": int(group.n_thresholds),
        "n_steps": int(group.n_steps),
        "restart_scores": [float(score) for score in group.restart_scores],
    }


def none_for_nan(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


@cache
def versions() -> dict[str, str]:
    """The versions that a number depends on."""
    packages = ("numpy", "scipy", "numba", "torch")
    return {
        "musescan": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }
