"""What happened, in order, for ever."""

from django.conf import settings
from django.db import models

from studies.models.participation import Participant
from studies.models.studies import Study


class Event(models.Model):
    """One line of the log. The database refuses to change or delete it."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="events")
    participant = models.ForeignKey(
        Participant, on_delete=models.PROTECT, related_name="events", null=True, blank=True
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    kind = models.CharField(max_length=40)
    data = models.JSONField(blank=True, default=dict)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["study", "at"], name="events_by_time")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.kind}"
