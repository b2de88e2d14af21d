"""Participants, their trials and their answers."""

from django.db import models
from django.db.models import Q

from studies.models.fields import public_id
from studies.models.kinds import ParticipantKind
from studies.models.studies import Question, Study, StudyImage


class ParticipantState(models.TextChoices):
    CONSENTED = "consented", "Consented"
    ACTIVE = "active", "Active"
    FINISHED = "finished", "Finished"
    WITHDRAWN = "withdrawn", "Withdrawn"


class Participant(models.Model):
    """Someone who agreed to take part. Who they are is not stored here."""

    public_id = models.CharField(max_length=22, unique=True, default=public_id, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="participants")
    kind = models.CharField(max_length=10, choices=ParticipantKind)
    state = models.CharField(
        max_length=10, choices=ParticipantState, default=ParticipantState.CONSENTED
    )
    token_sha256 = models.CharField(max_length=64, unique=True)
    token_expires_at = models.DateTimeField()
    seed = models.PositiveBigIntegerField(help_text="Of the choice and order of the images")
    consent_sha256 = models.CharField(max_length=64, help_text="Of the text that was agreed to")
    consented_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    last_active_at = models.DateTimeField(help_text="Last thing they sent that was stored")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["study", "kind", "state"], name="participants_by_state")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=ParticipantKind.values), name="participant_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=ParticipantState.values), name="participant_state_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    ended_at__isnull=False,
                    state__in=[ParticipantState.FINISHED, ParticipantState.WITHDRAWN],
                )
                | Q(
                    ended_at__isnull=True,
                    state__in=[ParticipantState.CONSENTED, ParticipantState.ACTIVE],
                ),
                name="ended_when_over",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"


class TrialState(models.TextChoices):
    ASSIGNED = "assigned", "Assigned"
    COMPLETED = "completed", "Completed"
    RETURNED = "returned", "Returned"


class Trial(models.Model):
    """One image shown to one participant. The database refuses an image of another study."""

    public_id = models.CharField(max_length=22, unique=True, default=public_id, editable=False)
    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="trials")
    study_image = models.ForeignKey(StudyImage, on_delete=models.PROTECT, related_name="trials")
    position = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=TrialState, default=TrialState.ASSIGNED)
    assigned_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    response_time_ms = models.PositiveIntegerField(
        null=True, blank=True, help_text="From painted image to answer; empty without JavaScript"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["participant", "position"], name="trial_position"),
            models.UniqueConstraint(
                fields=["participant", "study_image"], name="image_once_per_participant"
            ),
            models.CheckConstraint(
                condition=Q(state__in=TrialState.values), name="trial_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state=TrialState.COMPLETED, completed_at__isnull=False)
                | (~Q(state=TrialState.COMPLETED) & Q(completed_at__isnull=True)),
                name="completed_at_when_completed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participant}, trial {self.position}"


class Response(models.Model):
    """One answer. The database refuses a question of another study."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="responses")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="responses")
    value = models.JSONField(help_text="What is stored: a point, or a label's value")
    label = models.CharField(max_length=300, help_text="The words shown for it")
    number = models.FloatField(
        null=True, blank=True, help_text="What the analysis counts; empty where undecided"
    )
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["trial", "question"], name="one_response_per_trial_and_question"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trial}: {self.label}"
