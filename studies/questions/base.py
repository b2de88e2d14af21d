"""What every question type offers."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class AnswerError(ValueError):
    """An answer that the question does not allow; the message says what it allows."""


@dataclass(frozen=True)
class Answer:
    """One answer: what is stored, the text that was shown for it, and its number if it has one.

    `value` is a JSON value. A comparison of images has no number: what it says is about
    several images at once, and stands in `value` by their places, from 1.
    """

    value: int | float | str | dict[str, int] | list[int]
    label: str
    number: float | None


@dataclass(frozen=True)
class Choice:
    """One thing to press: `value` is sent, `label` is read out, `key` presses it.

    `words` are shown beside the value where the point of a scale has a name of its own.
    """

    value: str
    label: str
    key: str
    words: str = ""


class QuestionType(ABC):
    """A kind of question. `options` is the JSON object that a study stores with a question.

    `template`, `script` and `stylesheet` are paths below ``templates/`` and ``static/``; a type
    whose form needs no more than the shared parts has neither script nor stylesheet.
    `example` are options to begin with. `number_means` says in words what the number of an
    answer is, for a codebook.
    """

    name: str
    template: str
    script: str | None = None
    stylesheet: str | None = None
    option_names: frozenset[str]
    example: dict[str, Any]
    number_means: str

    @abstractmethod
    def check_options(self, options: dict[str, Any]) -> None:
        """Raise ValueError with one sentence where `options` do not describe such a question."""

    def n_images(self, options: dict[str, Any]) -> int:
        """How many images one trial shows."""
        return 1

    def choices(self, options: dict[str, Any]) -> list[Choice]:
        """What a participant can press, in the order shown; of a line, its ends."""
        return []

    def gather(self, sent: Mapping[str, Any], key: str) -> Any:
        """The raw answer to the question `key` from flat fields; None or "": not answered.

        A type with several fields names them ``{key}.{suffix}``.
        """
        return sent.get(key, "")

    @abstractmethod
    def parse(self, raw: Any, options: dict[str, Any]) -> Answer:
        """Read what `gather` found; AnswerError where it is not allowed."""

    def is_required(self, options: dict[str, Any]) -> bool:
        """Whether a trial without an answer to this question is refused."""
        return True

    @abstractmethod
    def simulate(
        self, key: str, options: dict[str, Any], appeal: Sequence[float]
    ) -> dict[str, Any]:
        """The fields that a simulated rater sends, as `gather` reads them.

        `appeal` has one latent value for each image shown, about standard normal; the answers
        of a scale are then about equally frequent.
        """
