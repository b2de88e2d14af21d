"""``python manage.py delete_expired_identities``: what may be kept no longer; run it daily."""

from typing import Any

from django.core.management.base import BaseCommand

from studies import wording
from studies.services.retention import delete_expired_identities


class Command(BaseCommand):
    help = (
        "Delete identifiers from outside, invitations and ended sessions of studies whose "
        "retention date is past. Answers stay. Safe to run daily."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        deleted = delete_expired_identities()
        for each in deleted:
            self.stdout.write(
                f"{each.study.slug}: deleted "
                f"{wording.count(each.n_identities, 'identity', 'identities')}, "
                f"{wording.count(each.n_invitations, 'invitation')}, "
                f"{wording.count(each.n_sessions, 'session')} and "
                f"{wording.count(each.n_exports, 'export')} with identifiers "
                f"(kept until {each.study.retention_until})"
            )
        if not deleted:
            self.stdout.write("Nothing is kept beyond its date.")
