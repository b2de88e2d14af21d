"""``python manage.py export_study SLUG --output DIR``: all that a study gathered, as files."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from studies.errors import DomainError
from studies.management.arguments import study_called
from studies.services.exports import write_export


class Command(BaseCommand):
    help = (
        "Write responses, participants, images with scan results, a codebook and a manifest to "
        "a folder. An earlier export of the same study there is replaced."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the study's name in its address")
        parser.add_argument(
            "--output",
            type=Path,
            required=True,
            metavar="DIR",
            help="an empty or new folder, or one with an earlier export",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study = study_called(options["slug"])
        try:
            n_rows = write_export(study=study, folder=options["output"])
        except DomainError as error:
            raise CommandError(error.detail) from error
        for name, n in n_rows.items():
            self.stdout.write(f"{name}: {n:,} rows")
        self.stdout.write(f"Written to {options['output']}; codebook.json explains every column.")
