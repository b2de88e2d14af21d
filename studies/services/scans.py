"""Running a scan and recording what it found, calibrated where there are held-out images."""

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from itertools import islice
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from scipy.stats import binomtest

from scanning import (
    Background,
    GroupCalibration,
    GroupScan,
    ImageCalibration,
    ImageScan,
    RankedPvalues,
    calibrate_group,
    calibrate_images,
    scan_group,
    scan_image_blocks,
    scan_images,
)
from studies import __version__
from studies.errors import DomainError
from studies.models import Engine, Image, ImageSet, NullKind, Process, Scan, ScanResult, Workspace
from studies.models.fields import NodeSet
from studies.services import files
from studies.services.saving import save_valid

Progress = Callable[[int, int, str], None]

N_REPLICATES = 199
CONFIDENCE = 0.95
# The limits of `scanning.calibration`: fewer null scores cannot give p <= 0.05, and null groups
# that share too many of their images vary too little.
MIN_HELD_OUT = 19
GROUPS_HELD_OUT = 10
# Rows sent to the database at a time; each may carry thousands of nodes.
BATCH = 500
N_STEPS = 4


@dataclass(frozen=True)
class ScanRequest:
    """What to scan, and how."""

    workspace: Workspace
    name: str
    background: ImageSet
    test_sets: Sequence[ImageSet]
    layer: str
    tail: str = "upper"
    statistic: str = "berk_jones"
    alpha_max: float = 0.5
    n_restarts: int = 10
    seed: int = 0
    max_images: int | None = None
    max_nodes: int | None = None
    engine: str = Engine.NUMBA.value
    held_out: Sequence[ImageSet] = ()
    n_replicates: int = N_REPLICATES
    null: str | None = None
    """What null groups are drawn from; None: the exact null, where there are enough images."""


@dataclass(frozen=True)
class Found:
    """What the scans found, and how unusual it is for normal images."""

    n_background: int
    n_nodes: int
    images: ImageScan
    group: GroupScan
    image_calibration: ImageCalibration | None
    group_calibration: GroupCalibration | None
    duration_ms: int


def run_scan(*, progress: Progress | None = None, **request: Any) -> Scan:
    """Scan images one by one and as a group, calibrate, and record everything.

    The arguments are the fields of `ScanRequest`. DomainError where they cannot be; then
    nothing is recorded.
    """
    asked = ScanRequest(**request)
    return record_scan(asked, search(asked, progress=progress))


def node_shape(image_set: ImageSet, layer: str, n_nodes: int) -> list[int]:
    """The shape of `layer` as the model tells it, else one axis of nodes."""
    shapes = {entry["name"]: entry["shape"] for entry in image_set.model.layers} if (
        image_set.model
    ) else {}  # fmt: skip
    return list(shapes.get(layer, [n_nodes]))


def check_request(asked: ScanRequest) -> str:
    """DomainError where the sets cannot be scanned together; else the null of the group.

    The null is empty where the group cannot be calibrated, for want of held-out images.
    """
    for image_set in [asked.background, *asked.test_sets, *asked.held_out]:
        if image_set.workspace_id != asked.workspace.pk:
            raise DomainError(
                "other_workspace",
                f"image set “{image_set.name}” must belong to workspace “{asked.workspace.name}”",
            )
    if asked.background in asked.test_sets:
        raise DomainError(
            "background_tested",
            f"the background “{asked.background.name}” must not be among the sets that are tested",
        )
    if not asked.test_sets:
        raise DomainError("nothing_to_scan", "name at least one image set to scan")
    for image_set in asked.held_out:
        check_held_out(asked, image_set)
    for image_set in [asked.background, *asked.test_sets, *asked.held_out]:
        require_layer(image_set, asked)
    if Scan.objects.filter(workspace=asked.workspace, name=asked.name).exists():
        raise DomainError("name_taken", f"There is already a scan called “{asked.name}”")
    return choose_null(asked)


def require_layer(image_set: ImageSet, asked: ScanRequest) -> None:
    """DomainError where the set does not keep the layer: which do, and what all of them keep."""
    if asked.layer in image_set.layers:
        return
    shared = shared_layers([asked.background, *asked.test_sets, *asked.held_out])
    keeps = ", ".join(image_set.layers) or "none are kept"
    raise DomainError(
        "unknown_layer",
        f"layer must be one that image set “{image_set.name}” keeps ({keeps}); got "
        f"{asked.layer!r}. The chosen sets have in common: {', '.join(shared) or 'no layer'}",
    )


def shared_layers(sets: Sequence[ImageSet]) -> list[str]:
    """The layers that every one of `sets` keeps, in the order of the first."""
    return [layer for layer in sets[0].layers if all(layer in each.layers for each in sets)]


