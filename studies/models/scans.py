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


class Engine(models.TextChoices):
    NUMBA = "numba", "This machine's processor"
    TORCH = "torch", "Torch's device"
    AUTO = "auto", "Whichever is faster"


class NullKind(models.TextChoices):
    HELD_OUT = "held-out", "Held-out images"
    POOLED = "pooled", "Held-out and tested images together"


class Scan(models.Model):
    """One scan of test sets against a background: every parameter, and the group's result.

    A calibrated scan has held-out sets, and tells how often normal images score as high:
    image by image always, for the group where they suffice for null groups of its size.
    """

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
    max_images = models.PositiveIntegerField(
        null=True, blank=True, help_text="Most images that the group's subset may have"
    )
    max_nodes = models.PositiveIntegerField(
        null=True, blank=True, help_text="Most nodes that the group's subset may have"
    )
    engine = models.CharField(max_length=10, choices=Engine, default=Engine.NUMBA)
    n_background = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    n_images = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    n_nodes = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    node_shape = models.JSONField(help_text="Shape of the layer, e.g. channels × height × width")
    group_score = models.FloatField()
    group_alpha = models.FloatField(null=True, blank=True)
    group_n_images = models.PositiveIntegerField()
    group_nodes = NodesField()
    is_exact = models.BooleanField(
        default=False, help_text="Whether the group's score is known to be the highest of all"
    )
    held_out = models.ManyToManyField(
        ImageSet,
        related_name="scans_as_held_out",
        blank=True,
        help_text="Normal images that scores were calibrated by; none: not calibrated",
    )
    n_held_out = models.PositiveIntegerField(default=0)
    confidence = models.FloatField(
        null=True, blank=True, help_text="Of the intervals of calibrated p-values"
    )
    null_kind = models.CharField(
        max_length=10,
        choices=NullKind,
        blank=True,
        help_text="What null groups were drawn from; empty: the group is not calibrated",
    )
    n_replicates = models.PositiveIntegerField(default=0, help_text="Null groups")
    calibration_seed = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Of the draws of null groups"
    )
    null_scores = models.JSONField(
        blank=True, default=list, help_text="Score of each null group, in the order drawn"
    )
    group_n_exceeding = models.PositiveIntegerField(
        null=True, blank=True, help_text="Null groups that score as high as the group"
    )
    group_pvalue = models.FloatField(null=True, blank=True)
    group_pvalue_low = models.FloatField(null=True, blank=True)
    group_pvalue_high = models.FloatField(null=True, blank=True)
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
            models.CheckConstraint(condition=Q(engine__in=Engine.values), name="engine_known"),
            models.CheckConstraint(
                condition=Q(n_held_out=0, confidence__isnull=True, null_kind="")
                | Q(n_held_out__gt=0, confidence__isnull=False, confidence__gt=0, confidence__lt=1),
                name="calibrated_by_held_out_images",
            ),
            models.CheckConstraint(
                condition=Q(
                    null_kind="",
                    n_replicates=0,
                    calibration_seed__isnull=True,
                    group_n_exceeding__isnull=True,
                    group_pvalue__isnull=True,
                    group_pvalue_low__isnull=True,
                    group_pvalue_high__isnull=True,
                )
                | Q(
                    null_kind__in=NullKind.values,
                    n_replicates__gt=0,
                    calibration_seed__isnull=False,
                    group_n_exceeding__isnull=False,
                    group_n_exceeding__lte=F("n_replicates"),
                    group_pvalue__isnull=False,
                    group_pvalue__gt=0,
                    group_pvalue__lte=1,
                    group_pvalue_low__isnull=False,
                    group_pvalue_low__gte=0,
                    group_pvalue_high__isnull=False,
                    group_pvalue_high__gte=F("group_pvalue_low"),
                    group_pvalue_high__lte=1,
                ),
                name="group_calibrated_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def group_n_nodes(self) -> int:
        return len(self.group_nodes)

    @property
    def is_calibrated(self) -> bool:
        """Whether its images' scores have p-values."""
        return self.n_held_out > 0


class ScanResult(models.Model):
    """What a scan found in one image: its own subset, and whether the group's holds it."""

    scan = models.ForeignKey(Scan, on_delete=models.CASCADE, related_name="results")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="scan_results")
    score = models.FloatField()
    size = models.PositiveIntegerField(help_text="Nodes in the image's anomalous subset")
    alpha = models.FloatField(null=True, blank=True, help_text="Empty where nothing is anomalous")
    nodes = NodesField()
    in_group = models.BooleanField(help_text="Whether the group's anomalous subset has the image")
    n_exceeding = models.PositiveIntegerField(
        null=True, blank=True, help_text="Held-out normal images that score as high"
    )
    pvalue = models.FloatField(
        null=True, blank=True, help_text="Calibrated p of the score; empty: not calibrated"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scan", "image"], name="one_result_per_image"),
            models.CheckConstraint(condition=Q(score__gte=0), name="score_not_negative"),
            models.CheckConstraint(
                condition=Q(size=0, alpha__isnull=True) | Q(size__gt=0, alpha__gt=0, alpha__lte=1),
                name="alpha_where_anomalous",
            ),
            models.CheckConstraint(
                condition=Q(pvalue__isnull=True, n_exceeding__isnull=True)
                | Q(
                    pvalue__isnull=False,
                    pvalue__gt=0,
                    pvalue__lte=1,
                    n_exceeding__isnull=False,
                ),
                name="pvalue_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scan}: {self.image}"
