"""Studies: what is asked about which images."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from studies.models.generation import Image
from studies.models.policies import (
    AssignmentPolicy,
    EntryPolicy,
    EntryService,
    PresentationPolicy,
    ReturnPolicy,
    TargetUnit,
    TrialOrder,
)
from studies.models.scans import Scan
from studies.models.workspaces import Workspace


class StudyState(models.TextChoices):
    DRAFT = "draft", "Draft"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    CLOSED = "closed", "Closed"


class Study(AssignmentPolicy, PresentationPolicy, EntryPolicy):
    """A rating study: its words and its policies. Its steps are `Block` rows.

    Consent and debrief stand here, not among the blocks: every study has exactly one of
    each, first and last.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="studies")
    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=200, help_text="Participants read it")
    state = models.CharField(max_length=10, choices=StudyState, default=StudyState.DRAFT)
    scan = models.ForeignKey(
        Scan, on_delete=models.PROTECT, related_name="studies", null=True, blank=True,
        help_text="The scan whose sizes and scores the ratings are compared with",
    )  # fmt: skip
    summary = models.TextField(help_text="One or two sentences on the first page")
    consent = models.TextField()
    debrief = models.TextField()
    responsible = models.CharField(max_length=200, help_text="Who answers for the study")
    duration_minutes = models.PositiveSmallIntegerField(validators=[MinValueValidator(1)])
    seed = models.PositiveBigIntegerField(help_text="Of the selection of images")
    created_at = models.DateTimeField(auto_now_add=True)
    launched_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=StudyState.values), name="study_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state=StudyState.DRAFT) | Q(launched_at__isnull=False),
                name="launched_when_not_draft",
            ),
            models.CheckConstraint(
                condition=Q(trials_per_participant__gt=0), name="some_trials_per_participant"
            ),
            models.CheckConstraint(
                condition=Q(target_unit__in=TargetUnit.values)
                & Q(trial_order__in=TrialOrder.values)
                & Q(after_silence__in=ReturnPolicy.values)
                & Q(entry__in=EntryService.values),
                name="study_policies_known",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Question(models.Model):
    """A question asked about each image."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="questions")
    position = models.PositiveSmallIntegerField()
    key = models.SlugField(max_length=40, help_text="Its name in exports")
    kind = models.CharField(max_length=20)
    text = models.CharField(max_length=300)
    options = models.JSONField(blank=True, default=dict)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["study", "position"], name="question_position"),
            models.UniqueConstraint(fields=["study", "key"], name="question_key"),
        ]

    def __str__(self) -> str:
        return self.text


class ImageRole(models.TextChoices):
    RATING = "rating", "To be rated"
    PRACTICE = "practice", "Practice"
    CHECK = "check", "Attention check or catch trial"
    REFERENCE = "reference", "Reference, shown beside each image"


class StudyImage(models.Model):
    """An image's place in a study."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="study_images")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="study_images")
    role = models.CharField(max_length=10, choices=ImageRole, default=ImageRole.RATING)
    stratum = models.CharField(max_length=60)
    position = models.PositiveIntegerField(
        default=0, help_text="Among the images of the same role; the order of practice"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "image"], name="image_once_per_study"),
            models.UniqueConstraint(
                fields=["study"], condition=Q(role="reference"), name="one_reference_per_study"
            ),
            models.CheckConstraint(condition=Q(role__in=ImageRole.values), name="image_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.image} in {self.study}"
