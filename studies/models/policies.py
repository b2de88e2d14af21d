"""What a study decides once for all its participants: abstract parts of `Study`."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class TargetUnit(models.TextChoices):
    IMAGE = "image", "Image"
    PAIR = "pair", "Pair"


class TrialOrder(models.TextChoices):
    RANDOM = "random", "Random"
    BLOCKED = "blocked", "One stratum after another, in random order"
    WILLIAMS = "williams", "One stratum after another, balanced for carry-over (Williams)"


class ReturnPolicy(models.TextChoices):
    RESUME = "resume", "Go on where they stopped"
    BLOCK = "block", "Not go on"


class AssignmentPolicy(models.Model):
    """How many ratings are wanted, who gets which trials, and when a slot is free again."""

    trials_per_participant = models.PositiveIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(2000)]
    )
    ratings_target = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)],
        help_text="Ratings wanted of each image (or pair); empty: as many as come",
    )  # fmt: skip
    target_unit = models.CharField(
        max_length=10, choices=TargetUnit, default=TargetUnit.IMAGE,
        help_text="What the target counts; pairs for questions about two images only",
    )  # fmt: skip
    reserve = models.PositiveIntegerField(
        default=0, help_text="Ratings of each image that may be assigned beyond the target"
    )
    trial_order = models.CharField(max_length=10, choices=TrialOrder, default=TrialOrder.RANDOM)
    n_repeats = models.PositiveIntegerField(
        default=0, help_text="Images that a participant rates twice without being told"
    )
    repeat_lag = models.PositiveIntegerField(
        default=5, validators=[MinValueValidator(1)],
        help_text="Fewest trials between an image and its repeat",
    )  # fmt: skip
    silent_minutes = models.PositiveIntegerField(
        default=30, null=True, blank=True, validators=[MinValueValidator(1)],
        help_text="Silent for so long, a participant's open slots go to others; empty: never",
    )  # fmt: skip
    after_silence = models.CharField(
        max_length=10, choices=ReturnPolicy, default=ReturnPolicy.RESUME,
        help_text="What somebody can do who comes back after that",
    )  # fmt: skip
    replace_excluded = models.BooleanField(
        default=True, help_text="Ratings of excluded participants are gathered anew from others"
    )

    class Meta:
        abstract = True


class PresentationPolicy(models.Model):
    """How images are shown, and what participants may do on a page."""

    language = models.CharField(
        max_length=10, default="en",
        help_text="Of the texts, as a language tag; the pages' own words follow where translated",
    )  # fmt: skip
    smooth_images = models.BooleanField(
        default=False, help_text="Enlarge small images smoothly instead of pixel by pixel"
    )
    zoom = models.BooleanField(default=False, help_text="Images can be opened at full size")
    exposure_ms = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(16), MaxValueValidator(60_000)],
        help_text="Show each image for so long, then a mask; empty: until the answer",
    )  # fmt: skip
    number_keys = models.BooleanField(default=True, help_text="Number keys choose answers")
    allow_changes = models.BooleanField(
        default=False, help_text="Participants can go back and change an answer"
    )

    class Meta:
        abstract = True


class EntryService(models.TextChoices):
    OPEN = "open", "Open link"
    SINGLE_USE = "single_use", "Single-use links"
    PROLIFIC = "prolific", "Prolific"
    MTURK = "mturk", "Amazon Mechanical Turk"
    SONA = "sona", "SONA"
    CLOUDRESEARCH = "cloudresearch", "CloudResearch Connect"


class EntryPolicy(models.Model):
    """Who comes in and how, and how long what is known of them is kept."""

    entry = models.CharField(max_length=15, choices=EntryService, default=EntryService.OPEN)
    service_settings = models.JSONField(
        blank=True, default=dict, help_text="What the exit to the service needs, such as SONA's ids"
    )
    pseudonymise = models.BooleanField(
        default=True, help_text="Keep only a keyed hash (HMAC) of identifiers from outside"
    )
    session_days = models.PositiveSmallIntegerField(
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="How long a participant can come back",
    )
    retention_until = models.DateField(
        null=True, blank=True, help_text="Day after which identifiers from outside are deleted"
    )
    screening = models.JSONField(
        blank=True, default=dict,
        help_text="min_width_px, devices (phone, tablet, desktop), languages",
    )  # fmt: skip
    quality_rules = models.JSONField(
        blank=True, default=dict, help_text="Limits that mark a participant for a second look"
    )

    class Meta:
        abstract = True
