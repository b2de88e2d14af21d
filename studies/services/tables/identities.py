"""Who took part, for owners who ask for it: in no export otherwise."""

from typing import Any

from studies import queries
from studies.models import EntryService
from studies.services.tables.columns import Column, Table, participant_columns

# What `Identity.submission` has besides the service's own ids.
OURS = {"key"}


def service_ids(submission: dict[str, Any] | None) -> dict[str, Any] | None:
    return {name: each for name, each in (submission or {}).items() if name not in OURS} or None


IDENTITIES = Table(
    "identities",
    "One row per participant of whom a recruitment service or an invitation says who they are. "
    "This is not anonymous.",
    queries.identity_rows,
    (
        *participant_columns(""),
        Column(
            "service",
            "identity__service",
            "text",
            "Where they came from",
            allowed=tuple(EntryService.values),
            empty="they came by an invitation",
        ),
        Column(
            "external_id",
            "identity__external_id",
            "text",
            "What the recruitment service calls them",
            empty="the study pseudonymises, or they came by an invitation",
        ),
        Column(
            "submission_ids",
            "identity__submission",
            "JSON",
            "The service's other ids of this participation, such as Prolific's session",
            empty="the service gave none, or the study pseudonymises",
            show=service_ids,
        ),
        Column(
            "identity_key",
            "identity__key",
            "text",
            "Keyed hash of the id (HMAC-SHA-256), by which the server knows them again",
            empty="they came by an invitation",
        ),
        Column(
            "invitation",
            "invitation__label",
            "text",
            "The researcher's note on the single-use link that they came by",
            empty="they came without one, or it has no note",
        ),
    ),
)
