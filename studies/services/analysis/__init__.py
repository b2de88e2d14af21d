"""From ratings to figures with their intervals: computed, kept, found again.

`analyse` computes or finds; pages and exports read what is kept through `latest_run`.
"""

from .names import PREDICTORS, RATERS
from .questions import headline_association
from .running import analyse
from .runs import Latest, latest_run, n_newer_answers

__all__ = [
    "PREDICTORS",
    "RATERS",
    "Latest",
    "analyse",
    "headline_association",
    "latest_run",
    "n_newer_answers",
]
