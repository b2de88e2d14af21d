"""Scans of kept activations, recorded whole or not at all."""

import numpy as np
import pytest

from scanning import Background, scan_group, scan_images
from studies.errors import DomainError
from studies.models import Image, ImageSet, Process, Scan
from studies.services import files
from studies.services.detection import detection_power
from studies.services.generation import create_image_set
from studies.services.scans import run_scan
from tests.studies import factories

pytestmark = pytest.mark.django_db
LAYER = factories.LAYER


@pytest.fixture
def workspace():
    return factories.workspace()


def make_set(workspace, name, n, **more):
    return factories.kept_set(n, workspace=workspace, name=name, **more)


@pytest.fixture
def sets(workspace):
    return (
        make_set(workspace, "background", 60, seed=1),
        make_set(workspace, "normal", 20, seed=2),
        make_set(workspace, "creative", 20, seed=3, shift=3.0, process=Process.CREATIVE),
    )


def scan_of(workspace, sets, **changes):
    background, *test_sets = sets
    parameters = {"layer": LAYER, "n_restarts": 2, "seed": 4} | changes
    return run_scan(
        workspace=workspace,
        name="scan",
        background=parameters.pop("background", background),
        test_sets=parameters.pop("test_sets", test_sets),
        **parameters,
    )


def test_what_is_recorded_is_what_the_library_finds(workspace, sets):
    scan = scan_of(workspace, sets)
    background, *test_sets = (
        files.load_array(each.activations_sha256, f"layer:{LAYER}") for each in sets
    )
    pvalues = Background.fit(background).pvalues(np.concatenate(test_sets), tail="upper")
    images = scan_images(pvalues)
    group = scan_group(pvalues, n_restarts=2, seed=4)
    results = list(scan.results.order_by("image__image_set", "image__position"))
    assert [r.score for r in results] == pytest.approx(list(images.scores))
    assert [r.size for r in results] == list(images.sizes)
    assert all(list(r.nodes) == list(images.nodes(i)) for i, r in enumerate(results))
    assert [i for i, r in enumerate(results) if r.in_group] == list(group.images)
    assert list(scan.group_nodes) == list(group.nodes)
    assert (scan.group_score, scan.group_alpha) == pytest.approx((group.score, group.alpha))
    assert scan.n_background == 60
    assert scan.versions["numpy"] == np.__version__


def test_a_planted_anomaly_is_found(workspace, sets):
    scan = scan_of(workspace, sets)
    score, _ = detection_power(scan=scan)
    assert score["estimate"] > 0.9
    assert set(range(6)) <= set(scan.group_nodes)


def test_an_image_without_anything_anomalous_is_recorded(workspace, sets):
    scan = scan_of(workspace, sets, alpha_max=0.01)
    assert all(
        (r.alpha is None) == (r.size == 0) == (len(r.nodes) == 0) for r in scan.results.all()
    )
    assert scan.results.filter(size=0).exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"layer": "decoder.nowhere"}, r"layer must be one that .* keeps \(decoder.dense1\)"),
        ({"alpha_max": 1.5}, r"alpha_max must be in \(0, 1\]; got 1.5"),
        ({"alpha_max": 0}, r"alpha_max must be in \(0, 1\]; got 0"),
        ({"statistic": "student"}, "berk_jones"),
        ({"tail": "left"}, "two-sided"),
        ({"test_sets": []}, "at least one image set"),
    ],
)
def test_bad_parameters_are_refused_and_nothing_is_recorded(workspace, sets, changes, words):
    with pytest.raises(DomainError, match=words):
        scan_of(workspace, sets, **changes)
    assert not Scan.objects.exists()


def test_the_background_is_not_tested(workspace, sets):
    with pytest.raises(DomainError, match="must not be among the sets"):
        scan_of(workspace, sets, test_sets=[sets[0]])


def test_sets_of_another_workspace_are_refused(sets):
    with pytest.raises(DomainError, match="must belong to workspace"):
        scan_of(factories.workspace(), sets)


def test_another_number_of_nodes_is_refused(workspace, sets):
    narrow = make_set(workspace, "narrow", 5, seed=5, n_nodes=29)
    with pytest.raises(DomainError, match="29"):
        scan_of(workspace, sets, test_sets=[narrow])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_activations_that_are_not_numbers_are_refused(workspace, sets, bad):
    values = np.zeros((3, 30), dtype=np.float32)
    values[1, 2] = bad
    broken = create_image_set(
        workspace=workspace,
        name="broken",
        process=Process.NORMAL,
        images=np.zeros((3, 8, 8), dtype=np.uint8),
        latents=np.zeros((3, 2), dtype=np.float32),
        activations={LAYER: values},
        model=None,
        generation={},
    )
    with pytest.raises(DomainError, match="finite"):
        scan_of(workspace, sets, test_sets=[broken])
    assert not Scan.objects.exists()


def test_activations_that_do_not_match_the_images_are_refused(workspace):
    with pytest.raises(DomainError, match="one row per image; got 4 rows for 3 images"):
        create_image_set(
            workspace=workspace,
            name="broken",
            process=Process.NORMAL,
            images=np.zeros((3, 8, 8), dtype=np.uint8),
            latents=np.zeros((3, 2), dtype=np.float32),
            activations={LAYER: np.zeros((4, 5), dtype=np.float32)},
            model=None,
            generation={},
        )
    assert not ImageSet.objects.exists()


def test_the_same_picture_is_kept_once_and_named_by_its_content(workspace):
    create_image_set(
        workspace=workspace,
        name="twins",
        process=Process.NORMAL,
        images=np.zeros((2, 8, 8), dtype=np.uint8),
        latents=np.zeros((2, 2), dtype=np.float32),
        activations={},
        model=None,
        generation={},
    )
    first, second = Image.objects.all()
    assert first.sha256 == second.sha256 == files.sha256_of(files.path_of("images", first.sha256))
    assert first.public_id != second.public_id
