"""Image sets, single images, their files and node maps; models and scans."""

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from studies.figures.node_maps import node_map
from studies.models import Image, Role
from studies.templatetags.workspace import displayed_size, duration
from tests.studies import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def lab():
    return factories.workspace()


@pytest.fixture
def viewer(client, lab):
    client.force_login(factories.user(Role.VIEWER, workspace=lab))
    return client


def at(name, *args):
    return reverse(f"workspace:{name}", args=args)


def n_queries(client, address):
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


@pytest.mark.parametrize("name", ["image-sets", "scans"])
def test_without_anything_the_pages_say_what_to_do(viewer, name):
    assert "python manage.py demo" in viewer.get(at(name)).content.decode()


def test_sets_are_listed_with_their_first_images(viewer, lab):
    made = factories.image_set(9, workspace=lab)
    page = viewer.get(at("image-sets")).content.decode()
    assert made.name in page
    assert page.count("<img") == 6


def test_a_set_is_a_contact_sheet_in_order(viewer, lab):
    made = factories.image_set(100, workspace=lab)
    first = viewer.get(at("image-set", made.pk))
    assert [image.position for image in first.context["page"]] == list(range(96))
    second = viewer.get(at("image-set", made.pk), {"page": 2})
    assert [image.position for image in second.context["page"]] == list(range(96, 100))


def test_an_image_tells_what_each_scan_found(viewer, lab):
    scan = factories.scan(workspace=lab)
    result = scan.results.filter(in_group=True).first()
    page = viewer.get(at("image", result.image.public_id)).content.decode()
    assert scan.name in page
    assert f"{result.size} of 64 nodes are in the subset" in page
    assert 'role="img"' in page


def test_an_image_where_nothing_is_anomalous_says_so(viewer, lab):
    scan = factories.scan(workspace=lab)
    result = scan.results.get(size=0)
    page = viewer.get(at("image", result.image.public_id)).content.decode()
    assert "nothing is anomalous" in page
    assert "0 of 64 nodes are in the subset" in page


def test_an_image_that_was_not_scanned_says_so(viewer, lab):
    image = factories.image_set(1, workspace=lab).images.get()
    page = viewer.get(at("image", image.public_id)).content.decode()
    assert "Not scanned yet" in page


@pytest.mark.parametrize("wanted", ["0", "x", "999999"])
def test_a_scan_that_did_not_test_the_image_is_not_there(viewer, lab, wanted):
    image = factories.scan(workspace=lab).results.first().image
    assert viewer.get(at("image", image.public_id), {"scan": wanted}).status_code == 404


def test_the_file_is_the_image_and_says_nothing_else(viewer, lab):
    image = factories.image_set(1, workspace=lab).images.get()
    response = viewer.get(at("image-file", image.public_id))
    assert response.getvalue().startswith(b"\x89PNG")
    assert response["Content-Type"] == "image/png"
    assert "private" in response["Cache-Control"]
    assert "Content-Disposition" not in response


def test_a_scan_shows_every_parameter(viewer, lab):
    scan = factories.scan(workspace=lab)
    page = viewer.get(at("scan", scan.pk)).content.decode()
    for told in ("decoder.2", "Upper", "Berk–Jones", "0.5", "15 ms", scan.background.name):
        assert told in page
    for row in scan.test_sets.all():
        assert row.name in page


def test_a_scan_tells_how_well_it_separates(viewer, lab):
    powers = viewer.get(at("scan", factories.scan(workspace=lab).pk)).context["powers"]
    # The factory's creative images all have larger subsets and higher scores.
    assert [(row["measure"], row["estimate"]) for row in powers] == [("score", 1.0), ("size", 1.0)]


