"""Question types are found, not listed."""

from types import ModuleType

import pytest

from studies.questions import QUESTION_TYPES, question_type, register
from studies.questions.likert import Likert


def module_with(**names: type) -> ModuleType:
    module = ModuleType("studies.questions.made_here")
    for name, defined in names.items():
        defined.__module__ = module.__name__
        setattr(module, name, defined)
    return module


def test_a_module_that_defines_a_type_registers_it():
    class Stars(Likert):
        name = "stars"

    assert set(register([module_with(Stars=Stars)])) == {"stars"}


def test_a_type_that_is_only_imported_is_not_registered_again():
    module = ModuleType("studies.questions.made_here")
    module.Likert = Likert
    assert register([module]) == {}


def test_two_types_of_one_name_are_refused():
    class Stars(Likert):
        pass

    class Points(Likert):
        pass

    with pytest.raises(ValueError, match="different names; two are 'likert'"):
        register([module_with(Stars=Stars, Points=Points)])


def test_names_fit_their_column():
    from studies.models import Question

    assert all(len(name) <= Question._meta.get_field("kind").max_length for name in QUESTION_TYPES)


def test_an_unknown_type_lists_the_known():
    with pytest.raises(ValueError, match=r"categorical, .*likert, .*; got 'guess'"):
        question_type("guess")
