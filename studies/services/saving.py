"""Saving a row with its rules checked, and lines for the log."""

from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from studies.errors import DomainError
from studies.models import Event, Participant, Study

Row = TypeVar("Row", bound=models.Model)


def save_valid(row: Row) -> Row:
    """Check `row` in full and save it; DomainError names each field that is wrong."""
    try:
        row.full_clean()
    except ValidationError as error:
        fields = {
            "" if name == NON_FIELD_ERRORS else name: " ".join(messages)
            for name, messages in error.message_dict.items()
        }
        name = row._meta.verbose_name
        detail = "; ".join(f"{field}: {text}" if field else text for field, text in fields.items())
        raise DomainError("invalid", f"{name} not saved: {detail}", fields=fields) from error
    row.save()
    return row


def record_event(
    *,
    study: Study,
    kind: str,
    participant: Participant | None = None,
    actor: User | None = None,
    data: dict[str, Any] | None = None,
) -> Event:
    """Add a line to the log, in the transaction of what it tells."""
    return Event.objects.create(
        study=study, participant=participant, actor=actor, kind=kind, data=data or {}
    )
