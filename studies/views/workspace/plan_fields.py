"""Fields of the form that plans a study: lists of numbers, and what a list may hold."""

import math
import re
from collections.abc import Callable
from typing import Any

from django import forms

SEPARATORS = re.compile(r"[\s,;]+")
# More designs than these are asked for by the command.
MOST_VALUES = 8


class NumberList(forms.CharField):
    """Numbers with commas between them, each once, as a tuple; None where nothing is given.

    Decimals have a point: a comma would make two numbers of one.
    """

    def __init__(
        self,
        *,
        kind: Callable[[str], float],
        least: float,
        most: float,
        each_once: bool = True,
        fewest_values: int = 1,
        most_values: int = MOST_VALUES,
        **more: Any,
    ) -> None:
        self.kind, self.least, self.most = kind, least, most
        self.each_once, self.fewest_values, self.most_values = each_once, fewest_values, most_values
        widget = forms.TextInput(attrs={"autocomplete": "off", "inputmode": "text"})
        super().__init__(max_length=200, widget=widget, **more)

    def clean(self, value: Any) -> tuple[float, ...] | None:
        text = super().clean(value)
        if not text:
            return None
        parts = [part for part in SEPARATORS.split(text.strip()) if part]
        numbers = tuple(self.number(part) for part in parts)
        if self.each_once:
            numbers = tuple(dict.fromkeys(numbers))
        if not self.fewest_values <= len(numbers) <= self.most_values:
            raise forms.ValidationError(
                f"Give from {self.fewest_values} to {self.most_values} numbers, with commas "
                f"between them; these are {len(numbers)}."
            )
        return numbers

    def number(self, text: str) -> float:
        whole = "whole number" if self.kind is int else "number"
        try:
            number = self.kind(text.replace("\u2212", "-"))
        except ValueError:
            raise forms.ValidationError(f"“{text}” is no {whole}.") from None
        if not (math.isfinite(number) and self.least <= number <= self.most):
            point = "" if self.kind is int else " Decimals have a point."
            raise forms.ValidationError(
                f"“{text}” must be a {whole} from {self.least:,} to {self.most:,}.{point}"
            )
        return number


def in_list(values: list[float] | tuple[float, ...] | None) -> str:
    """Numbers as such a field shows them."""
    return "" if values is None else ", ".join(f"{value:.12g}" for value in values)


def shown(number: float | None) -> str | None:
    """A number as a field shows it: 12 for 12.0, and without the dust of binary fractions."""
    return None if number is None else f"{number:.12g}"
