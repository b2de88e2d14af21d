"""Generative models and the images that came out of them."""

from django.db import models

from studies.models.fields import public_id
from studies.models.workspaces import Workspace

SHA256_HELP = "SHA-256 of the file, its name on disk"


class GenerativeModel(models.Model):
    """A trained model: its architecture, how it was trained, and its weights by content."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="models")
    name = models.CharField(max_length=120)
    architecture = models.CharField(max_length=60)
    configuration = models.JSONField(help_text="What the architecture was built with")
    training = models.JSONField(help_text="Data, seed, schedule, loss curve, versions, duration")
    layers = models.JSONField(help_text="Names of layers and their shapes, in order")
    weights_sha256 = models.CharField(max_length=64, help_text=SHA256_HELP)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="model_name_in_workspace"),
        ]

    def __str__(self) -> str:
        return self.name


class Process(models.TextChoices):
    NORMAL = "normal", "Normal"
    CREATIVE = "creative", "Creative"
    CONTROL = "control", "Control"


class ImageSet(models.Model):
    """Images made or brought in together, with the latents and activations they came from."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="image_sets")
    name = models.CharField(max_length=120)
    model = models.ForeignKey(
        GenerativeModel, on_delete=models.PROTECT, related_name="image_sets", null=True, blank=True
    )
    generation = models.JSONField(
        blank=True,
        default=dict,
        help_text="Seed, number, and the parameters of creative decoding if any",
    )
    activations_sha256 = models.CharField(
        max_length=64,
        blank=True,
        help_text="SHA-256 of the safetensors file with latents and activations, row by position",
    )
    layers = models.JSONField(
        blank=True, default=list, help_text="Layers whose activations are kept"
    )
    licence = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=400, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="set_name_in_workspace"),
        ]

    def __str__(self) -> str:
        return self.name


class Image(models.Model):
    """One image: named by its content on disk, and by nothing that tells in an address."""

    public_id = models.CharField(max_length=22, unique=True, default=public_id, editable=False)
    image_set = models.ForeignKey(ImageSet, on_delete=models.PROTECT, related_name="images")
    position = models.PositiveIntegerField(help_text="Row in the set's latents and activations")
    process = models.CharField(max_length=10, choices=Process)
    sha256 = models.CharField(max_length=64, help_text=SHA256_HELP)
    media_type = models.CharField(max_length=20)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["image_set", "position"], name="position_in_set"),
            models.CheckConstraint(
                condition=models.Q(process__in=Process.values), name="process_known"
            ),
            models.CheckConstraint(
                condition=models.Q(width__gt=0, height__gt=0), name="image_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_set} #{self.position}"
