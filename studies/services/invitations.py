"""Single-use links: each is good for one person, who can come back by it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from studies.errors import DomainError
from studies.models import EntryService, Invitation, Study
from studies.services.hashes import new_token, sha256_of_text
from studies.services.saving import record_event

MAX_INVITATIONS = 10_000


@dataclass(frozen=True)
class Issued:
    """An invitation in the only moment in which its token can be read."""

    label: str
    token: str


@transaction.atomic
def create_invitations(
    *, study: Study, n: int, labels: Sequence[str] = (), actor: User | None = None
) -> list[Issued]:
    """Make `n` single-use links to `study`, with the researcher's notes `labels` if any.

    Only the hashes of the tokens are stored. DomainError where the study is entered in
    another way, or `n` and `labels` do not go together.
    """
    if study.entry != EntryService.SINGLE_USE:
        raise DomainError(
            "wrong_entry",
            f"“{study.title}” must be entered by single-use links to have some; "
            f"it is entered by: {study.get_entry_display()}",
        )
    if not 1 <= n <= MAX_INVITATIONS:
        raise DomainError("bad_number", f"n must be from 1 to {MAX_INVITATIONS}; got {n}")
    if labels and len(labels) != n:
        raise DomainError("bad_labels", f"labels must be {n}, one for each link; got {len(labels)}")
    longest = Invitation._meta.get_field("label").max_length or 0
    too_long = next((label for label in labels if len(label) > longest), None)
    if too_long is not None:
        raise DomainError(
            "bad_labels", f"a label must have at most {longest} characters; got {len(too_long)}"
        )
    issued = [Issued(label, new_token()) for label in labels or [""] * n]
    Invitation.objects.bulk_create(
        Invitation(study=study, label=each.label, token_sha256=sha256_of_text(each.token))
        for each in issued
    )
    record_event(study=study, actor=actor, kind="invitations_created", data={"n": n})
    return issued