@pytest.mark.parametrize("predictor", ["size", "score"])
def test_distributions_come_as_specification_and_file(viewer, lab, predictor):
    scan = factories.scan(workspace=lab)
    specification = viewer.get(at("scan-figure", scan.pk, predictor, "json")).json()
    assert specification["width"] == "container"
    svg = viewer.get(at("scan-figure", scan.pk, predictor, "svg"))
    assert svg["Content-Type"] == "image/svg+xml"
    assert svg.content.startswith(b"<svg")


def test_the_number_of_queries_does_not_grow_with_images(viewer, lab):
    counts = {"image-set": [], "image": [], "scan": []}
    for n in (10, 20):
        scan = factories.scan(n_images=n, workspace=lab)
        image = scan.results.first().image
        counts["image-set"].append(n_queries(viewer, at("image-set", image.image_set_id)))
        counts["image"].append(n_queries(viewer, at("image", image.public_id)))
        counts["scan"].append(n_queries(viewer, at("scan", scan.pk)))
    # The first image of a set has no neighbour before it, whatever the size of the set.
    assert {name: a - b for name, (a, b) in counts.items()} == dict.fromkeys(counts, 0)


@pytest.mark.parametrize("name", ["image-sets", "scans"])
def test_the_number_of_queries_of_lists_does_not_grow(viewer, lab, name):
    counts = []
    for _ in range(2):
        for _ in range(5):
            factories.scan(n_images=2, workspace=lab)
        counts.append(n_queries(viewer, at(name)))
    assert counts[0] == counts[1]
    assert Image.objects.count() > 20


def covered(path):
    """The area of a path of `node_map`, in nodes of a layer of channels or pixels."""
    return sum(int(part.split("h")[1].split("v")[0]) for part in path.split("M") if part)


@pytest.mark.parametrize(
    ("shape", "kind", "n_panels"),
    [
        ([64, 7, 7], "channels", 64),
        ([5, 3, 3], "channels", 5),
        ([1, 7, 7], "channels", 1),
        ([256], "strips", 4),
        ([100], "strips", 2),
        ([1, 28, 28], "pixels", 1),
    ],
)
def test_node_maps_draw_every_node_once(shape, kind, n_panels):
    n = int(np.prod(shape))
    nodes = np.sort(np.random.default_rng(0).choice(n, n // 3, replace=False))
    drawn = node_map(shape, nodes, (28, 28))
    assert drawn.kind == kind
    assert len(drawn.panels) == n_panels
    assert sum(covered(panel.path) for panel in drawn.panels) == len(nodes)
    for panel in drawn.panels:
        assert panel.x + panel.width <= drawn.width + 1e-9
        assert panel.y + panel.height <= drawn.height + 1e-9


def test_a_pixel_of_several_colours_is_drawn_once():
    nodes = np.array([0, 1, 4, 9])  # pixels 0 and 1 of red, 0 of green, 1 of blue
    drawn = node_map([3, 2, 2], nodes, (2, 2))
    assert drawn.kind == "pixels"
    assert covered(drawn.panels[0].path) == 2


def test_an_empty_subset_is_drawn_empty():
    drawn = node_map([4, 2, 2], np.empty(0, dtype=np.int64), (28, 28))
    assert not any(panel.path for panel in drawn.panels)
    assert drawn.summary.startswith("0 of 16 nodes")


@pytest.mark.parametrize(
    ("size", "box", "shown"),
    [((28, 28), 56, (56, 56)), ((28, 28), 84, (84, 84)), ((30, 10), 84, (60, 20)),
     ((84, 84), 84, (84, 84)), ((1000, 500), 100, (100, 50))],
)  # fmt: skip
def test_pictures_grow_by_whole_multiples_and_keep_their_shape(size, box, shown):
    assert displayed_size(*size, box) == shown


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(None, "–"), (440, "440 ms"), (2650, "2.6 s"), (59_400, "59 s"), (254_000, "4 min 14 s"),
     (7_260_000, "2 h 1 min"), (90_000_000, "1 d 1 h")],
)  # fmt: skip
def test_durations_are_told_in_two_units(milliseconds, words):
    assert duration(milliseconds) == words
