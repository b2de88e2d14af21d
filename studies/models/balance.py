"""How evenly images are shown: counts that assignment keeps, under locks."""

from django.db import models
from django.db.models import F, Q

from studies.models.kinds import ParticipantKind
from studies.models.studies import Study, StudyImage


class Balance(models.Model):
    """One kind of participants in one study. Whoever gives or takes back slots locks this row.

    People, pilot and simulated participants are counted apart, so that neither pilot nor
    simulation shifts the balance of the live study.
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="balances")
    kind = models.CharField(max_length=10, choices=ParticipantKind)
    n_started = models.PositiveIntegerField(default=0, help_text="Participants with trials")
    next_pair = models.PositiveBigIntegerField(
        default=0, help_text="Place in the schedule of pairs that comes next"
    )

    open_pairs = models.JSONField(
        default=list, blank=True, help_text="Earlier places of the schedule that nobody has"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "kind"], name="one_balance_per_kind"),
            models.CheckConstraint(
                condition=Q(kind__in=ParticipantKind.values), name="balance_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study} ({self.kind})"


class Coverage(models.Model):
    """How often an image was assigned to, and rated by, one kind of participants.

    `study` and `stratum` repeat what the image's place in the study says, so that the images
    with the fewest assignments are found by one index, however many there are.
    """

    study_image = models.ForeignKey(
        StudyImage, on_delete=models.CASCADE, related_name="coverage", db_index=False
    )
    kind = models.CharField(max_length=10, choices=ParticipantKind)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="+", db_index=False)
    stratum = models.CharField(max_length=60)
    n_assigned = models.PositiveIntegerField(default=0)
    n_completed = models.PositiveIntegerField(default=0)
    shuffle = models.FloatField(help_text="Decides among equals; drawn anew at each assignment")

    class Meta:
        verbose_name_plural = "coverage"
        indexes = [
            models.Index(
                fields=["study", "kind", "stratum", "n_assigned", "shuffle"], name="least_assigned"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["study_image", "kind"], name="one_coverage_per_kind"),
            models.CheckConstraint(
                condition=Q(n_completed__lte=F("n_assigned")), name="completed_were_assigned"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ParticipantKind.values), name="coverage_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study_image} ({self.kind})"
