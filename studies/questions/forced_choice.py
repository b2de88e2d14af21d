"""Two images side by side, one of which is chosen (two-alternative forced choice)."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext

from studies.questions.base import Answer, AnswerError, Choice, QuestionType
from studies.questions.checks import check_words, reject_unknown_options

# Simulated raters call two images equal that are closer than this on the latent scale.
SAME = 0.1


class ForcedChoice(QuestionType):
    """Options: `left` and `right`, `tie`; all are words and may be left out.

    `left` and `right` name the two images on the page. With `tie` there is one more answer,
    which these words name: neither of the two.
    """

    name = "forced_choice"
    template = "questions/forced_choice.html"
    stylesheet = "questions/forced_choice.css"
    option_names = frozenset({"left", "right", "tie"})
    example = {"tie": "Both the same"}
    number_means = "always empty: the value says which image was chosen"

    def check_options(self, options: dict[str, Any]) -> None:
        reject_unknown_options(options, self.option_names)
        for name in ("left", "right", "tie"):
            if name in options:
                check_words(name, options[name])
        words = list(self.words(options).values())
        if len(set(words)) < len(words):
            raise ValueError(f"left, right and tie must differ from each other; got {words!r}")

    def n_images(self, options: dict[str, Any]) -> int:
        return 2

    def words(self, options: dict[str, Any]) -> dict[str, str]:
        """The words of each answer, in the order shown."""
        words = {
            "left": options.get("left") or gettext("Left image"),
            "right": options.get("right") or gettext("Right image"),
        }
        if "tie" in options:
            words["tie"] = options["tie"]
        return words

    def choices(self, options: dict[str, Any]) -> list[Choice]:
        keys = {"left": "1", "right": "2", "tie": "0"}
        return [Choice(value, label, keys[value]) for value, label in self.words(options).items()]

    def parse(self, raw: Any, options: dict[str, Any]) -> Answer:
        words = self.words(options)
        value = str(raw)
        if value not in words:
            allowed = ", ".join(words.values())
            raise AnswerError(gettext("Choose one of: %(labels)s.") % {"labels": allowed})
        return Answer(value=value, label=words[value], number=None)

    def simulate(
        self, key: str, options: dict[str, Any], appeal: Sequence[float]
    ) -> dict[str, Any]:
        left, right = appeal
        if "tie" in options and abs(left - right) < SAME:
            return {key: "tie"}
        return {key: "left" if left > right else "right"}
