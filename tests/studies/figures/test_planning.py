import html
import re

import pandas as pd
import pytest

from studies.figures import plan_curves, render, spec
from tests.studies.figures.test_every_figure import strings


def plan(**changes):
    """Two sizes of image sets, each with two numbers of raters, at effects 0 and 0.4."""
    rows = [
        {
            "effect": effect,
            "n_images": n_images,
            "n_raters": n_images // 4 * k // 5,
            "ratings_per_image": k,
            "n_replicates": 100,
            "rejections": share,
            "rejections_low": share - 0.04,
            "rejections_high": share + 0.04,
            "width_mean": 0.8 - k / 50,
            "width_q10": 0.7 - k / 50,
            "width_q90": 0.9 - k / 50,
        }
        for effect, share in ((0.4, 0.8), (0.0, 0.05))
        for n_images in (40, 80)
        for k in (5, 10)
    ]
    return pd.DataFrame(rows).assign(**changes)


def words(chart):
    found = re.findall(r">([^<>]+)</", render(chart).decode())
    return {html.unescape(text) for text in found}


@pytest.mark.parametrize(
    ("width", "px", "dark"),
    [("89mm", 336, False), ("183mm", 692, False), ("container", 692, True)],
)
def test_fits_the_page_and_says_that_raters_are_simulated(width, px, dark):
    svg = render(plan_curves(plan(), width=width, dark=dark)).decode()
    assert 0.8 * px < float(re.search(r'width="([\d.]+)"', svg)[1]) <= px
    assert svg.count("simulated raters") >= 4


def test_each_effect_has_panels_of_its_own_and_zero_shows_the_error():
    told = words(plan_curves(plan(), alpha=0.01, confidence_level=0.9))
    assert {"Effect 0 log odds per SD", "Effect 0.4 log odds per SD"} <= told
    assert {"Power", "Type I error", "40 images", "80 images", "Raters"} <= told
    assert {"Width of the 90 % interval", "(log odds per SD)"} <= told
    assert any("p < 0.01" in text for text in told)


def test_a_line_joins_designs_that_differ_in_raters_alone():
    assert {"40 images × 5", "40 images × 10"} <= words(plan_curves(plan(n_raters=30)))
    assert "40 images × 5" not in words(plan_curves(plan()))


def test_designs_without_a_usable_fit_leave_gaps():
    lost = plan(width_mean=None, width_q10=None, width_q90=None)
    assert "Power" in words(plan_curves(lost))


def test_says_what_is_seen_and_refers_to_nothing_outside():
    specification = spec(plan_curves(plan()))
    assert specification["description"].startswith("Simulated studies, not people.")
    assert "0.80 with 20 raters" in specification["description"]
    specification.pop("$schema")
    assert not [text for text in strings(specification) if "//" in text]


def test_columns_that_are_missing_are_named():
    with pytest.raises(ValueError, match="missing: effect"):
        plan_curves(plan().drop(columns="effect"))
