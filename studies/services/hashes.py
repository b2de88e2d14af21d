"""Hashes of texts and tokens, and the tokens themselves."""

import hashlib
import secrets

from studies.models import ParticipantKind

# Tokens of pilot participants begin with it, so that every page of theirs can say so.
PILOT_TOKEN = "pilot."  # noqa: S105 (no secret: the random part follows)


def sha256_of_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def new_token(kind: str = ParticipantKind.PERSON) -> str:
    """A token that nobody can guess, for one participant."""
    token = secrets.token_urlsafe(32)
    return f"{PILOT_TOKEN}{token}" if kind == ParticipantKind.PILOT else token


def is_pilot_token(token: str) -> bool:
    return token.startswith(PILOT_TOKEN)
