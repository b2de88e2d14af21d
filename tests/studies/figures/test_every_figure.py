import re

import pytest

from studies.figures import render, spec

FIGURES = ["scatter", "scatter of score", "distribution", "labels"]


def strings(value):
    """All strings in a specification."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize(("width", "px"), [("89mm", 336), ("183mm", 692), ("container", 692)])
def test_renders_at_its_whole_width(charts, name, width, px):
    svg = render(charts[name](width=width)).decode()
    assert float(re.search(r'width="([\d.]+)"', svg)[1]) == pytest.approx(px, abs=1)


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("mark", ["simulated raters", "pilot participants"])
def test_watermark_is_there_exactly_when_ratings_are_none_of_the_study(charts, name, dark, mark):
    marked = charts[name](mark=mark, dark=dark)
    assert mark in render(marked).decode()
    assert spec(marked)["description"].lower().startswith(mark)
    assert mark not in render(charts[name](dark=dark)).decode().lower()


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize(("width", "mm"), [("89mm", 89), ("183mm", 183)])
def test_pdf_is_a_page_of_the_figures_size_with_text_as_text(charts, name, width, mm):
    pdf = render(charts[name](width=width), "pdf")
    assert pdf.startswith(b"%PDF-")
    across = float(re.search(rb"/MediaBox ?\[0 0 ([\d.]+) ", pdf)[1])
    assert across == pytest.approx(mm / 25.4 * 72, abs=1)
    assert b"/Font" in pdf


@pytest.mark.parametrize("name", FIGURES)
def test_refers_to_nothing_outside_but_its_schema(charts, name):
    specification = spec(charts[name]())
    schema = specification.pop("$schema")
    assert schema.startswith("https://vega.github.io/schema/vega-lite/")
    assert not [text for text in strings(specification) if "//" in text]


@pytest.mark.parametrize("name", FIGURES)
def test_page_figure_is_as_wide_as_its_place_and_says_what_is_seen(charts, name):
    specification = spec(charts[name]())
    assert specification["width"] == "container"
    assert len(specification["description"]) > 40
    assert specification["config"]["background"] == "transparent"


def test_png_scales(charts):
    small, large = (render(charts["labels"](), "png", scale=scale) for scale in (1, 2))
    assert small.startswith(b"\x89PNG")
    assert len(large) > len(small)


def test_unknown_format_and_scale_are_refused(charts):
    with pytest.raises(ValueError, match="format must be 'svg', 'png' or 'pdf'; got 'gif'"):
        render(charts["labels"](), "gif")
    with pytest.raises(ValueError, match="scale must be positive; got 0"):
        render(charts["labels"](), scale=0)
