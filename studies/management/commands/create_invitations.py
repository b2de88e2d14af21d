"""``python manage.py create_invitations SLUG --n N``: single-use links, shown once."""

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from studies.errors import DomainError
from studies.management.arguments import study_called
from studies.services.exports.cells import spreadsheet_cell
from studies.services.invitations import create_invitations


class Command(BaseCommand):
    help = (
        "Print new single-use links to a study as CSV (label, link). Their tokens are stored as "
        "hashes and never shown again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the study's name in its address")
        parser.add_argument("--n", type=int, metavar="N", help="how many links")
        parser.add_argument(
            "--labels",
            type=Path,
            metavar="FILE",
            help="a note for each link, one a line; makes as many links as lines",
        )
        parser.add_argument(
            "--origin",
            default=next(iter(settings.CSRF_TRUSTED_ORIGINS), "http://localhost:8000"),
            help="what the links begin with (%(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study = study_called(options["slug"])
        labels = self.labels(options["labels"])
        n = options["n"] if options["n"] is not None else len(labels)
        if not n:
            raise CommandError("say how many links: --n N, or --labels FILE")
        try:
            issued = create_invitations(study=study, n=n, labels=labels)
        except DomainError as error:
            raise CommandError(error.detail) from error
        address = options["origin"].rstrip("/") + reverse("participant:landing", args=[study.slug])
        # Only the table goes to standard output, so that a script can keep it.
        writer = csv.writer(self.stdout, lineterminator="\n")
        writer.writerow(["label", "link"])
        for each in issued:
            writer.writerow(
                [spreadsheet_cell(each.label), f"{address}?{urlencode({'invite': each.token})}"]
            )
        self.stderr.write("Each link is good for one person. They are not shown again.")

    def labels(self, path: Path | None) -> list[str]:
        if path is None:
            return []
        try:
            lines = path.read_text().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"labels could not be read from {path}: {error}") from error
        return [line.strip() for line in lines if line.strip()]
