"""Whom an analysis leaves out: by a researcher's decision, and by the plan's rules."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from studies.models import Study


@dataclass(frozen=True)
class Exclusions:
    """`by_rule` are the raters (public ids) whom each quality rule marks, applied or not.

    `rules` are those that the plan leaves out by.
    """

    n_by_decision: int
    decisions: bool
    rules: tuple[str, ...]
    by_rule: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def raters(self) -> frozenset[str]:
        """Whom the plan's rules leave out."""
        return frozenset().union(*(self.by_rule.get(rule, frozenset()) for rule in self.rules))

    def without(self, frame: pd.DataFrame) -> pd.DataFrame:
        """`frame` less the ratings of whom the rules leave out."""
        if not self.raters:
            return frame
        return frame[~frame["rater"].isin(self.raters)].reset_index(drop=True)

    def to_dict(self) -> dict[str, Any]:
        return {
            "by_decision": self.n_by_decision if self.decisions else 0,
            "decisions": self.decisions,
            "rules": list(self.rules),
            "raters": {rule: sorted(raters) for rule, raters in sorted(self.by_rule.items())},
        }


def read_exclusions(study: Study, kind: str, planned: dict[str, Any]) -> Exclusions:
    return Exclusions(
        n_by_decision=study.participants.filter(kind=kind, is_excluded=True).count(),
        decisions=bool(planned["decisions"]),
        rules=tuple(planned["rules"]),
    )
