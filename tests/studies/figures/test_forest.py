import html
import re

import pytest

from studies.figures import Panel, Row, forest, render, spec

ROWS = [
    Row("subset size, rater’s slopes", 0.42, (0.2, 0.64), is_main=True),
    Row("score", -0.3, None),
    Row("it's \\ odd", None, None),
]


def chart(**options):
    return forest([Panel("Models", "log odds per SD", ROWS)], **options)


def test_every_row_is_named_with_its_numbers_or_that_there_are_none():
    svg = html.unescape(render(chart()).decode())
    for words in ("rater’s slopes", "0.42 [0.20, 0.64]", "−0.30", "it's \\ odd", "not defined"):
        assert words in svg


def test_numbers_that_cannot_exceed_one_have_no_leading_zero():
    svg = render(forest([Panel("Ranks", "ρ", [Row("size", -0.5, (-0.7, 0.1))], bounded=True)]))
    assert "−.50 [−.70, .10]" in svg.decode()


def test_only_the_headline_is_filled():
    svg = render(chart()).decode()
    dots = re.findall(r'<path aria-label="[^"]*"[^>]*fill="([^"]+)"', svg)
    assert dots.count("#1D1B18") == 1
    assert len(dots) == 2


def test_panels_line_up_and_are_as_wide_as_a_page():
    panels = [
        Panel("A", "b", ROWS),
        Panel("B", "ρ", [Row("a much longer name than those", 1, None)]),
    ]
    svg = render(forest(panels)).decode()
    assert float(re.search(r'width="([\d.]+)"', svg)[1]) == pytest.approx(692, abs=40)


def test_alternative_text_has_the_estimates_and_whose_they_are():
    described = spec(chart(mark="simulated raters"))["description"]
    assert described.startswith("Simulated raters")
    assert "0.42 [0.20, 0.64]" in described


def test_the_watermark_is_in_every_panel():
    panels = [Panel("A", "b", ROWS), Panel("B", "ρ", ROWS)]
    svg = render(forest(panels, mark="pilot participants")).decode()
    assert svg.count(">pilot participants<") == 2


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="at least one row; got none"):
        forest([Panel("A", "b", [])])
