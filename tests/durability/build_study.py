"""Fill a fresh database with a running study of two questions; prints its slug.

Run as a script with the server's settings: how many images, how many trials each participant
gets, and any other fields of the study as JSON.
"""

import json
import os
import secrets
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studies.settings")
django.setup()

from studies.models import Outcome, StudyState  # noqa: E402
from studies.services import design, lifecycle  # noqa: E402
from tests.studies import factories  # noqa: E402

QUESTIONS = ("creativity_likert", "four_labels")


def build(n_images: int, fields: dict) -> str:
    name = f"durable-{secrets.token_hex(4)}"
    study = factories.study(
        n_images,
        slug=name,
        questions=QUESTIONS,
        state=StudyState.DRAFT,
        workspace=factories.workspace(name),
        **fields,
    )
    design.set_code(study=study, outcome=Outcome.OVER_QUOTA, code="MUSE-FULL")
    lifecycle.change_state(study=study, act="launch")
    return study.slug


if __name__ == "__main__":
    print(build(int(sys.argv[1]), json.loads(sys.argv[2])))