def check_held_out(asked: ScanRequest, held_out: ImageSet) -> None:
    """DomainError unless the set holds other normal images, from the background's model."""
    name = f"the held-out set “{held_out.name}”"
    # By content too: the same images under two names would still be the same images.
    if same_images(held_out, asked.background):
        raise DomainError(
            "held_out_is_background", f"{name} must hold other images than the background"
        )
    if any(same_images(held_out, tested) for tested in asked.test_sets):
        raise DomainError(
            "held_out_is_tested", f"{name} must hold other images than those that are tested"
        )
    if held_out.model_id != asked.background.model_id:
        raise DomainError(
            "held_out_other_model", f"{name} must come from the background’s model, as it is normal"
        )
    if Image.objects.filter(image_set=held_out).exclude(process=Process.NORMAL).exists():
        raise DomainError("held_out_not_normal", f"{name} must hold normal images only")


def same_images(first: ImageSet, second: ImageSet) -> bool:
    return first == second or (
        bool(first.activations_sha256) and first.activations_sha256 == second.activations_sha256
    )


def choose_null(asked: ScanRequest) -> str:
    """What null groups are drawn from; empty where there are too few held-out images."""
    if not asked.held_out:
        return ""
    n_held_out = Image.objects.filter(image_set__in=asked.held_out).count()
    n_tested = Image.objects.filter(image_set__in=asked.test_sets).count()
    if n_held_out < MIN_HELD_OUT:
        raise DomainError(
            "too_few_held_out",
            f"calibration needs at least {MIN_HELD_OUT} held-out images; got {n_held_out}",
        )
    needed = {
        NullKind.HELD_OUT.value: GROUPS_HELD_OUT * n_tested,
        NullKind.POOLED.value: n_tested,
    }
    if asked.null is None:
        return NullKind.POOLED.value if n_held_out >= n_tested else ""
    if asked.null not in NullKind.values:
        raise DomainError(
            "unknown_null", f"null must be one of {', '.join(NullKind.values)}; got {asked.null!r}"
        )
    if n_held_out < needed[asked.null]:
        raise DomainError(
            "too_few_held_out",
            f"the {asked.null} null for a group of {n_tested} images needs at least "
            f"{needed[asked.null]} held-out images; got {n_held_out}",
        )
    return asked.null


def search(asked: ScanRequest, *, progress: Progress | None = None) -> Found:
    """Scan and calibrate as `asked`; nothing is written.

    DomainError where it cannot be, or the cluster that should do it cannot be reached.
    `progress` may raise to stop the search between two steps or null groups.
    """
    null = check_request(asked)
    total = N_STEPS + (asked.n_replicates if null else 0)

    def step(done: int, message: str) -> None:
        if progress is not None:
            progress(done, total, message)

    started = time.perf_counter()
    try:
        step(0, "comparing activations with the background")
        test, normal = ranked(asked)
        step(1, "scanning images")
        images = scanned(test, asked)
        step(2, "scanning the group")
        group = scan_group(test, **group_search(asked))
        calibrated: tuple[ImageCalibration | None, GroupCalibration | None] = (None, None)
        if normal is not None:
            step(3, "scanning held-out images")
            calibrated = (
                calibrate_images(
                    scanned(normal, asked),
                    images,
                    statistic=asked.statistic,
                    alpha_max=asked.alpha_max,
                    confidence=CONFIDENCE,
                ),
                calibrated_group(test, normal, group, null, asked, step) if null else None,
            )
    except ValueError as error:
        raise DomainError("bad_scan_parameter", str(error)) from error
    except (ConnectionError, ModuleNotFoundError) as error:
        raise DomainError("cluster_unreachable", f"MUSESCAN_CLUSTER: {error}") from error
    except ChildProcessError as error:
        raise DomainError("workers_lost", str(error)) from error
    return Found(
        n_background=test.n_background,
        n_nodes=test.shape[1],
        images=images,
        group=group,
        image_calibration=calibrated[0],
        group_calibration=calibrated[1],
        duration_ms=round(1000 * (time.perf_counter() - started)),
    )


def ranked(asked: ScanRequest) -> tuple[RankedPvalues, RankedPvalues | None]:
    """p-values against the background, as small integers: of the tested and held-out images."""

    def activations(sets: Sequence[ImageSet]) -> np.ndarray:
        name = f"layer:{asked.layer}"
        return np.concatenate([files.load_array(each.activations_sha256, name) for each in sets])

    background = Background.fit(activations([asked.background]))
    test = background.ranks(activations(asked.test_sets), tail=asked.tail)
    if not asked.held_out:
        return test, None
    return test, background.ranks(activations(asked.held_out), tail=asked.tail)


def spread() -> dict[str, Any]:
    """Where independent tasks are computed."""
    return {"n_workers": settings.SCAN_WORKERS, "cluster": settings.CLUSTER or None}


