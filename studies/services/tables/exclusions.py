"""Whom the analysis plan leaves out, so that its figures can be computed again."""

from collections.abc import Iterator
from dataclasses import dataclass

from studies.models import Study
from studies.quality import RULES
from studies.services import plans
from studies.services.quality import judge
from studies.services.tables.columns import Column, Table, participant_columns


@dataclass(frozen=True)
class LeftOut:
    """A rule of the plan beside whom it leaves out."""

    public_id: str
    kind: str
    rule: str


def left_out_rows(study: Study) -> Iterator[LeftOut]:
    """By the limits of the plan that counts, whatever others marks are made by now."""
    plan = plans.plan_of(study)
    if plan is None:
        return
    exclusions = plans.stored_content(plan.content).exclusions
    if not exclusions.rules:
        return
    for each in judge(study=study, limits=exclusions.limits):
        for finding in each.marks:
            if finding.rule.name in exclusions.rules:
                yield LeftOut(each.public_id, each.kind, finding.rule.name)


EXCLUSIONS = Table(
    "exclusions",
    "One row per participant and rule by which the study's analysis plan (materials/plan.json) "
    "leaves them out of analyses; nobody where the plan has no such rule. Researchers' own "
    "decisions are the column “excluded”.",
    left_out_rows,
    (
        *participant_columns(""),
        Column(
            "rule",
            "rule",
            "text",
            "The rule, by the name of its limit",
            allowed=tuple(rule.name for rule in RULES),
        ),
    ),
)
