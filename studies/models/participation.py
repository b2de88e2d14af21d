"""Participants, their trials and their answers."""

from django.db import models
from django.db.models import F, Q

from studies.models.blocks import Check, Item
from studies.models.fields import public_id
from studies.models.kinds import ParticipantKind
from studies.models.studies import Question, Study, StudyImage


class ParticipantState(models.TextChoices):
    CONSENTED = "consented", "Consented"
    ACTIVE = "active", "Active"
    FINISHED = "finished", "Finished"
    WITHDRAWN = "withdrawn", "Withdrawn"
    TURNED_AWAY = "turned_away", "Turned away"
    ERASED = "erased", "Erased"


OVER = [
    ParticipantState.FINISHED,
    ParticipantState.WITHDRAWN,
    ParticipantState.TURNED_AWAY,
    ParticipantState.ERASED,
]


class Outcome(models.TextChoices):
    """How taking part ended, or did not begin: each can have a completion code of its own."""

    COMPLETED = "completed", "Completed"
    WITHDREW = "withdrew", "Withdrew"
    NO_CONSENT = "no_consent", "Did not consent"
    SCREENED_OUT = "screened_out", "Screened out"
    COMPREHENSION = "comprehension", "Did not pass the comprehension check"
    OVER_QUOTA = "over_quota", "Came when every image had its ratings"
    EXCLUDED = "excluded", "Excluded by a researcher"
    TOO_LATE = "too_late", "Came back after the deadline"


class Participant(models.Model):
    """Someone who agreed to take part. Who they are is not stored here."""

    public_id = models.CharField(max_length=22, unique=True, default=public_id, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="participants")
    kind = models.CharField(max_length=10, choices=ParticipantKind)
    state = models.CharField(
        max_length=12, choices=ParticipantState, default=ParticipantState.CONSENTED
    )
    outcome = models.CharField(max_length=15, choices=Outcome, blank=True)
    is_excluded = models.BooleanField(
        default=False, help_text="A researcher decided so; the log says who, when and why"
    )
    at_block = models.PositiveSmallIntegerField(
        default=1, help_text="Position of the block that they are at"
    )
    number = models.PositiveIntegerField(
        null=True, blank=True, help_text="Among the participants of this kind who got trials"
    )
    n_trials = models.PositiveIntegerField(default=0, help_text="Trials that they are asked for")
    n_done = models.PositiveIntegerField(default=0, help_text="Of those, how many are behind them")
    seed = models.PositiveBigIntegerField(help_text="Of the choice and order of the images")
    consent_sha256 = models.CharField(max_length=64, help_text="Of the text that was agreed to")
    environment = models.JSONField(
        blank=True, default=dict, help_text="Viewport, kind of device and language at entry"
    )
    consented_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    last_active_at = models.DateTimeField(help_text="Last thing they sent that was stored")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["study", "kind", "state"], name="participants_by_state"),
            models.Index(
                fields=["study", "kind", "last_active_at"],
                condition=Q(state="active"),
                name="silent_participants",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=ParticipantKind.values), name="participant_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=ParticipantState.values), name="participant_state_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["", *Outcome.values]), name="outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=False, state__in=OVER)
                | Q(ended_at__isnull=True, state__in=["consented", "active"]),
                name="ended_when_over",
            ),
            models.CheckConstraint(condition=Q(n_done__lte=F("n_trials")), name="done_of_trials"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"


class Session(models.Model):
    """A browser that a participant holds; somebody on two devices has two."""

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="sessions")
    token_sha256 = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"session of {self.participant}"


class TrialState(models.TextChoices):
    ASSIGNED = "assigned", "Assigned"
    COMPLETED = "completed", "Completed"
    RETURNED = "returned", "Returned"
    UNSEEN = "unseen", "Image could not be shown"


class TrialRole(models.TextChoices):
    MAIN = "main", "Rating"
    REPEAT = "repeat", "Repeat"
    CHECK = "check", "Check"
    PRACTICE = "practice", "Practice"


