"""What every question type offers."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any


class AnswerError(ValueError):
    """An answer that the question does not allow; the message says what it allows."""


@dataclass(frozen=True)
class Answer:
    """One answer: what is stored, the text that was shown for it, and its number if it has one."""

    value: int | str
    label: str
    number: float | None


@dataclass(frozen=True)
class Choice:
    """One thing to press: `value` is sent, `label` is shown or read out, `key` presses it."""

    value: str
    label: str
    key: str


class QuestionType(ABC):
    """A kind of question. `options` is the JSON object that a study stores with a question."""

    name: str
    template: str

    @abstractmethod
    def check_options(self, options: dict[str, Any]) -> None:
        """Raise ValueError with one sentence where `options` do not describe such a question."""

    @abstractmethod
    def choices(self, options: dict[str, Any]) -> list[Choice]:
        """What a participant can press, in the order shown."""

    @abstractmethod
    def parse(self, raw: Any, options: dict[str, Any]) -> Answer:
        """Read the answer `raw` of a form or of JSON; AnswerError where it is not allowed."""


def reject_unknown_options(options: dict[str, Any], allowed: set[str]) -> None:
    """Raise ValueError naming the options that are not in `allowed`."""
    unknown = sorted(set(options) - allowed)
    if unknown:
        raise ValueError(
            f"question options must be among {', '.join(sorted(allowed))}; "
            f"got {', '.join(map(repr, unknown))}"
        )
