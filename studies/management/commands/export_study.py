"""``python manage.py export_study SLUG --output DIR``: all that a study gathered, as files."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from studies.errors import DomainError
from studies.management.arguments import study_called
from studies.management.progress import Progress
from studies.services.exports import write_export


class Command(BaseCommand):
    help = (
        "Write a Psych-DS data set to a folder: responses, participants, images with scan results "
        "and more, as CSV and Parquet, with codebook, design, checksums, and scripts that compute "
        "the headline again. An earlier export of the same study there is replaced."
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
        # On a terminal past Django's stream, which ends every piece with a new line.
        progress = Progress(sys.stderr if self.stderr.isatty() else self.stderr)  # type: ignore[arg-type]
        try:
            n_rows = write_export(study=study, folder=options["output"], progress=progress)
        except DomainError as error:
            raise CommandError(error.detail) from error
        finally:
            progress.clear()
        for name, n in n_rows.items():
            self.stdout.write(f"{name}: {n:,} rows")
        self.stdout.write(f"Written to {options['output']}; README.md says what is where.")