class Trial(models.Model):
    """What one participant is shown at one moment: an image, or several to be compared.

    `study_image` is empty where several images are compared; those are `TrialImage` rows.
    The database refuses an image of another study.
    """

    public_id = models.CharField(max_length=22, unique=True, default=public_id, editable=False)
    # The unique constraint on position is the index of this key.
    participant = models.ForeignKey(
        Participant, on_delete=models.PROTECT, related_name="trials", db_index=False
    )
    role = models.CharField(max_length=10, choices=TrialRole, default=TrialRole.MAIN)
    study_image = models.ForeignKey(
        StudyImage, on_delete=models.PROTECT, related_name="trials", null=True, blank=True
    )
    check_asked = models.ForeignKey(
        Check, on_delete=models.PROTECT, related_name="trials", null=True, blank=True
    )
    pair = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Place in the schedule of pairs"
    )
    position = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=TrialState, default=TrialState.ASSIGNED)
    assigned_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    submission = models.UUIDField(
        null=True, blank=True, help_text="Key of the submission whose answers are the final ones"
    )
    response_time_ms = models.PositiveIntegerField(
        null=True, blank=True, help_text="From painted image to answer; empty without JavaScript"
    )
    evidence = models.JSONField(
        blank=True, default=dict, help_text="What the page measured: see the codebook"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["participant", "position"], name="trial_position"),
            models.UniqueConstraint(
                fields=["participant", "study_image"],
                condition=Q(role="main"),
                name="image_once_per_participant",
            ),
            models.CheckConstraint(
                condition=Q(state__in=TrialState.values), name="trial_state_known"
            ),
            models.CheckConstraint(condition=Q(role__in=TrialRole.values), name="trial_role_known"),
            models.CheckConstraint(
                condition=Q(role="check", check_asked__isnull=False)
                | ~Q(role="check") & Q(check_asked__isnull=True),
                name="checks_ask_a_check",
            ),
            models.CheckConstraint(
                condition=Q(state="completed", completed_at__isnull=False)
                | (~Q(state="completed") & Q(completed_at__isnull=True)),
                name="completed_at_when_completed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participant}, trial {self.position}"


class TrialImage(models.Model):
    """One of several images shown together; places count from 1, from left to right."""

    trial = models.ForeignKey(
        Trial, on_delete=models.CASCADE, related_name="images", db_index=False
    )
    study_image = models.ForeignKey(StudyImage, on_delete=models.PROTECT, related_name="shown")
    place = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(fields=["trial", "place"], name="one_image_per_place"),
            models.UniqueConstraint(fields=["trial", "study_image"], name="image_once_per_trial"),
            models.CheckConstraint(condition=Q(place__gt=0), name="places_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.trial}, place {self.place}"


class Answered(models.Model):
    """The parts of any answer: abstract."""

    value = models.JSONField(help_text="What is stored: a point, a label's value, places")
    label = models.CharField(max_length=5000, blank=True, help_text="The words shown for it")
    number = models.FloatField(
        null=True, blank=True, help_text="What the analysis counts; empty where undecided"
    )

    class Meta:
        abstract = True


class Response(Answered):
    """The final answer to one question of one trial.

    The database refuses a question of another study.
    """

    # One response per trial and question: that constraint is the index of this key.
    trial = models.ForeignKey(
        Trial, on_delete=models.PROTECT, related_name="responses", db_index=False
    )
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="responses")
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["trial", "question"], name="one_response_per_trial_and_question"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trial}: {self.label}"


class Revision(Answered):
    """An answer that its participant replaced by another."""

    response = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="revisions")
    received_at = models.DateTimeField(help_text="When this answer came")
    replaced_at = models.DateTimeField()

    class Meta:
        ordering = ["replaced_at", "pk"]

    def __str__(self) -> str:
        return f"{self.response}, before {self.replaced_at:%Y-%m-%d %H:%M:%S}"


class ItemAnswer(Answered):
    """The answer to one item of a questionnaire or of one attempt at a comprehension check."""

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="answers")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="answers")
    attempt = models.PositiveSmallIntegerField(default=1)
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["participant", "item", "attempt"], name="one_answer_per_item_and_attempt"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participant}, {self.item.key}: {self.label}"
