"""Results that were computed, kept with what they were computed from."""

from django.db import models

from studies.models.kinds import ParticipantKind
from studies.models.plans import AnalysisPlan
from studies.models.studies import Study


class AnalysisRun(models.Model):
    """One analysis of one state of the data: the same data, seed and code give it again."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="analysis_runs")
    kind = models.CharField(
        max_length=10, choices=ParticipantKind, help_text="Whose ratings: people's or simulated"
    )
    input_sha256 = models.CharField(
        max_length=64, help_text="Of the ratings, the parameters and the versions"
    )
    seed = models.PositiveBigIntegerField()
    plan = models.ForeignKey(
        AnalysisPlan, on_delete=models.RESTRICT, null=True, blank=True, related_name="runs",
        help_text="The plan that it keeps to or departs from",
    )  # fmt: skip
    data_stamp = models.JSONField(
        default=dict, help_text="Counts by which newer data are noticed without reading them"
    )
    versions = models.JSONField()
    result = models.JSONField()
    duration_ms = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "kind", "input_sha256", "seed"], name="one_run_per_data"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=ParticipantKind.values), name="run_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study}, {self.kind}, {self.created_at:%Y-%m-%d %H:%M}"
