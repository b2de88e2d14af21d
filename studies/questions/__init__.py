"""Question types: each is one module here, one template under ``templates/questions/``, one test.

A type knows which options it takes, how an answer is read from a form or from JSON, and how
an answer becomes a number for the analysis. It knows no database and no request.
"""

from studies.questions.base import Answer, AnswerError, QuestionType
from studies.questions.categorical import Categorical
from studies.questions.likert import Likert

QUESTION_TYPES: dict[str, QuestionType] = {kind.name: kind for kind in (Likert(), Categorical())}


def question_type(name: str) -> QuestionType:
    """The question type called `name`; ValueError lists the types there are."""
    try:
        return QUESTION_TYPES[name]
    except KeyError:
        allowed = ", ".join(QUESTION_TYPES)
        raise ValueError(f"question type must be one of {allowed}; got {name!r}") from None


__all__ = ["QUESTION_TYPES", "Answer", "AnswerError", "QuestionType", "question_type"]
