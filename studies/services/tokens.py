"""Tokens for the API: only their hashes are stored."""

from django.contrib.auth.models import AbstractBaseUser
from knox.models import AuthToken

from studies.errors import DomainError


def create_token(*, user: AbstractBaseUser) -> str:
    """A new token for `user`, in the only moment in which it can be read."""
    _, token = AuthToken.objects.create(user=user)
    return token


def revoke_token(*, user: AbstractBaseUser, key: str) -> None:
    """End the token of `user` that begins with `key`; DomainError where they have none such."""
    deleted, _ = AuthToken.objects.filter(user=user, token_key=key).delete()
    if not deleted:
        raise DomainError("unknown_token", "you have no token that begins like that")
