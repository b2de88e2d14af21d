import html
import re

import pytest

from studies.figures import render, spec, specification_curve
from tests.studies.figures.test_every_figure import strings


def one(rules=(), estimate=0.3, **changes):
    return {
        "rules": list(rules),
        "n_raters": 40 - len(rules),
        "n_ratings": 800,
        "estimate": estimate,
        "interval": [estimate - 0.2, estimate + 0.2],
        "p": 0.01 if estimate > 0.25 else 0.2,
        "is_plan": False,
    } | changes


def curve(*specifications, rules=("fast", "same"), **summary):
    listed = specifications or (
        one(),
        one(["fast"], 0.41, is_plan=True),
        one(["same"], -0.1),
        one(["fast", "same"], 0.2),
    )
    counted = {
        "n": len(listed), "n_distinct": len(listed), "n_fitted": len(listed),
        "share_same_sign": 0.75, "share_significant": 0.5, "median": 0.25, "lowest": -0.1,
        "highest": 0.41,
    }  # fmt: skip
    return {"rules": list(rules), "specifications": list(listed), "summary": counted | summary}


def words(chart):
    found = re.findall(r">([^<>]+)</", render(chart).decode())
    return {html.unescape(text) for text in found}


def rows(chart, field):
    """The rows of the layer that shows `field`."""
    drawn = spec(chart)
    return next(
        each for each in drawn["datasets"].values() if each and field in each[0]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("width", "px", "dark"),
    [("89mm", 336, False), ("183mm", 692, False), ("container", 692, True)],
)
def test_renders_at_its_whole_width(width, px, dark):
    svg = render(specification_curve(curve(), width=width, dark=dark)).decode()
    assert float(re.search(r'width="([\d.]+)"', svg)[1]) == pytest.approx(px, abs=1)


def test_estimates_are_in_their_order_and_the_plans_is_in_words():
    chart = specification_curve(
        curve(), labels={"fast": "fast answers"}, planned=["fast"], unit="log odds per SD"
    )
    drawn = sorted(rows(chart, "fill"), key=lambda row: row["rank"])
    assert [row["estimate"] for row in drawn] == [-0.1, 0.2, 0.3, 0.41]
    told = words(chart)
    assert {"the plan’s: 0.41 [0.21, 0.61]", "no rule", "fast answers (planned)", "same"} <= told
    assert "Log odds per SD" in told


def test_dots_say_which_rules_leave_out():
    cells = rows(specification_curve(curve()), "is_on")
    on = {(cell["rank"], cell["line"]) for cell in cells if cell["is_on"]}
    # Ranks by estimate; lines are no rule, fast, same.
    assert on == {(1, 2), (2, 1), (2, 2), (3, 0), (4, 1)}


def test_significant_estimates_are_filled():
    drawn = rows(specification_curve(curve()), "fill")
    assert [row["significant"] for row in drawn] == [False, False, True, True]
    assert len({row["fill"] for row in drawn if not row["significant"]}) == 1


def test_fits_that_failed_come_last_and_are_marked():
    failed = one(["same"], problem="The fit did not converge.")
    undefined = one(["fast"], 0.1) | {"estimate": None, "interval": None, "p": None}
    chart = specification_curve(curve(one(is_plan=True), failed, undefined))
    assert "×" in words(chart)
    assert len(rows(chart, "fill")) == 1
    svg = render(chart).decode()
    assert "The fit did not converge." in html.unescape(svg)


def test_nothing_but_failures_and_estimates_without_intervals_are_drawn():
    nothing = one(problem="no")
    render(specification_curve(curve(nothing, median=None, share_same_sign=None)))
    render(specification_curve(curve(one(interval=None, p=None), one(["fast"], is_plan=True))))


def test_one_specification_has_no_matrix():
    told = words(specification_curve(curve(one(is_plan=True), rules=[])))
    assert "no rule" not in told
    assert any("No rule makes a difference" in text for text in told)


def test_many_are_drawn_with_ticks_and_a_sample_is_said():
    listed = [one([], place / 100, is_plan=place == 7) for place in range(200)]
    chart = specification_curve(curve(*listed, n=1024, n_distinct=900))
    told = words(chart)
    assert any("900 differ in whom they leave out" in text for text in told)
    assert any("200 drawn at random" in text for text in told)
    assert "tick" in [text for text in strings(spec(chart)) if text == "tick"]


@pytest.mark.parametrize("dark", [False, True])
def test_watermark_is_there_exactly_when_asked_for(dark):
    marked = specification_curve(curve(), dark=dark, mark="simulated raters")
    assert "simulated raters" in words(marked)
    assert spec(marked)["description"].startswith("Simulated raters")
    assert "simulated raters" not in words(specification_curve(curve(), dark=dark))


def test_says_what_is_seen_and_refers_to_nothing_outside():
    specification = spec(specification_curve(curve(), unit="log odds per SD"))
    assert specification["description"] == (
        "Specification curve: log odds per SD under 4 specifications; from −0.10 to 0.41, median "
        "0.25; the plan’s: 0.41 [0.21, 0.61]; 75% have its sign; 50% are significant."
    )
    assert specification["width"] == "container"
    specification.pop("$schema")
    assert not [text for text in strings(specification) if "//" in text]


def test_no_specification_is_refused():
    with pytest.raises(ValueError, match="at least one specification; got none"):
        specification_curve(curve() | {"specifications": []})
