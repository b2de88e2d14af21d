"""Signs that a participant's answers deserve a second look: evidence in, marks out.

Nothing here excludes anybody: a rule compares one value with one limit, both are shown, and
people decide. The rules know no database and no request.
"""

from studies.quality.evidence import (
    CheckAsked,
    Evidence,
    Scale,
    Setting,
    TotalTimes,
    TrialEvidence,
    total_times,
)
from studies.quality.findings import Finding, findings, marks
from studies.quality.limits import PARAMETERS, Limit, amount
from studies.quality.rules import LIMITS, RULES, Rule, read_limits

__all__ = [
    "LIMITS",
    "PARAMETERS",
    "RULES",
    "CheckAsked",
    "Evidence",
    "Finding",
    "Limit",
    "Rule",
    "Scale",
    "Setting",
    "TotalTimes",
    "TrialEvidence",
    "amount",
    "findings",
    "marks",
    "read_limits",
    "total_times",
]
