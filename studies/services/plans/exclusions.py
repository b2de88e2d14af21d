"""Whom the rules of a plan leave out: of analyses only, never of the record."""

from studies.models import Study
from studies.quality import RULES
from studies.services.plans.content import stored_content
from studies.services.plans.record import plan_of
from studies.services.quality import judge


def excluded_by_rules(study: Study, kind: str) -> dict[str, set[str]]:
    """The public ids of participants of `kind` whom each rule marks, by the rule's name.

    By the limits of the plan that counts, so that who was to be left out does not change when
    marks are made by other limits; without a plan, by the study's. One pass over the record;
    rules that mark nobody, or are switched off, have an empty set.
    """
    plan = plan_of(study)
    limits = None if plan is None else stored_content(plan.content).exclusions.limits
    marked: dict[str, set[str]] = {rule.name: set() for rule in RULES}
    for judged in judge(study=study, limits=limits):
        for finding in judged.marks if judged.kind == kind else ():
            marked[finding.rule.name].add(judged.public_id)
    return marked
