"""The best and the worst of a few images (best–worst scaling)."""

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

FEWEST = 3
ENDS = ("best", "worst")


class BestWorst(QuestionType):
    """Options: `k`, the number of images (3–6), and the words for `best` and `worst`.

    An answer is ``{"best": place, "worst": place}``, two different places from 1.
    """

    name = "best_worst"
    template = "questions/best_worst.html"
    script = "questions/best_worst.js"
    stylesheet = "questions/best_worst.css"
    option_names = frozenset({"k", "best", "worst"})
    example = {"k": 4, "best": "Most creative", "worst": "Least creative"}
    number_means = "always empty: the value says which two of the images were chosen"

    def check_options(self, options: dict[str, Any]) -> None:
        reject_unknown_options(options, self.option_names)
        check_whole("k", options.get("k"), FEWEST, MAX_PLACES)
        for end in ENDS:
            check_words(end, options.get(end), f"the words for the {end} image")
        if options["best"] == options["worst"]:
            raise ValueError(f"best and worst must differ; got {options['best']!r} for both")

    def n_images(self, options: dict[str, Any]) -> int:
        return options["k"]

    def choices(self, options: dict[str, Any]) -> list[Choice]:
        return place_choices(options["k"])

    def gather(self, sent: Mapping[str, Any], key: str) -> Any:
        return gather_fields(sent, key, ENDS)

    def parse(self, raw: Any, options: dict[str, Any]) -> Answer:
        sent = raw if isinstance(raw, dict) else {}
        best, worst = (read_place(sent.get(end), options["k"]) for end in ENDS)
        if best is None or worst is None or best == worst or set(sent) != set(ENDS):
            raise AnswerError(
                gettext("Choose one image as “%(best)s” and another one as “%(worst)s”.")
                % {"best": options["best"], "worst": options["worst"]}
            )
        label = f"{options['best']}: {LETTERS[best - 1]}; {options['worst']}: {LETTERS[worst - 1]}"
        return Answer(value={"best": best, "worst": worst}, label=label, number=None)

    def simulate(
        self, key: str, options: dict[str, Any], appeal: Sequence[float]
    ) -> dict[str, Any]:
        ordered = sorted(range(len(appeal)), key=lambda index: appeal[index])
        return {f"{key}.best": ordered[-1] + 1, f"{key}.worst": ordered[0] + 1}
