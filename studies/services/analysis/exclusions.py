"""Whom an analysis leaves out: by a researcher's decision, and by the plan's rules."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from studies.models import Study
from studies.services import plans


@dataclass(frozen=True)
class Exclusions:
    """`by_rule` are the raters (public ids) whom each quality rule marks, applied or not.

    `rules` are those that the plan leaves out by, `limits` what the rules went by.
    """

    n_by_decision: int
    decisions: bool
    rules: tuple[str, ...]
    limits: dict[str, float | None]
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
            # Of those who stay in, the result says how many they are.
            "by_decision": self.n_by_decision,
            "decisions": self.decisions,
            "rules": list(self.rules),
            "limits": self.limits,
            "raters": {rule: sorted(raters) for rule, raters in sorted(self.by_rule.items())},
        }


def read_exclusions(study: Study, kind: str, planned: dict[str, Any]) -> Exclusions:
    """Who is left out, and whom every other rule would leave out. One pass over the record."""
    marked = plans.excluded_by_rules(study, kind)
    return Exclusions(
        n_by_decision=study.participants.filter(kind=kind, is_excluded=True).count(),
        decisions=bool(planned["decisions"]),
        rules=tuple(planned["rules"]),
        limits=dict(planned["limits"]),
        by_rule={rule: frozenset(raters) for rule, raters in marked.items()},
    )
