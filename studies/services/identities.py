"""Knowing somebody again who comes from outside, without keeping who they are.

A person's identifier becomes a keyed hash (HMAC-SHA-256): whoever holds the identifier and
the server's key finds the participant, whoever holds the database alone does not. The key is
derived from SECRET_KEY and the study, so that nobody is recognised across studies, and nobody
at all after SECRET_KEY has changed.
"""

from django.db import IntegrityError
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from studies.errors import DomainError
from studies.models import EntryService, Identity, Invitation, Participant, Study
from studies.services.hashes import sha256_of_text
from studies.services.recruitment import Arrival

# Beside the ids of an `Identity.submission`: the keyed hash of the submission's own id.
SUBMISSION_KEY = "key"


def keyed_hash(study: Study, purpose: str, value: str) -> str:
    mac = salted_hmac(f"studies.{purpose}.{study.pk}", value, algorithm="sha256")
    return mac.hexdigest()


def identity_key(study: Study, service: str, person: str) -> str:
    """What `study` stores of a person whom `service` calls `person`."""
    return keyed_hash(study, "identity", f"{service}:{person}")


def submission_ids(study: Study, arrival: Arrival) -> dict[str, str]:
    """What `study` stores of the service's other ids."""
    kept = {} if study.pseudonymise else dict(arrival.submission)
    if arrival.submission_id:
        kept[SUBMISSION_KEY] = keyed_hash(
            study, "submission", f"{arrival.service}:{arrival.person}:{arrival.submission_id}"
        )
    return kept


def invitation_of(study: Study, token: str, *, lock: bool = False) -> Invitation | None:
    # Its participant is not joined: whoever waits for the lock would be given the row as it is
    # now, beside the participant that it had, or had not, before.
    rows = Invitation.objects.select_for_update() if lock else Invitation.objects.all()
    return rows.filter(study=study, token_sha256=sha256_of_text(token)).first()


def participant_of(study: Study, arrival: Arrival, *, lock: bool = False) -> Participant | None:
    """Whoever came to `study` by the same identifier before, or None.

    DomainError where it is an invitation that was never given out. With `lock` an invitation
    stays locked until the transaction ends, so that no second person can use it meanwhile.
    """
    if arrival.service == EntryService.SINGLE_USE:
        invitation = invitation_of(study, arrival.person, lock=lock)
        if invitation is None:
            raise DomainError(
                "unknown_invitation",
                _(
                    "This invitation is not known here. Please check that the whole link was "
                    "copied. Nothing was stored."
                ),
            )
        found = invitation.participant
    else:
        key = identity_key(study, arrival.service, arrival.person)
        identity = Identity.objects.select_related("participant").filter(study=study, key=key)
        found = row.participant if (row := identity.first()) else None
    if found is not None:
        found.study = study
    return found


def remember(participant: Participant, arrival: Arrival) -> None:
    """Store how `participant` can be known again; IntegrityError where somebody else is."""
    study = participant.study
    if arrival.service == EntryService.SINGLE_USE:
        unused = Invitation.objects.filter(
            study=study, token_sha256=sha256_of_text(arrival.person), participant=None
        )
        if not unused.update(participant=participant):
            raise IntegrityError("an invitation is good for one participant")
        return
    Identity.objects.create(
        participant=participant,
        study=study,
        service=arrival.service,
        key=identity_key(study, arrival.service, arrival.person),
        external_id="" if study.pseudonymise else arrival.person,
        submission=submission_ids(study, arrival),
    )


def update_submission(participant: Participant, arrival: Arrival) -> None:
    """Take over the ids of a new submission by somebody who is still taking part.

    Who returned their place and took another one finishes under the new id; after the end the
    ids stay, so that one participation is handed in once.
    """
    if participant.ended_at is None and arrival.submission_id:
        ids = submission_ids(participant.study, arrival)
        Identity.objects.filter(participant=participant).exclude(submission=ids).update(
            submission=ids
        )


def is_own_submission(participant: Participant, arrival: Arrival) -> bool:
    """Whether `arrival` is the submission under which `participant` took part."""
    identity = Identity.objects.filter(participant=participant).first()
    if identity is None:
        return False
    ids = submission_ids(participant.study, arrival)
    return identity.submission.get(SUBMISSION_KEY) == ids.get(SUBMISSION_KEY)


def find_by_identifier(
    *, study: Study, person: str, service: str | None = None
) -> Participant | None:
    """The participant of `study` whom `service` (None: any of them) calls `person`, or None."""
    services = [service] if service else list(EntryService.values)
    if EntryService.SINGLE_USE in services:
        invitation = invitation_of(study, person)
        if invitation is not None and invitation.participant is not None:
            return invitation.participant
    keys = [identity_key(study, each, person) for each in services]
    found = Identity.objects.select_related("participant").filter(study=study, key__in=keys)
    return row.participant if (row := found.first()) else None
