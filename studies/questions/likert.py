"""A rating on a scale of numbered points between two named ends."""

from typing import Any

from studies.questions.base import Answer, AnswerError, Choice, QuestionType, reject_unknown_options

MIN_POINTS = 2
MAX_POINTS = 11


class Likert(QuestionType):
    """Options: `points` (2–11), `low` and `high` (the words at the ends)."""

    name = "likert"
    template = "questions/likert.html"

    def check_options(self, options: dict[str, Any]) -> None:
        reject_unknown_options(options, {"points", "low", "high"})
        points = options.get("points")
        if not isinstance(points, int) or isinstance(points, bool):
            raise ValueError(f"points must be a whole number; got {points!r}")
        if not MIN_POINTS <= points <= MAX_POINTS:
            raise ValueError(f"points must be from {MIN_POINTS} to {MAX_POINTS}; got {points}")
        for end in ("low", "high"):
            if not isinstance(options.get(end), str) or not options[end].strip():
                raise ValueError(f"{end} must be the words at that end; got {options.get(end)!r}")

    def choices(self, options: dict[str, Any]) -> list[Choice]:
        points = options["points"]
        ends = {1: f", {options['low']}", points: f", {options['high']}"}
        # Ten and more have no single number key.
        return [
            Choice(str(point), f"{point}{ends.get(point, '')}", str(point) if point < 10 else "")
            for point in range(1, points + 1)
        ]

    def parse(self, raw: Any, options: dict[str, Any]) -> Answer:
        points = options["points"]
        text = str(raw).strip()
        # isascii: int() would also take digits of other scripts, which no form of ours sends.
        value = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
        if not 1 <= value <= points:
            raise AnswerError(f"Choose a number from 1 to {points}.")
        label = {1: options["low"], points: options["high"]}.get(value, str(value))
        return Answer(value=value, label=label, number=float(value))
