"""One label out of a few."""

import re
from typing import Any

from studies.questions.base import Answer, AnswerError, Choice, QuestionType, reject_unknown_options

MAX_LABELS = 9
VALUE = re.compile(r"[a-z][a-z0-9_]{0,59}")


class Categorical(QuestionType):
    """Options: `labels`, `positive` and `undecided`.

    `labels` is a list of ``{"value", "label"}``. `positive` is the value that counts as 1 in
    the analysis, every other label counts as 0, and those in `undecided` have no number.
    """

    name = "categorical"
    template = "questions/categorical.html"

    def check_options(self, options: dict[str, Any]) -> None:
        reject_unknown_options(options, {"labels", "positive", "undecided"})
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
            if not isinstance(label["label"], str) or not label["label"].strip():
                raise ValueError(f"a label's words must not be empty; got {label['label']!r}")
        values = [label["value"] for label in labels]
        if len(set(values)) < len(values):
            raise ValueError(f"labels must have different values; got {values!r}")
        undecided = options.get("undecided", [])
        if not isinstance(undecided, list) or not set(undecided) <= set(values):
            raise ValueError(f"undecided must be a list of labels' values; got {undecided!r}")
        if options.get("positive") not in set(values) - set(undecided):
            raise ValueError(
                "positive must be the value of a label that is not undecided; "
                f"got {options.get('positive')!r}"
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
            raise AnswerError("Choose one of: " + ", ".join(labels.values()) + ".")
        undecided = value in options.get("undecided", [])
        number = None if undecided else float(value == options["positive"])
        return Answer(value=value, label=labels[value], number=number)
