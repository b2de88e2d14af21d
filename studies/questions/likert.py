"""A rating on a scale of numbered points, with names for its ends or for every point."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext

from studies.questions.base import Answer, AnswerError, Choice, QuestionType
from studies.questions.checks import check_whole, check_words, reject_unknown_options
from studies.questions.latent import interval_of, share_below

MIN_POINTS = 2
MAX_POINTS = 11
CANNOT_SAY = "cannot_say"


class Likert(QuestionType):
    """Options: `points`, `low` and `high`, `labels`, `cannot_say`.

    There are `points` (2–11) points. `low` and `high` are the words at the ends; where
    `labels` has words for every point, from low to high, they may be left out. `cannot_say`
    are the words of one more answer, apart from the scale, that has no number.
    """

    name = "likert"
    template = "questions/likert.html"
    stylesheet = "questions/likert.css"
    option_names = frozenset({"points", "low", "high", "labels", CANNOT_SAY})
    example = {
        "points": 7,
        "low": "Not at all creative",
        "high": "Extremely creative",
        "cannot_say": "I can't say",
    }
    number_means = (
        "the point chosen, from the low end to the high end; empty for “cannot_say”, the answer "
        "apart from the scale"
    )

    def check_options(self, options: dict[str, Any]) -> None:
        reject_unknown_options(options, self.option_names)
        points = options.get("points")
        check_whole("points", points, MIN_POINTS, MAX_POINTS)
        for end in ("low", "high"):
            if end in options or "labels" not in options:
                check_words(end, options.get(end), "the words at that end")
        if "labels" in options:
            labels = options["labels"]
            if not isinstance(labels, list) or len(labels) != points:
                raise ValueError(
                    f"labels must be a list of words, one for each of {points} points; "
                    f"got {labels!r}"
                )
            for words in labels:
                check_words("each of the labels", words)
            if len(set(labels)) < len(labels):
                raise ValueError(f"labels must differ from each other; got {labels!r}")
        if CANNOT_SAY in options:
            check_words(CANNOT_SAY, options[CANNOT_SAY])

    def words(self, options: dict[str, Any]) -> dict[int, str]:
        """The words of each point that has any."""
        if "labels" in options:
            return dict(enumerate(options["labels"], start=1))
        return {1: options["low"], options["points"]: options["high"]}

    def choices(self, options: dict[str, Any]) -> list[Choice]:
        words = self.words(options)
        choices = [
            Choice(
                value=str(point),
                label=f"{point}, {words[point]}" if point in words else str(point),
                # Ten and more have no single number key.
                key=str(point) if point < 10 else "",
                words=words[point] if "labels" in options else "",
            )
            for point in range(1, options["points"] + 1)
        ]
        if CANNOT_SAY in options:
            choices.append(Choice(CANNOT_SAY, options[CANNOT_SAY], "0"))
        return choices

    def parse(self, raw: Any, options: dict[str, Any]) -> Answer:
        points = options["points"]
        cannot_say = options.get(CANNOT_SAY)
        text = str(raw).strip()
        if text == CANNOT_SAY and cannot_say is not None:
            return Answer(value=CANNOT_SAY, label=cannot_say, number=None)
        # isascii: int() would also take digits of other scripts, which no form of ours sends.
        value = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
        if not 1 <= value <= points:
            if cannot_say is None:
                raise AnswerError(
                    gettext("Choose a number from 1 to %(points)d.") % {"points": points}
                )
            raise AnswerError(
                gettext("Choose a number from 1 to %(points)d, or “%(words)s”.")
                % {"points": points, "words": cannot_say}
            )
        label = self.words(options).get(value, str(value))
        return Answer(value=value, label=label, number=float(value))

    def simulate(
        self, key: str, options: dict[str, Any], appeal: Sequence[float]
    ) -> dict[str, Any]:
        return {key: 1 + interval_of(share_below(appeal[0]), options["points"])}
