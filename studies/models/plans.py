"""What a study said it would compute, before it knew."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from studies.models.studies import Study


class AnalysisPlan(models.Model):
    """A version of a study's analysis plan: a draft until it is fixed, then never changed.

    The first is fixed at launch at the latest. Whatever is fixed later is an amendment and says
    why; results say which plan they keep to, and that it came after ratings did.
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="analysis_plans")
    version = models.PositiveSmallIntegerField(help_text="From 1")
    content = models.JSONField()
    sha256 = models.CharField(max_length=64, help_text="Of the content as canonical JSON")
    reason = models.TextField(blank=True, help_text="Of an amendment: why")
    n_ratings = models.PositiveIntegerField(
        default=0, help_text="How many answers people had given when it was fixed"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    fixed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["study", "version"]
        constraints = [
            models.UniqueConstraint(fields=["study", "version"], name="one_plan_per_version"),
            models.UniqueConstraint(
                fields=["study"], condition=Q(fixed_at__isnull=True), name="one_draft_plan"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study}, plan {self.version}"
