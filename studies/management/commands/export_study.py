"""``python manage.py export_study SLUG --output DIR``: all that a study gathered, as files."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from studies.errors import DomainError
from studies.management.arguments import study_called
from studies.management.progress import Progress
from studies.services.exports import write_export, write_identifying_export


class Command(BaseCommand):
    help = (
        "Write a Psych-DS data set to a folder: responses, participants, images with scan results "
        "and more, as CSV and Parquet, with codebook, design, checksums, and scripts that compute "
        "the headline again. An earlier export of the same study there is replaced."
    )

    # The checks of every address would load every page's libraries: as much memory again.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the study's name in its address")
        parser.add_argument(
            "--output",
            type=Path,
            required=True,
            metavar="DIR",
            help="an empty or new folder, or one with an earlier export",
        )

        parser.add_argument(
            "--identifiers",
            metavar="OWNER",
            help="add who took part, as recruitment services and invitations call them, for this "
            "owner of the workspace, by user name; it is logged, and the files are not anonymous",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study = study_called(options["slug"])
        # On a terminal past Django's stream, which ends every piece with a new line.
        progress = Progress(sys.stderr if self.stderr.isatty() else self.stderr)  # type: ignore[arg-type]
        try:
            if options["identifiers"]:
                owner = User.objects.filter(username=options["identifiers"]).first()
                n_rows = write_identifying_export(
                    study=study, folder=options["output"], owner=owner, progress=progress
                )
            else:
                n_rows = write_export(study=study, folder=options["output"], progress=progress)
        except DomainError as error:
            raise CommandError(error.detail) from error
        finally:
            progress.clear()
        for name, n in n_rows.items():
            self.stdout.write(f"{name}: {n:,} rows")
        if options["identifiers"]:
            self.stdout.write("identifiers/ says who took part: it is not for sharing.")
        self.stdout.write(f"Written to {options['output']}; README.md says what is where.")