def scanned(pvalues: RankedPvalues, asked: ScanRequest) -> ImageScan:
    """The individual scans, spread where there is something to spread them over."""
    how: dict[str, Any] = {"statistic": str(asked.statistic), "alpha_max": asked.alpha_max}
    if settings.CLUSTER or settings.SCAN_WORKERS > 1:
        return scan_image_blocks(pvalues, **how, **spread())
    return scan_images(pvalues, **how)


def group_search(asked: ScanRequest) -> dict[str, Any]:
    """The parameters of the group scan, in values that processes without Django can read."""
    names = (
        "statistic", "alpha_max", "n_restarts", "seed", "max_images", "max_nodes", "engine",
    )  # fmt: skip
    values = {name: getattr(asked, name) for name in names}
    return {name: str(each) if isinstance(each, str) else each for name, each in values.items()}


def calibrated_group(
    test: RankedPvalues,
    normal: RankedPvalues,
    group: GroupScan,
    null: str,
    asked: ScanRequest,
    step: Callable[[int, str], None],
) -> GroupCalibration:
    """p of the group's score. The pooled null needs the group's p-values, and scans them again."""
    return calibrate_group(
        normal,
        test if null == NullKind.POOLED else group,
        group_size=len(test),
        n_replicates=asked.n_replicates,
        null=null,
        confidence=CONFIDENCE,
        progress=lambda done, _, message: step(N_STEPS + done, message),
        **group_search(asked),
        **spread(),
    )


@transaction.atomic
def record_scan(asked: ScanRequest, found: Found) -> Scan:
    """Record what was found, whole or not at all."""
    group = found.group
    scan = save_valid(
        Scan(
            workspace=asked.workspace,
            name=asked.name,
            model=asked.background.model,
            background=asked.background,
            layer=asked.layer,
            tail=asked.tail,
            statistic=asked.statistic,
            alpha_max=asked.alpha_max,
            n_restarts=asked.n_restarts,
            seed=asked.seed,
            max_images=asked.max_images,
            max_nodes=asked.max_nodes,
            engine=asked.engine,
            n_background=found.n_background,
            n_images=len(found.images),
            n_nodes=found.n_nodes,
            node_shape=node_shape(asked.background, asked.layer, found.n_nodes),
            group_score=group.score,
            group_alpha=none_for_nan(group.alpha),
            group_n_images=len(group.images),
            group_nodes=NodeSet(group.nodes),
            is_exact=group.is_exact,
            details=search_details(group),
            versions=versions(),
            duration_ms=found.duration_ms,
            **calibration_fields(found),
        )
    )
    scan.test_sets.set(asked.test_sets)
    scan.held_out.set(asked.held_out)
    rows = result_rows(scan, asked, found)
    while batch := list(islice(rows, BATCH)):
        ScanResult.objects.bulk_create(batch)
    return scan


def result_rows(scan: Scan, asked: ScanRequest, found: Found) -> Iterator[ScanResult]:
    """A row per tested image, in the order of the sets and of the images in each."""
    images, calibration = found.images, found.image_calibration
    in_group = np.zeros(len(images), dtype=bool)
    in_group[found.group.images] = True
    keys = [
        key
        for image_set in asked.test_sets
        for key in Image.objects.filter(image_set=image_set)
        .order_by("position")
        .values_list("pk", flat=True)
    ]
    for i, key in enumerate(keys):
        yield ScanResult(
            scan=scan,
            image_id=key,
            score=float(images.scores[i]),
            size=int(images.sizes[i]),
            alpha=none_for_nan(images.alphas[i]),
            nodes=images.nodes(i),
            in_group=bool(in_group[i]),
            n_exceeding=None if calibration is None else int(calibration.n_exceeding[i]),
            pvalue=None if calibration is None else float(calibration.pvalues[i]),
        )


def calibration_fields(found: Found) -> dict[str, Any]:
    """What a scan records of its calibration; nothing where there is none."""
    images, group = found.image_calibration, found.group_calibration
    fields: dict[str, Any] = {}
    if images is not None:
        fields |= {"n_held_out": len(images.null_scores), "confidence": images.confidence}
    if group is not None:
        low, high = group.interval
        fields |= {
            "null_kind": group.null,
            "n_replicates": len(group.null_scores),
            "calibration_seed": group.seed,
            "null_scores": group.null_scores.tolist(),
            "group_n_exceeding": group.n_exceeding,
            "group_pvalue": group.pvalue,
            "group_pvalue_low": low,
            "group_pvalue_high": high,
        }
    return fields


def pvalue_interval(result: ScanResult) -> tuple[float, float] | None:
    """Clopper–Pearson interval of how often a normal image scores as high as this one."""
    if result.n_exceeding is None:
        return None
    seen = binomtest(result.n_exceeding, result.scan.n_held_out)
    bounds = seen.proportion_ci(result.scan.confidence, method="exact")
    return float(bounds.low), float(bounds.high)


def search_details(group: GroupScan) -> dict[str, Any]:
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
