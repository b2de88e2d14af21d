"""Analysis plans: what a study says it will compute, fixed before it knows.

A plan is drafted, fixed at launch at the latest, and never changed afterwards; what is fixed
later is an amendment with a reason. Results say whether they keep to the plan that counts.
"""

from studies.services.plans.content import (
    PlanContent,
    PlannedTest,
    Primary,
    canonical_json,
    sha256_of,
    stored_content,
)
from studies.services.plans.defaults import default_content, family_of_design
from studies.services.plans.exclusions import excluded_by_rules
from studies.services.plans.keeping import departures
from studies.services.plans.reading import read_content
from studies.services.plans.record import (
    discard_draft,
    draft_of,
    draft_plan,
    fix_at_launch,
    fix_plan,
    history,
    n_answers,
    plan_of,
    record_of,
    stamp_of,
    unfit,
)
from studies.services.plans.subject import is_analysable, scan_sha256
from studies.services.plans.words import statement

__all__ = [
    "PlanContent",
    "PlannedTest",
    "Primary",
    "canonical_json",
    "default_content",
    "departures",
    "discard_draft",
    "draft_of",
    "draft_plan",
    "excluded_by_rules",
    "family_of_design",
    "fix_at_launch",
    "fix_plan",
    "history",
    "is_analysable",
    "n_answers",
    "plan_of",
    "read_content",
    "record_of",
    "scan_sha256",
    "sha256_of",
    "stamp_of",
    "statement",
    "stored_content",
    "unfit",
]
