"""What a participant goes through between consent and debrief, block by block."""

from django.db import models
from django.db.models import Q

from studies.models.studies import Question, Study, StudyImage


class BlockKind(models.TextChoices):
    INSTRUCTIONS = "instructions", "Instructions"
    COMPREHENSION = "comprehension", "Comprehension check"
    GALLERY = "gallery", "All images at once"
    PRACTICE = "practice", "Practice"
    RATINGS = "ratings", "Ratings"
    QUESTIONNAIRE = "questionnaire", "Questionnaire"


class Block(models.Model):
    """One step of a study. Consent comes before the first, debrief after the last."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="blocks")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=15, choices=BlockKind)
    title = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["study", "position"], name="block_position"),
            # Exports and progress count on one sequence of ratings.
            models.UniqueConstraint(
                fields=["study", "kind"],
                condition=Q(kind__in=["gallery", "practice", "ratings"]),
                name="one_such_block_per_study",
            ),
            models.CheckConstraint(condition=Q(kind__in=BlockKind.values), name="block_kind_known"),
            models.CheckConstraint(condition=Q(position__gt=0), name="block_position_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.study}, {self.position}: {self.get_kind_display()}"


class Item(models.Model):
    """A question of a questionnaire or a comprehension check, asked once, about no image."""

    block = models.ForeignKey(Block, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField()
    key = models.SlugField(max_length=40, help_text="Its name in exports")
    kind = models.CharField(max_length=20)
    text = models.CharField(max_length=300)
    options = models.JSONField(blank=True, default=dict)
    correct = models.JSONField(
        null=True, blank=True, help_text="Right values, in a comprehension check"
    )

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["block", "position"], name="item_position"),
            models.UniqueConstraint(fields=["block", "key"], name="item_key"),
        ]

    def __str__(self) -> str:
        return self.text


class CheckKind(models.TextChoices):
    ATTENTION = "attention", "Attention check"
    CATCH = "catch", "Catch trial"


class Check(models.Model):
    """A trial among the ratings whose right answer is known.

    An attention check says on the page what to answer; a catch trial shows an image of which
    everybody who looks gives one of the expected answers.
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="checks")
    kind = models.CharField(max_length=10, choices=CheckKind)
    study_image = models.ForeignKey(StudyImage, on_delete=models.PROTECT, related_name="checks")
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="checks")
    instruction = models.CharField(
        max_length=300, blank=True, help_text="Of an attention check: what to answer"
    )
    expected = models.JSONField(help_text="Values that pass")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="attention") & ~Q(instruction="")
                | Q(kind="catch", instruction=""),
                name="attention_checks_say_what_to_answer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"
