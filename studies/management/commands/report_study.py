"""``python manage.py report_study SLUG --output FILE``: the report as HTML or PDF."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from studies.errors import DomainError
from studies.management.arguments import study_called
from studies.models import ParticipantKind
from studies.services import reports
from studies.services.analysis import analyse

EXTENSIONS = {".html": "html", ".pdf": "pdf"}


class Command(BaseCommand):
    help = "Write the report of a study, analysing its ratings where that has not been done."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the study's name in its address")
        parser.add_argument(
            "--output", type=Path, required=True, metavar="FILE", help="ends in .html or .pdf"
        )
        parser.add_argument(
            "--raters",
            choices=ParticipantKind.values,
            help="whose ratings (people's, where there are any)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study, path = study_called(options["slug"]), options["output"]
        extension = EXTENSIONS.get(path.suffix.lower())
        if extension is None:
            raise CommandError(f"output must end in .html or .pdf; got {path}")
        if not path.parent.is_dir():
            raise CommandError(f"output must lie in a folder that exists; got {path}")
        try:
            run = analyse(study=study, kind=options["raters"])
        except DomainError as error:
            raise CommandError(error.detail) from error
        report = reports.report_of(run)
        try:
            path.write_bytes(reports.to_file(report, extension))  # type: ignore[arg-type]
        except OSError as error:
            raise CommandError(f"{path} could not be written: {error}") from error
        if report.banner:
            self.stdout.write(self.style.WARNING(report.banner))
        self.stdout.write(f"The report is in {path}.")
