"""An answer in one's own words."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext

from studies.questions.base import Answer, AnswerError, QuestionType
from studies.questions.checks import check_whole, has_control, reject_unknown_options

DEFAULT_LENGTH = 1000
MAX_LENGTH = 5000
DEFAULT_LINES = 3
MAX_LINES = 12
LABEL_LENGTH = 300
# What ends a line somewhere: CR LF, CR, vertical tab, form feed and the separators of Unicode.
NEWLINE = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")


def is_blank(text: str) -> bool:
    """Whether nothing of `text` is to be seen."""
    return all(character.isspace() or unicodedata.category(character) == "Cf" for character in text)


class Text(QuestionType):
    """Options: `max_length` (1000), `lines` (3) and `required` (true).

    An answer has at most `max_length` characters, 5000 at the very most; `lines` is the height
    of its field; where it is not `required` it may be left empty. It is stored without white
    space at its ends, with a tab as a space, and its lines end in a line feed.
    """

    name = "text"
    template = "questions/text.html"
    script = "questions/text.js"
    stylesheet = "questions/text.css"
    option_names = frozenset({"max_length", "lines", "required"})
    example = {"max_length": 500, "lines": 3, "required": False}
    number_means = "always empty: words have no number"

    def check_options(self, options: dict[str, Any]) -> None:
        reject_unknown_options(options, self.option_names)
        check_whole("max_length", options.get("max_length", DEFAULT_LENGTH), 1, MAX_LENGTH)
        check_whole("lines", options.get("lines", DEFAULT_LINES), 1, MAX_LINES)
        if not isinstance(options.get("required", True), bool):
            raise ValueError(f"required must be true or false; got {options['required']!r}")

    def is_required(self, options: dict[str, Any]) -> bool:
        return options.get("required", True)

    def parse(self, raw: Any, options: dict[str, Any]) -> Answer:
        if raw is not None and not isinstance(raw, str):
            raise AnswerError(gettext("Write your answer in words."))
        text = NEWLINE.sub("\n", raw or "").replace("\t", " ").strip()
        if is_blank(text):
            if self.is_required(options):
                raise AnswerError(gettext("Write at least a word."))
            return Answer(value="", label="", number=None)
        if has_control(text.replace("\n", "")):
            raise AnswerError(
                gettext("Write letters, digits and signs only: some of these cannot be seen.")
            )
        most = options.get("max_length", DEFAULT_LENGTH)
        if len(text) > most:
            raise AnswerError(
                gettext("Write at most %(most)d characters; these are %(written)d.")
                % {"most": most, "written": len(text)}
            )
        line = " ".join(text.split())
        label = line if len(line) <= LABEL_LENGTH else line[: LABEL_LENGTH - 1] + "…"
        return Answer(value=text, label=label, number=None)

    def simulate(
        self, key: str, options: dict[str, Any], appeal: Sequence[float]
    ) -> dict[str, Any]:
        most = options.get("max_length", DEFAULT_LENGTH)
        return {key: "Simulated"[:most] if self.is_required(options) else ""}
