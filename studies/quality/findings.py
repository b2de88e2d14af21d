"""What every rule says about one participant."""

from dataclasses import dataclass

from studies.quality.evidence import Evidence, Setting
from studies.quality.limits import amount
from studies.quality.rules import RULES, Rule


@dataclass(frozen=True)
class Finding:
    """A rule's value beside its limit. `value` is None where there is too little to measure.

    `limit` is None where the study has switched the rule off; then nothing is marked.
    """

    rule: Rule
    value: float | None
    limit: float | None
    sentence: str

    @property
    def marked(self) -> bool:
        return self.value is not None and self.rule.marks(self.value, self.limit)

    @property
    def value_words(self) -> str:
        return amount(self.value, self.rule.limit.unit)

    @property
    def limit_words(self) -> str:
        if self.limit is None:
            return "off"
        side = "at least" if self.rule.least else "at most"
        return f"{side} {amount(self.limit, self.rule.limit.unit)}"


def findings(evidence: Evidence, setting: Setting) -> list[Finding]:
    """What each rule found, in the order of the rules."""
    found = []
    for rule in RULES:
        measured = rule.measure(evidence, setting)
        found.append(
            Finding(
                rule=rule,
                value=None if measured is None else measured.value,
                limit=setting.limits[rule.name],
                sentence="" if measured is None else measured.sentence,
            )
        )
    return found


def marks(evidence: Evidence, setting: Setting) -> list[Finding]:
    """The findings that lie beyond their limits."""
    return [finding for finding in findings(evidence, setting) if finding.marked]
