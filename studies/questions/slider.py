"""A visual analogue scale: a place on a line between two named ends."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext

from studies.questions.base import Answer, AnswerError, Choice, QuestionType
from studies.questions.checks import check_words, reject_unknown_options
from studies.questions.latent import share_below

FURTHEST = 1_000_000
FINEST_STEP = Decimal("0.000001")
# A floating-point number as forms send it (HTML, "Floating-point numbers").
NUMBER = re.compile(r"-?([0-9]{1,20}(\.[0-9]{1,20})?|\.[0-9]{1,20})([eE][-+]?[0-9]{1,3})?")


def is_number(value: Any) -> bool:
    """Whether `value` is a number, of a size that a line can have."""
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return real and -FURTHEST <= value <= FURTHEST


def plain(number: Decimal) -> str:
    """`number` in digits, as forms have it: no exponent and no zeros at its end."""
    return f"{number.normalize():f}"


class Slider(QuestionType):
    """Options: `low` and `high`, `min` and `max`, `step`, `show_value`.

    `low` and `high` are the words at the ends, `min` (0) and `max` (100) their numbers. `step`
    (1) divides the line into whole steps, or is "any" for the place just as it was pressed.
    `show_value` (false) shows the number of the place.
    """

    name = "slider"
    template = "questions/slider.html"
    script = "questions/slider.js"
    stylesheet = "questions/slider.css"
    option_names = frozenset({"low", "high", "min", "max", "step", "show_value"})
    example = {"low": "Not at all creative", "high": "Extremely creative"}
    number_means = "the place on the line as a number, from min at the low end to max at the high"

    def check_options(self, options: dict[str, Any]) -> None:
        reject_unknown_options(options, self.option_names)
        for end in ("low", "high"):
            check_words(end, options.get(end), "the words at that end")
        for end in ("min", "max"):
            if end in options and not is_number(options[end]):
                raise ValueError(
                    f"{end} must be a number from {-FURTHEST} to {FURTHEST}; got {options[end]!r}"
                )
        lowest, highest, step = self.line(options)
        if not lowest < highest:
            raise ValueError(
                f"max must be greater than min; got {plain(highest)} and {plain(lowest)}"
            )
        if options.get("step", 1) != "any" and (step is None or step < FINEST_STEP):
            raise ValueError(
                f"step must be a number from {FINEST_STEP:f} up, or “any”; got {options['step']!r}"
            )
        if step is not None and (highest - lowest) % step:
            raise ValueError(
                f"step must divide the line from {plain(lowest)} to {plain(highest)} into whole "
                f"steps; got {plain(step)}"
            )
        if not isinstance(options.get("show_value", False), bool):
            raise ValueError(f"show_value must be true or false; got {options['show_value']!r}")

    def choices(self, options: dict[str, Any]) -> list[Choice]:
        """The two ends of the line."""
        lowest, highest, _ = self.line(options)
        return [
            Choice(plain(lowest), options["low"], ""),
            Choice(plain(highest), options["high"], ""),
        ]

    def line(self, options: dict[str, Any]) -> tuple[Decimal, Decimal, Decimal | None]:
        """The numbers of the ends, and the step or None for any place."""
        step = options.get("step", 1)
        return (
            Decimal(str(options.get("min", 0))),
            Decimal(str(options.get("max", 100))),
            Decimal(str(step)) if is_number(step) else None,
        )

    def parse(self, raw: Any, options: dict[str, Any]) -> Answer:
        lowest, highest, step = self.line(options)
        text = str(raw).strip()
        place = Decimal(text) if NUMBER.fullmatch(text) else None
        whole = step is not None and not step % 1 and not lowest % 1
        on_line = place is not None and lowest <= place <= highest
        if place is None or not on_line or (step is not None and (place - lowest) % step):
            allowed = {"min": plain(lowest), "max": plain(highest)}
            if step is None:
                raise AnswerError(gettext("Choose a number from %(min)s to %(max)s.") % allowed)
            if step == 1 and whole:
                raise AnswerError(
                    gettext("Choose a whole number from %(min)s to %(max)s.") % allowed
                )
            raise AnswerError(
                gettext("Choose a number from %(min)s to %(max)s in steps of %(step)s.")
                % {**allowed, "step": plain(step)}
            )
        value = int(place) if whole else float(place) + 0.0  # + 0.0: no negative zero
        label = {lowest: options["low"], highest: options["high"]}.get(place, str(value))
        return Answer(value=value, label=label, number=float(value))

    def simulate(
        self, key: str, options: dict[str, Any], appeal: Sequence[float]
    ) -> dict[str, Any]:
        lowest, highest, step = self.line(options)
        if step is None:
            step = (highest - lowest) / 1000
        n_steps = int((highest - lowest) / step)
        return {key: plain(lowest + round(share_below(appeal[0]) * n_steps) * step)}
