"""What is known of participants from outside: apart from the answers, and deleted first."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from studies.models.participation import Outcome, Participant
from studies.models.policies import EntryService
from studies.models.studies import Study


class Identity(models.Model):
    """How a recruitment service names a participant.

    `key` is a keyed hash (HMAC-SHA-256) of the person's identifier and finds them again;
    `external_id` and `submission` are empty where the study pseudonymises.
    """

    participant = models.OneToOneField(
        Participant, on_delete=models.CASCADE, related_name="identity"
    )
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="identities")
    service = models.CharField(max_length=15, choices=EntryService)
    key = models.CharField(max_length=64)
    external_id = models.CharField(max_length=200, blank=True)
    submission = models.JSONField(
        blank=True, default=dict, help_text="The service's other ids, such as Prolific's session"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "identities"
        constraints = [
            models.UniqueConstraint(fields=["study", "key"], name="person_once_per_study"),
        ]

    def __str__(self) -> str:
        return f"{self.service} identity of {self.participant}"


class Invitation(models.Model):
    """A single-use link: good for one participant, who can come back by it."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="invitations")
    token_sha256 = models.CharField(max_length=64, unique=True)
    label = models.CharField(max_length=100, blank=True, help_text="The researcher's own note")
    participant = models.OneToOneField(
        Participant, on_delete=models.PROTECT, related_name="invitation", null=True, blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"invitation {self.pk} to {self.study}"


class CompletionCode(models.Model):
    """What a participant hands to the recruitment service, by how taking part ended."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="codes")
    outcome = models.CharField(max_length=15, choices=Outcome)
    code = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "outcome"], name="one_code_per_outcome"),
            models.UniqueConstraint(fields=["study", "code"], name="codes_differ"),
            models.CheckConstraint(
                condition=Q(outcome__in=Outcome.values), name="code_outcome_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()}: {self.code}"


class ConsentText(models.Model):
    """A consent text as it was shown, by its hash: a version for ever."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="consent_texts")
    sha256 = models.CharField(max_length=64)
    text = models.TextField()
    first_agreed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "sha256"], name="one_row_per_consent_text"),
        ]

    def __str__(self) -> str:
        return f"consent text {self.sha256[:8]} of {self.study}"


class Verdict(models.TextChoices):
    APPROVED = "approved", "Approved"
    EXCLUDED = "excluded", "Excluded"
    UNDECIDED = "undecided", "Decision taken back"


class Decision(models.Model):
    """What a researcher decided about a participant's data. The latest counts; none is changed."""

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=10, choices=Verdict)
    reason = models.CharField(max_length=500)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="verdict_known"),
        ]

    def __str__(self) -> str:
        return f"{self.participant}: {self.verdict}"
