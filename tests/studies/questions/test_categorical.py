"""Categorical questions: one label out of a few."""

import pytest
from hypothesis import given

from studies.questions import AnswerError, question_type
from studies.questions.presets import PRESETS
from tests.studies.questions.rendering import Form, rendered
from tests.studies.questions.strategies import SCALARS

CATEGORICAL = question_type("categorical")
LABELS = PRESETS["four_labels"]["options"]


def test_every_choice_comes_back_from_the_form_as_itself():
    for choice in CATEGORICAL.choices(LABELS):
        form = Form(rendered("categorical", LABELS, selected=choice.value))
        assert form.sent == {"q": choice.value}
        answer = CATEGORICAL.parse(CATEGORICAL.gather(form.sent, "q"), LABELS)
        assert (answer.value, answer.label) == (choice.value, choice.label)


@given(SCALARS)
def test_anything_that_is_no_choice_is_refused_with_what_is_allowed(raw):
    if raw in {choice.value for choice in CATEGORICAL.choices(LABELS)}:
        return
    with pytest.raises(AnswerError, match=r"Choose one of: Not novel or creative, .*Inconclusive"):
        CATEGORICAL.parse(raw, LABELS)


def test_the_positive_label_counts_one_and_undecided_has_no_number():
    numbers = {
        choice.value: CATEGORICAL.parse(choice.value, LABELS).number
        for choice in CATEGORICAL.choices(LABELS)
    }
    assert numbers == {
        "not_novel_or_creative": 0.0,
        "novel_not_creative": 0.0,
        "creative": 1.0,
        "inconclusive": None,
    }


def test_simulated_raters_are_unsure_only_in_the_middle():
    said = {appeal: CATEGORICAL.simulate("q", LABELS, [appeal])["q"] for appeal in (-3, -0.5, 0, 3)}
    assert list(said.values()) == [
        "not_novel_or_creative", "not_novel_or_creative", "inconclusive", "creative",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({**LABELS, "labels": []}, "labels must be a list of 2 to 9 labels"),
        ({**LABELS, "labels": ["a", "b"]}, "each label must have a value and a label; got 'a'"),
        ({**LABELS, "labels": LABELS["labels"] * 2}, "labels must have different values"),
        (
            {**LABELS, "labels": [{"value": "A b", "label": "x"}, LABELS["labels"][2]]},
            "lower-case letters, digits and underscores; got 'A b'",
        ),
        (
            {**LABELS, "labels": [{"value": "a", "label": "\0"}, LABELS["labels"][2]]},
            "a label's words must be words on one line",
        ),
        ({**LABELS, "positive": "inconclusive"}, "positive must be .* not undecided"),
        ({**LABELS, "positive": ["creative"]}, "positive must be"),
        ({**LABELS, "undecided": ["nowhere"]}, "undecided must be"),
        ({**LABELS, "undecided": [["creative"]]}, "undecided must be"),
    ],
)
def test_options_that_describe_no_labels_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        CATEGORICAL.check_options(options)
