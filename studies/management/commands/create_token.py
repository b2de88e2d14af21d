"""``python manage.py create_token USERNAME``: access to the API, shown once."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from studies.services.tokens import create_token


class Command(BaseCommand):
    help = "Print a new API token of a user. It is stored as a hash and never shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        username = options["username"]
        user = get_user_model().objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"username must be that of a user; there is no {username!r}")
        if not user.is_active:
            raise CommandError(f"{username!r} is not active: a token of theirs would not work")
        # The token alone goes to standard output, so that a script can keep it.
        self.stdout.write(create_token(user=user))
        self.stderr.write('Send it as "Authorization: Token …". It is not shown again.')
