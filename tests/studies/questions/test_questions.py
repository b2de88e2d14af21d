"""Question types: what they take, what they refuse, and what an answer counts as."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.questions import QUESTION_TYPES, AnswerError, question_type
from studies.questions.presets import PRESETS

LIKERT = PRESETS["creativity_likert"]["options"]
LABELS = PRESETS["four_labels"]["options"]


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_presets_are_questions_whose_every_choice_is_an_answer(preset):
    kind = question_type(preset["kind"])
    kind.check_options(preset["options"])
    for choice in kind.choices(preset["options"]):
        assert str(kind.parse(choice.value, preset["options"]).value) == choice.value


@given(st.one_of(st.text(max_size=8), st.integers(), st.floats(), st.none()))
def test_anything_that_is_not_a_choice_is_refused(raw):
    for preset in PRESETS.values():
        kind = question_type(preset["kind"])
        choices = {choice.value for choice in kind.choices(preset["options"])}
        if str(raw).strip().lstrip("0") in choices:
            continue
        with pytest.raises(AnswerError, match="Choose"):
            kind.parse(raw, preset["options"])


def test_ends_are_read_out_and_keys_match():
    choices = QUESTION_TYPES["likert"].choices(LIKERT)
    assert choices[0].label == "1, Not at all creative"
    assert choices[-1].label == "7, Extremely creative"
    assert [choice.key for choice in choices] == list("1234567")


def test_the_positive_label_counts_one_and_undecided_has_no_number():
    kind = QUESTION_TYPES["categorical"]
    numbers = {c.value: kind.parse(c.value, LABELS).number for c in kind.choices(LABELS)}
    assert numbers == {
        "not_novel_or_creative": 0.0,
        "novel_not_creative": 0.0,
        "creative": 1.0,
        "inconclusive": None,
    }


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("likert", {**LIKERT, "points": 1}, "from 2 to 11; got 1"),
        ("likert", {**LIKERT, "points": "7"}, "whole number; got '7'"),
        ("likert", {**LIKERT, "points": True}, "whole number; got True"),
        ("likert", {**LIKERT, "low": " "}, "low must be the words"),
        ("likert", {**LIKERT, "colour": "red"}, "among high, low, points; got 'colour'"),
        ("categorical", {**LABELS, "labels": []}, "2 to 9 labels"),
        ("categorical", {**LABELS, "positive": "inconclusive"}, "not undecided"),
        ("categorical", {**LABELS, "undecided": ["nowhere"]}, "undecided must be"),
        ("categorical", {**LABELS, "labels": LABELS["labels"] * 2}, "different values"),
        (
            "categorical",
            {**LABELS, "labels": [{"value": "A b", "label": "x"}, LABELS["labels"][2]]},
            "lower-case letters",
        ),
    ],
)
def test_options_that_describe_no_question_are_refused(kind, options, words):
    with pytest.raises(ValueError, match=words):
        question_type(kind).check_options(options)


def test_an_unknown_type_lists_the_known():
    with pytest.raises(ValueError, match="likert, categorical; got 'guess'"):
        question_type("guess")
