"""One label out of a few."""

import re
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext

from studies.questions.base import Answer, AnswerError, Choice, QuestionType
from studies.questions.checks import check_words, reject_unknown_options
from studies.questions.latent import interval_of, share_below

MAX_LABELS = 9
VALUE = re.compile(r"[a-z][a-z0-9_]{0,59}")
# A simulated rater is unsure in this much of the scale on each side of its middle.
UNSURE = 0.04


class Categorical(QuestionType):
    """Options: `labels`, `positive` and `undecided`.

    `labels` is a list of ``{"value", "label"}``. `positive` is the value that counts as 1 in
    the analysis, every other label counts as 0, and those in `undecided` have no number.
    """

    name = "categorical"
    template = "questions/categorical.html"
    option_names = frozenset({"labels", "positive", "undecided"})
    example = {
        "labels": [
            {"value": "drawn", "label": "Looks drawn"},
            {"value": "printed", "label": "Looks printed"},
            {"value": "neither", "label": "Neither"},
        ],
        "positive": "drawn",
        "undecided": ["neither"],
    }
    number_means = (
        "1 for the label named as positive, 0 for the others, empty for those named as undecided"
    )

    def check_options(self, options: dict[str, Any]) -> None:
        reject_unknown_options(options, self.option_names)
        labels = options.get("labels")
        if not isinstance(labels, list) or not 2 <= len(labels) <= MAX_LABELS:
            raise ValueError(f"labels must be a list of 2 to {MAX_LABELS} labels; got {labels!r}")
        for label in labels:
            if not isinstance(label, dict) or set(label) != {"value", "label"}:
                raise ValueError(f"each label must have a value and a label; got {label!r}")
            if not isinstance(label["value"], str) or not VALUE.fullmatch(label["value"]):
                raise ValueError(
                    "a label's value must be lower-case letters, digits and underscores; "
                    f"got {label['value']!r}"
                )
            check_words("a label's words", label["label"])
        values = [label["value"] for label in labels]
        if len(set(values)) < len(values):
            raise ValueError(f"labels must have different values; got {values!r}")
        undecided = options.get("undecided", [])
        if not isinstance(undecided, list) or any(value not in values for value in undecided):
            raise ValueError(f"undecided must be a list of labels' values; got {undecided!r}")
        positive = options.get("positive")
        if positive not in values or positive in undecided:
            raise ValueError(
                f"positive must be the value of a label that is not undecided; got {positive!r}"
            )

    def choices(self, options: dict[str, Any]) -> list[Choice]:
        return [
            Choice(label["value"], label["label"], str(index))
            for index, label in enumerate(options["labels"], start=1)
        ]

    def parse(self, raw: Any, options: dict[str, Any]) -> Answer:
        labels = {label["value"]: label["label"] for label in options["labels"]}
        value = str(raw)
        if value not in labels:
            words = ", ".join(labels.values())
            raise AnswerError(gettext("Choose one of: %(labels)s.") % {"labels": words})
        undecided = value in options.get("undecided", [])
        number = None if undecided else float(value == options["positive"])
        return Answer(value=value, label=labels[value], number=number)

    def simulate(
        self, key: str, options: dict[str, Any], appeal: Sequence[float]
    ) -> dict[str, Any]:
        share = share_below(appeal[0])
        undecided = options.get("undecided", [])
        # The middle of the scale is where nobody is sure.
        if undecided and abs(share - 0.5) < UNSURE:
            return {key: undecided[0]}
        ordered = [label["value"] for label in options["labels"] if label["value"] not in undecided]
        return {key: ordered[interval_of(share, len(ordered))]}
