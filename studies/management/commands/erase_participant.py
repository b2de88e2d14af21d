"""``python manage.py erase_participant SLUG --id ID``: delete what one person gave."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from studies import queries, wording
from studies.management.arguments import study_called
from studies.models import EntryService, Participant, ParticipantState, Study
from studies.services.erasure import erase_participant
from studies.services.identities import find_by_identifier


class Command(BaseCommand):
    help = (
        "Delete a participant's answers and everything that tells who they are. A row without "
        "content and the event log's lines stay. This cannot be undone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the study's name in its address")
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--id", metavar="ID", help="the receipt: the participant's public id")
        whom.add_argument(
            "--external",
            metavar="ID",
            help="what the recruitment service calls them, or their invitation's token",
        )
        parser.add_argument(
            "--service",
            choices=EntryService.values,
            help="the recruitment service of --external (any of them)",
        )
        parser.add_argument("--yes", action="store_true", help="never ask before deleting")

    def handle(self, *args: Any, **options: Any) -> None:
        study = study_called(options["slug"])
        participant = self.participant(study, options)
        if participant.state == ParticipantState.ERASED:
            self.stdout.write(f"{participant.public_id} was erased before; nothing was changed.")
            return
        n = queries.n_completed_trials(participant)
        what = (
            f"This deletes {participant.public_id} ({participant.kind}, {participant.state}) "
            f"with {wording.count(n, 'completed trial')}"
        )
        if not options["yes"]:
            if not sys.stdin.isatty():
                raise CommandError(f"{what}. Nothing was deleted; add --yes to delete it.")
            if input(f"{what}. Type “delete” to go on: ").strip() != "delete":
                raise CommandError("Nothing was deleted.")
        erased = erase_participant(participant=participant)
        self.stdout.write(f"Erased {erased.public_id} with {wording.count(n, 'completed trial')}.")

    def participant(self, study: Study, options: dict[str, Any]) -> Participant:
        if options["id"]:
            found = Participant.objects.filter(study=study, public_id=options["id"]).first()
        else:
            found = find_by_identifier(
                study=study, person=options["external"], service=options["service"]
            )
        if found is None:
            raise CommandError(f"no participant of {study.slug} is known by that; nothing changed")
        return found
