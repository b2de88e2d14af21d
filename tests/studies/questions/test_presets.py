"""Presets can be taken as they are."""

import pytest

from studies.models import Question
from studies.questions import question_type
from studies.questions.presets import PRESETS

every_preset = pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)


@every_preset
def test_it_is_a_valid_question_whose_every_choice_is_an_answer(preset):
    kind = question_type(preset["kind"])
    kind.check_options(preset["options"])
    choices = kind.choices(preset["options"])
    assert choices
    for choice in choices:
        if kind.gather({preset["key"]: choice.value}, preset["key"]) != choice.value:
            continue  # a part of an answer: the best image, say
        assert str(kind.parse(choice.value, preset["options"]).value) == choice.value


@every_preset
def test_it_fits_the_record(preset):
    Question(position=1, **preset).clean_fields(exclude=["study"])


def test_all_of_them_can_be_in_one_study():
    assert len({preset["key"] for preset in PRESETS.values()}) == len(PRESETS)


def test_their_names_stay():
    # Studies, scripts and papers refer to them.
    assert {
        "creativity_likert", "novelty_likert", "value_likert", "four_labels", "creativity_vas",
        "pairwise_tournament", "consensual_creativity", "consensual_technical",
    } <= set(PRESETS)  # fmt: skip
