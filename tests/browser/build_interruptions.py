"""Studies of one question, to be broken off and gone on with, in a database that has its scan.

Run as a script with the server's settings, after `build_study`.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studies.settings")
django.setup()

from studies.models import Scan  # noqa: E402
from tests.browser.build_modes import draft, launch  # noqa: E402


def build() -> None:
    scan = Scan.objects.filter(workspace__name="Browser lab").earliest("pk")
    launch(draft(scan, "never-lost", ["creativity_likert"], trials_per_participant=6))
    # One rating of each image is wanted: whoever comes first gets all of them.
    scarce = {"trials_per_participant": 12, "ratings_target": 1}
    launch(draft(scan, "scarce", ["creativity_likert"], **scarce))
    launch(draft(scan, "changeable", ["creativity_likert"], allow_changes=True))


if __name__ == "__main__":
    build()
