"""What a study said it would compute, and when."""

from typing import Any

from studies.models import AnalysisPlan, Study

FIELDS = ("version", "fixed_at", "sha256", "n_ratings", "reason", "content")


def plans(study: Study) -> list[dict[str, Any]]:
    """The plans that were fixed, in order; `n_ratings` people's answers were there by then."""
    fixed = AnalysisPlan.objects.filter(study=study, fixed_at__isnull=False).order_by("version")
    return [{name: getattr(plan, name) for name in FIELDS} for plan in fixed]
