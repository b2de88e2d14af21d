"""``manage.py replay_assignment``: do a study's assignment over again and compare."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from studies.models import ParticipantKind, Study
from studies.services.replay import replay_assignment


class Command(BaseCommand):
    help = "Choose every participant's images again from the recorded seeds, and compare."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="the study's name in its address")
        parser.add_argument(
            "--kind", choices=ParticipantKind.values, default=ParticipantKind.PERSON.value
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"there is no study called {options['study']!r}")
        n_same, different = 0, []
        for replayed in replay_assignment(study=study, kind=options["kind"]):
            n_same += replayed.same
            if not replayed.same:
                different.append(replayed.participant)
        n = n_same + len(different)
        if different:
            raise CommandError(
                f"{len(different)} of {n} assignments came out otherwise: {', '.join(different)}"
            )
        self.stdout.write(f"{n} of {n} assignments came out the same again")
