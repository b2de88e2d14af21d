"""Work that goes on without a page being open: who asked for what, and how far it is."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from studies.models.analysis import AnalysisRun
from studies.models.scans import Scan
from studies.models.studies import Study
from studies.models.workspaces import Workspace

# A worker gives a sign of life every few seconds; one silent for so long is taken for dead.
SILENT = timedelta(seconds=45)
# An idle worker looks for work every second; work still waiting then has nobody to do it.
WAITING = timedelta(seconds=10)


class JobKind(models.TextChoices):
    SCAN = "scan", "Scan"
    ANALYSIS = "analysis", "Analysis"
    PLANNING = "planning", "Planning"
    EXPORT = "export", "Export"


class JobState(models.TextChoices):
    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"
    STOPPED = "stopped", "Stopped"


UNDER_WAY = (JobState.QUEUED, JobState.RUNNING)
ENDED_WITHOUT_RESULT = (JobState.FAILED, JobState.CANCELLED, JobState.STOPPED)


class Job(models.Model):
    """Something that somebody asked to be computed, and what became of it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="jobs")
    kind = models.CharField(max_length=10, choices=JobKind)
    name = models.CharField(max_length=120, help_text="Of what it makes")
    parameters = models.JSONField()
    key = models.CharField(max_length=40, help_text="Of the request: the same one makes no second")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="jobs"
    )
    state = models.CharField(max_length=10, choices=JobState, default=JobState.QUEUED)
    n_done = models.PositiveIntegerField(default=0)
    n_total = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=200, blank=True, help_text="What it is doing")
    error = models.TextField(blank=True, help_text="Why it failed")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(
        null=True, blank=True, help_text="The worker's last sign of life"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    study = models.ForeignKey(
        Study, on_delete=models.CASCADE, null=True, blank=True, related_name="jobs",
        help_text="What it is about, where it is about one study",
    )  # fmt: skip
    # What it made: one of these, by its kind.
    scan = models.OneToOneField(
        Scan, on_delete=models.SET_NULL, null=True, blank=True, related_name="job"
    )
    analysis = models.ForeignKey(
        AnalysisRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="jobs"
    )
    result = models.JSONField(null=True, blank=True, help_text="A plan, or the facts of a file")
    file = models.CharField(
        max_length=200, blank=True, help_text="Of an export, below the folder of private files"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="one_job_per_request"),
            models.UniqueConstraint(
                fields=["workspace", "kind", "name"],
                condition=Q(state__in=UNDER_WAY),
                name="one_job_under_way_per_name",
            ),
            models.CheckConstraint(condition=Q(kind__in=JobKind.values), name="job_kind_known"),
            models.CheckConstraint(condition=Q(n_done__lte=F("n_total")), name="done_of_total"),
            models.CheckConstraint(
                condition=Q(state="queued", started_at__isnull=True, ended_at__isnull=True)
                | Q(
                    state="running",
                    started_at__isnull=False,
                    heartbeat_at__isnull=False,
                    ended_at__isnull=True,
                )
                | Q(state__in=["finished", *ENDED_WITHOUT_RESULT], ended_at__isnull=False),
                name="job_times_of_state",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} “{self.name}”: {self.state}"

    @property
    def is_under_way(self) -> bool:
        return self.state in UNDER_WAY

    @property
    def is_silent(self) -> bool:
        """Whether it should be running and its worker gives no sign of life."""
        return (
            self.state == JobState.RUNNING
            and self.heartbeat_at is not None
            and timezone.now() - self.heartbeat_at > SILENT
        )

    @property
    def may_be_repeated(self) -> bool:
        return self.state in ENDED_WITHOUT_RESULT or self.is_silent

    @property
    def elapsed(self) -> timedelta | None:
        """How long it has been running, or took; None where it never began."""
        if self.started_at is None:
            return None
        until = self.ended_at or (self.heartbeat_at if self.is_silent else timezone.now())
        return (until or self.started_at) - self.started_at
