"""A few images put in order."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext

from studies.questions.base import Answer, AnswerError, Choice, QuestionType
from studies.questions.checks import check_whole, check_words, reject_unknown_options
from studies.questions.places import (
    LETTERS,
    MAX_PLACES,
    gather_fields,
    place_choices,
    read_place,
)

FEWEST = 2


class Ranking(QuestionType):
    """Options: `k`, the number of images (2–6), and words for the `first` and the `last` rank.

    The words may be left out. An answer is the list of the images' places, from 1, in their
    order from first to last; the field ``{key}.1`` has the place of the first, and so on.
    """

    name = "ranking"
    template = "questions/ranking.html"
    script = "questions/ranking.js"
    stylesheet = "questions/ranking.css"
    option_names = frozenset({"k", "first", "last"})
    example = {"k": 4, "first": "Most creative", "last": "Least creative"}
    number_means = "always empty: the value is the order of the images"

    def check_options(self, options: dict[str, Any]) -> None:
        reject_unknown_options(options, self.option_names)
        check_whole("k", options.get("k"), FEWEST, MAX_PLACES)
        for end in ("first", "last"):
            if end in options:
                check_words(end, options[end])

    def n_images(self, options: dict[str, Any]) -> int:
        return options["k"]

    def choices(self, options: dict[str, Any]) -> list[Choice]:
        return place_choices(options["k"])

    def gather(self, sent: Mapping[str, Any], key: str) -> Any:
        return gather_fields(sent, key, map(str, range(1, MAX_PLACES + 1)))

    def parse(self, raw: Any, options: dict[str, Any]) -> Answer:
        k = options["k"]
        sent = raw if isinstance(raw, dict) else {}
        order = [read_place(sent.get(str(rank)), k) for rank in range(1, k + 1)]
        if len(sent) != k or set(order) != set(range(1, k + 1)):
            raise AnswerError(
                gettext("Choose an order in which each of the %(k)d images comes once.") % {"k": k}
            )
        places = [place for place in order if place is not None]
        label = ", ".join(LETTERS[place - 1] for place in places)
        return Answer(value=places, label=label, number=None)

    def simulate(
        self, key: str, options: dict[str, Any], appeal: Sequence[float]
    ) -> dict[str, Any]:
        ordered = sorted(range(len(appeal)), key=lambda index: -appeal[index])
        return {f"{key}.{rank}": index + 1 for rank, index in enumerate(ordered, start=1)}
