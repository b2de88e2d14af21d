"""Scans, and what each found in each image."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from studies.models.fields import NodesField
from studies.models.generation import GenerativeModel, Image, ImageSet
from studies.models.workspaces import Workspace


class Tail(models.TextChoices):
    UPPER = "upper", "Upper"
    LOWER = "lower", "Lower"
    TWO_SIDED = "two-sided", "Two-sided"


class Statistic(models.TextChoices):
    BERK_JONES = "berk_jones", "Berk–Jones"
    HIGHER_CRITICISM = "higher_criticism", "Higher criticism"
    KOLMOGOROV_SMIRNOV = "kolmogorov_smirnov", "Kolmogorov–Smirnov"


class Scan(models.Model):
    """One scan of test sets against a background: every parameter, and the group's result."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="scans")
    name = models.CharField(max_length=120)
    model = models.ForeignKey(
        GenerativeModel, on_delete=models.PROTECT, related_name="scans", null=True, blank=True
    )
    background = models.ForeignKey(
        ImageSet, on_delete=models.PROTECT, related_name="scans_as_background"
    )
    test_sets = models.ManyToManyField(ImageSet, related_name="scans_as_test")
    layer = models.CharField(max_length=120)
    tail = models.CharField(max_length=10, choices=Tail)
    statistic = models.CharField(max_length=20, choices=Statistic)
    alpha_max = models.FloatField()
    n_restarts = models.PositiveIntegerField()
    seed = models.PositiveBigIntegerField()
    n_background = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    n_images = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    n_nodes = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    node_shape = models.JSONField(help_text="Shape of the layer, e.g. channels × height × width")
    group_score = models.FloatField()
    group_alpha = models.FloatField(null=True, blank=True)
    group_n_images = models.PositiveIntegerField()
    group_nodes = NodesField()
    details = models.JSONField(
        blank=True, default=dict, help_text="Restarts, steps and thresholds used"
    )
    versions = models.JSONField()
    duration_ms = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="scan_name_in_workspace"),
            models.CheckConstraint(
                condition=Q(alpha_max__gt=0, alpha_max__lte=1), name="alpha_max_in_range"
            ),
            models.CheckConstraint(condition=Q(tail__in=Tail.values), name="tail_known"),
            models.CheckConstraint(
                condition=Q(statistic__in=Statistic.values), name="statistic_known"
            ),
            models.CheckConstraint(
                condition=Q(group_alpha__isnull=True)
                | Q(group_alpha__gt=0, group_alpha__lte=F("alpha_max")),
                name="group_alpha_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def group_n_nodes(self) -> int:
        return len(self.group_nodes)


class ScanResult(models.Model):
    """What a scan found in one image: its own subset, and whether the group's holds it."""

    scan = models.ForeignKey(Scan, on_delete=models.CASCADE, related_name="results")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="scan_results")
    score = models.FloatField()
    size = models.PositiveIntegerField(help_text="Nodes in the image's anomalous subset")
    alpha = models.FloatField(null=True, blank=True, help_text="Empty where nothing is anomalous")
    nodes = NodesField()
    in_group = models.BooleanField(help_text="Whether the group's anomalous subset has the image")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scan", "image"], name="one_result_per_image"),
            models.CheckConstraint(condition=Q(score__gte=0), name="score_not_negative"),
            models.CheckConstraint(
                condition=Q(size=0, alpha__isnull=True) | Q(size__gt=0, alpha__gt=0, alpha__lte=1),
                name="alpha_where_anomalous",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scan}: {self.image}"
