"""From ratings to figures with their intervals: computed, kept, found again.

`analyse` computes or finds; pages and exports read what is kept through `latest_run`.
"""

from .names import PREDICTORS, RATERS
from .running import analyse, chosen_kind
from .runs import Latest, latest_run, n_newer_answers
from .versions import code_version

__all__ = [
    "PREDICTORS",
    "RATERS",
    "Latest",
    "analyse",
    "chosen_kind",
    "code_version",
    "latest_run",
    "n_newer_answers",
]
