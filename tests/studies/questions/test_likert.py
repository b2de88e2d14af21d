"""Likert scales: points, the words of their ends or of every point, and “I can't say”."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.questions import AnswerError, question_type
from tests.studies.questions.rendering import Form, rendered
from tests.studies.questions.strategies import SCALARS

LIKERT = question_type("likert")
ENDS = {"points": 7, "low": "Not at all creative", "high": "Extremely creative"}
WORDS = ["Strongly disagree", "Disagree", "Neither", "Agree", "Strongly agree"]
NAMED = {"points": 5, "labels": WORDS}


@st.composite
def scales(draw):
    points = draw(st.integers(2, 11))
    options = {"points": points, "low": "Low", "high": "High"}
    if draw(st.booleans()):
        options["labels"] = [f"word {point}" for point in range(points)]
    if draw(st.booleans()):
        options["cannot_say"] = "I can't say"
    return options


@given(scales())
def test_every_choice_comes_back_from_the_form_as_itself(options):
    LIKERT.check_options(options)
    for choice in LIKERT.choices(options):
        form = Form(rendered("likert", options, selected=choice.value))
        assert form.sent == {"q": choice.value}
        answer = LIKERT.parse(LIKERT.gather(form.sent, "q"), options)
        assert str(answer.value) == choice.value
        assert answer.number == (None if choice.value == "cannot_say" else float(choice.value))


@given(scales(), SCALARS)
def test_anything_that_is_no_choice_is_refused_with_what_is_allowed(options, raw):
    choices = {choice.value for choice in LIKERT.choices(options)}
    if str(raw).strip().lstrip("0") in choices:
        return
    with pytest.raises(
        AnswerError, match=f"Choose a number from 1 to {options['points']}"
    ) as error:
        LIKERT.parse(raw, options)
    assert ("I can't say" in str(error.value)) == ("cannot_say" in options)


def test_the_stored_number_and_the_words_shown_are_kept_apart():
    answers = [LIKERT.parse(str(point), NAMED) for point in range(1, 6)]
    assert [answer.value for answer in answers] == [1, 2, 3, 4, 5]
    assert [answer.label for answer in answers] == WORDS
    assert LIKERT.parse("1", ENDS).label == "Not at all creative"
    assert LIKERT.parse("4", ENDS).label == "4"


def test_ends_are_read_out_and_keys_match():
    choices = LIKERT.choices({**ENDS, "cannot_say": "I can't say"})
    assert choices[0].label == "1, Not at all creative"
    assert choices[6].label == "7, Extremely creative"
    assert [choice.key for choice in choices] == list("12345670")


def test_ten_and_eleven_have_no_key():
    keys = [choice.key for choice in LIKERT.choices({**ENDS, "points": 11})]
    assert keys[8:] == ["9", "", ""]


def test_the_words_of_every_point_are_shown_and_read_out():
    form = Form(rendered("likert", NAMED))
    for point, words in enumerate(WORDS, start=1):
        assert words in form.text
        assert form.having(value=str(point))[0]["aria-label"] == f"{point}, {words}"


def test_cannot_say_stands_apart_from_the_scale_without_a_number():
    options = {**ENDS, "cannot_say": "I can't say"}
    answer = LIKERT.parse("cannot_say", options)
    assert (answer.value, answer.label, answer.number) == ("cannot_say", "I can't say", None)
    form = Form(rendered("likert", options))
    order = [found.get("class") or found.get("value") for _, found in form.elements]
    assert order.index("labels apart") > order.index("7")
    with pytest.raises(AnswerError):
        LIKERT.parse("cannot_say", ENDS)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({**ENDS, "points": 1}, "points must be from 2 to 11; got 1"),
        ({**ENDS, "points": "7"}, "points must be a whole number; got '7'"),
        ({**ENDS, "points": True}, "points must be a whole number; got True"),
        ({**ENDS, "low": " "}, "low must be the words at that end; got ' '"),
        ({**ENDS, "high": "a\nb"}, "high must be the words at that end"),
        ({**ENDS, "high": "h" * 121}, "high must have at most 120 characters; got 121"),
        ({"points": 7, "high": "High"}, "low must be the words at that end; got None"),
        ({**NAMED, "points": 4}, "labels must be a list of words, one for each of 4 points"),
        ({**NAMED, "labels": "abcde"}, "labels must be a list of words"),
        ({**NAMED, "labels": ["a", "b", "c", "d", ""]}, "each of the labels must be words"),
        ({**NAMED, "labels": ["a", "b", "c", "d", 5]}, "each of the labels must be words"),
        ({**NAMED, "labels": ["a", "b", "c", "d", "a"]}, "labels must differ"),
        ({**ENDS, "cannot_say": ""}, "cannot_say must be words on one line; got ''"),
    ],
)
def test_options_that_describe_no_scale_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        LIKERT.check_options(options)
