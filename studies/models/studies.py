"""Studies: what is asked about which images."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from studies.models.generation import Image
from studies.models.kinds import ParticipantKind
from studies.models.scans import Scan
from studies.models.workspaces import Workspace


class StudyState(models.TextChoices):
    DRAFT = "draft", "Draft"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    CLOSED = "closed", "Closed"


class Study(models.Model):
    """A rating study and the words that participants read."""

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
    instructions = models.TextField()
    debrief = models.TextField()
    responsible = models.CharField(max_length=200, help_text="Who answers for the study")
    duration_minutes = models.PositiveSmallIntegerField(validators=[MinValueValidator(1)])
    trials_per_participant = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    session_days = models.PositiveSmallIntegerField(
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="How long a participant can come back",
    )
    smooth_images = models.BooleanField(
        default=False, help_text="Enlarge small images smoothly instead of pixel by pixel"
    )
    completion_code = models.CharField(max_length=40)
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


class StudyImage(models.Model):
    """An image's place in a study."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="study_images")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="study_images")
    stratum = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "image"], name="image_once_per_study"),
        ]

    def __str__(self) -> str:
        return f"{self.image} in {self.study}"


class Coverage(models.Model):
    """How often an image was assigned to, and rated by, one kind of participant.

    People, pilot and simulated participants are counted apart, so that neither pilot nor
    simulation shifts the balance of the live study.
    """

    study_image = models.ForeignKey(StudyImage, on_delete=models.CASCADE, related_name="coverage")
    kind = models.CharField(max_length=10, choices=ParticipantKind)
    n_assigned = models.PositiveIntegerField(default=0)
    n_completed = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "coverage"
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
