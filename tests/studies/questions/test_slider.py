"""Sliders: a place on a line, as a number."""

import math
from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from studies.questions import AnswerError, question_type
from tests.studies.questions.rendering import Form, rendered
from tests.studies.questions.strategies import SCALARS

SLIDER = question_type("slider")
VAS = {"low": "Not at all creative", "high": "Extremely creative"}
FINE = {**VAS, "min": -1, "max": 1, "step": 0.1}
ANY = {**VAS, "min": 0, "max": 1, "step": "any"}


@st.composite
def lines(draw):
    """A line of whole steps, and one place on it in decimal digits."""
    step = Decimal(draw(st.integers(1, 500))).scaleb(draw(st.integers(-4, 1)))
    lowest = Decimal(draw(st.integers(-1000, 1000))).scaleb(draw(st.integers(-2, 0)))
    n_steps = draw(st.integers(1, 200))
    highest = lowest + n_steps * step
    options = {**VAS, "min": float(lowest), "max": float(highest), "step": float(step)}
    return options, lowest + draw(st.integers(0, n_steps)) * step


@given(lines())
def test_every_place_on_the_line_comes_back_from_the_form_as_itself(line):
    options, place = line
    SLIDER.check_options(options)
    form = Form(rendered("slider", options, selected=f"{place:f}"))
    assert form.sent == {"q": f"{place:f}"}
    answer = SLIDER.parse(SLIDER.gather(form.sent, "q"), options)
    assert answer.number == float(place)
    assert answer.value == answer.number
    assert answer.label == {
        Decimal(str(options["min"])): VAS["low"],
        Decimal(str(options["max"])): VAS["high"],
    }.get(place, str(answer.value))


@given(st.integers(0, 100))
def test_whole_places_are_stored_as_whole_numbers(place):
    answer = SLIDER.parse(str(place), VAS)
    assert isinstance(answer.value, int)
    assert answer.value == place
    assert answer.number == float(place)


@given(st.floats(0, 1))
def test_with_any_step_the_place_is_stored_as_it_was_pressed(place):
    answer = SLIDER.parse(repr(place), ANY)
    assert answer.value == answer.number == place
    assert math.copysign(1, answer.number) == 1


@given(SCALARS)
def test_anything_that_is_no_place_is_refused_with_what_is_allowed(raw):
    try:
        number = float(str(raw))
    except ValueError:
        number = math.nan
    if 0 <= number <= 100 and number == int(number):
        return
    with pytest.raises(AnswerError, match=r"Choose a whole number from 0 to 100\."):
        SLIDER.parse(raw, VAS)


@pytest.mark.parametrize("raw", ["0.05", "1.1", "-1.1", "nan", "Infinity", "1e99", "0,5", "٣", ""])
def test_places_off_the_line_or_between_its_steps_are_refused(raw):
    with pytest.raises(AnswerError, match=r"Choose a number from -1 to 1 in steps of 0\.1\."):
        SLIDER.parse(raw, FINE)
    with pytest.raises(AnswerError, match=r"Choose a number from -1 to 1\."):
        SLIDER.parse("2", {**FINE, "step": "any"})


def test_the_ends_are_its_choices():
    assert [(c.value, c.label) for c in SLIDER.choices({**VAS, "min": -100, "max": 0})] == [
        ("-100", "Not at all creative"),
        ("0", "Extremely creative"),
    ]


@pytest.mark.parametrize("language", ["en", "de"])
def test_numbers_in_the_form_are_numbers_in_every_language(language):
    with translation.override(language):
        form = Form(rendered("slider", {**VAS, "min": -1.5, "max": 1000, "step": 0.5}))
    for kind in ("number", "range"):
        (control,) = form.having(type=kind)
        assert (control["min"], control["max"], control["step"]) == ("-1.5", "1000", "0.5")


def test_the_range_sends_nothing_until_a_script_has_it():
    (control,) = Form(rendered("slider", VAS)).having(type="range")
    assert "disabled" in control
    assert "name" not in control


def test_the_value_is_shown_only_if_asked_for():
    assert not Form(rendered("slider", VAS)).having(**{"class": "value"})
    assert Form(rendered("slider", {**VAS, "show_value": True})).having(**{"class": "value"})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({**VAS, "low": ""}, "low must be the words"),
        ({**VAS, "high": 5}, "high must be the words"),
        ({**VAS, "min": "0"}, "min must be a number from -1000000 to 1000000; got '0'"),
        ({**VAS, "max": math.nan}, "max must be a number .*; got nan"),
        ({**VAS, "max": 10**400}, "max must be a number"),
        ({**VAS, "min": True}, "min must be a number .*; got True"),
        ({**VAS, "min": 100}, "max must be greater than min; got 100 and 100"),
        ({**VAS, "step": 0}, "step must be a number from 0.000001 up, or “any”; got 0"),
        ({**VAS, "step": -1}, "step must be a number"),
        ({**VAS, "step": "all"}, "step must be a number .*; got 'all'"),
        ({**VAS, "step": 3}, "step must divide the line from 0 to 100 into whole steps; got 3"),
        ({**VAS, "show_value": "yes"}, "show_value must be true or false; got 'yes'"),
    ],
)
def test_options_that_describe_no_line_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        SLIDER.check_options(options)
