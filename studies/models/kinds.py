"""Kinds of participants, whom counts and analyses keep apart."""

from django.db import models


class ParticipantKind(models.TextChoices):
    PERSON = "person", "Person"
    PILOT = "pilot", "Pilot"
    SIMULATED = "simulated", "Simulated"
