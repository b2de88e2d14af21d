"""Drawings that are no charts: the flow of participants, and images with maps of nodes."""

import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from studies.figures import MappedImage, Step, image_maps, node_map, participant_flow, render

STEPS = [
    Step("Agreed to take part", 130, [("Did not pass <the> check", 6), ("Late", 0)]),
    Step("Gave a rating", 124, [("Excluded & gone", 4)], notes=["110 finished"]),
    Step("Analysed", 120),
]


def words(svg):
    root = ElementTree.fromstring(svg)
    return " ".join(text.text for text in root.iter() if text.text).replace("\u00a0", " ")


def picture(side=8):
    written = io.BytesIO()
    Image.fromarray(np.arange(side * side, dtype=np.uint8).reshape(side, side)).save(written, "PNG")
    return written.getvalue()


def mapped(n_nodes=5, process="creative", shape=(4, 4, 4)):
    return MappedImage(
        process, ["5.20 [4.1, 6.3]", "in <the> subset"], picture(), "image/png", 8, 8,
        node_map(shape, list(range(n_nodes)), (8, 8)),
    )  # fmt: skip


def test_flow_tells_who_came_how_far_and_why_not_further():
    told = words(participant_flow(STEPS))
    for each in ("Agreed to take part (n = 130)", "Did not pass <the> check (n = 6)",
                 "Excluded & gone (n = 4)", "110 finished", "Analysed (n = 120)"):  # fmt: skip
        assert each in told
    assert "Late" not in told


def test_drawings_say_what_is_seen():
    for svg in (participant_flow(STEPS), image_maps([("Highest", [mapped()])])):
        root = ElementTree.fromstring(svg)
        assert root.get("role") == "img"
        assert len(root.get("aria-label")) > 60


@pytest.mark.parametrize("mark", ["simulated raters", "pilot participants"])
def test_drawings_are_marked_when_ratings_are_none_of_the_study(mark):
    for draw in (
        lambda **options: participant_flow(STEPS, **options),
        lambda **options: image_maps([("Highest", [mapped()])], **options),
    ):
        assert mark in words(draw(mark=mark))
        assert mark not in words(draw())


@pytest.mark.parametrize("format_", ["png", "pdf"])
def test_drawings_become_files(format_):
    begins = {"png": b"\x89PNG", "pdf": b"%PDF-"}[format_]
    assert render(participant_flow(STEPS), format_).startswith(begins)
    assert render(image_maps([("Highest", [mapped()])]), format_).startswith(begins)


def test_pictures_are_embedded_whole_and_enlarged_by_whole_multiples():
    svg = image_maps([("Highest", [mapped()]), ("Lowest", [mapped(process="normal")])])
    images = re.findall(r'<image [^>]*width="(\d+)" height="(\d+)"', svg)
    assert len(images) == 2
    assert all(int(wide) % 8 == 0 and wide == high for wide, high in images)
    assert "data:image/png;base64," in svg
    assert "#D1663A" in svg
    assert "#5B7C99" in svg


def test_an_image_without_nodes_is_drawn():
    assert "0 of 64 nodes" in image_maps([("Lowest", [mapped(n_nodes=0)])])


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="at least one; got none"):
        participant_flow([])
    with pytest.raises(ValueError, match="at least one image; got none"):
        image_maps([("Highest", [])])
