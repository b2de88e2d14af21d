"""Question types: each is one module here, one template under ``templates/questions/``, one test.

A type knows which options it takes, how an answer is read from a form or from JSON, and how
an answer becomes a number for the analysis. It knows no database and no request.

A module in this package that defines a concrete `QuestionType` registers it; there is no list
to add it to.
"""

import inspect
from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from studies.questions.base import Answer, AnswerError, Choice, QuestionType


def register(modules: Iterable[ModuleType]) -> dict[str, QuestionType]:
    """The types that `modules` define, by name; ValueError where two have the same name."""
    found: dict[str, QuestionType] = {}
    for module in modules:
        for _, defined in inspect.getmembers(module, inspect.isclass):
            here = defined.__module__ == module.__name__
            if not here or not issubclass(defined, QuestionType) or inspect.isabstract(defined):
                continue
            kind = defined()
            if kind.name in found:
                raise ValueError(f"question types must have different names; two are {kind.name!r}")
            found[kind.name] = kind
    return found


QUESTION_TYPES: dict[str, QuestionType] = register(
    import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)
)


def question_type(name: str) -> QuestionType:
    """The question type called `name`; ValueError lists the types there are."""
    try:
        return QUESTION_TYPES[name]
    except KeyError:
        allowed = ", ".join(QUESTION_TYPES)
        raise ValueError(f"question type must be one of {allowed}; got {name!r}") from None


def n_images_together(questions: Iterable[tuple[str, dict[str, Any]]]) -> int:
    """Images that one trial shows, for questions given as (kind, options) pairs."""
    return max((question_type(kind).n_images(options) for kind, options in questions), default=1)


__all__ = [
    "QUESTION_TYPES",
    "Answer",
    "AnswerError",
    "Choice",
    "QuestionType",
    "n_images_together",
    "question_type",
]
