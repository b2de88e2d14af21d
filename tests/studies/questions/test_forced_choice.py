"""Forced choice between two images."""

import pytest
from hypothesis import given

from studies.questions import AnswerError, question_type
from tests.studies.questions.rendering import Form, rendered
from tests.studies.questions.strategies import SCALARS

FORCED = question_type("forced_choice")
TIE = {"left": "The left one", "right": "The right one", "tie": "Both the same"}


@pytest.mark.parametrize("options", [{}, TIE, {"tie": "Equal"}])
def test_every_choice_comes_back_from_the_form_as_itself(options):
    FORCED.check_options(options)
    values = []
    for choice in FORCED.choices(options):
        form = Form(rendered("forced_choice", options, selected=choice.value))
        assert form.sent == {"q": choice.value}
        answer = FORCED.parse(FORCED.gather(form.sent, "q"), options)
        assert (answer.value, answer.label, answer.number) == (choice.value, choice.label, None)
        values.append(answer.value)
    assert values == ["left", "right", "tie"][: 3 if "tie" in options else 2]


@given(SCALARS)
def test_anything_that_is_no_choice_is_refused_with_what_is_allowed(raw):
    if raw in ("left", "right"):
        return
    with pytest.raises(AnswerError, match=r"Choose one of: Left image, Right image\."):
        FORCED.parse(raw, {})


def test_a_tie_is_an_answer_only_where_it_is_offered():
    assert FORCED.parse("tie", TIE).label == "Both the same"
    with pytest.raises(AnswerError):
        FORCED.parse("tie", {})


def test_two_images_are_shown_and_keys_go_from_left_to_right():
    assert FORCED.n_images({}) == 2
    assert [choice.key for choice in FORCED.choices(TIE)] == ["1", "2", "0"]


def test_simulated_raters_take_the_image_that_appeals_more():
    assert FORCED.simulate("q", TIE, [1, 0]) == {"q": "left"}
    assert FORCED.simulate("q", TIE, [0, 1]) == {"q": "right"}
    assert FORCED.simulate("q", TIE, [0, 0.01]) == {"q": "tie"}
    assert FORCED.simulate("q", {}, [0, 0.01]) == {"q": "right"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"left": ""}, "left must be words on one line; got ''"),
        ({"right": 2}, "right must be words on one line; got 2"),
        ({"tie": "a\x07"}, "tie must be words on one line"),
        ({"tie": "Left image"}, "left, right and tie must differ"),
    ],
)
def test_options_that_describe_no_choice_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        FORCED.check_options(options)
