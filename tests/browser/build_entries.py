"""Small studies for the browser that are entered in other ways than by an open link.

Run as a script with the server's settings.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studies.settings")
django.setup()

from tests.studies import factories  # noqa: E402

STUDIES = {
    "phones": {"screening": {"devices": ["phone"]}},
    "wide": {"screening": {"min_width_px": 400, "languages": ["en"]}},
    "prolific": {"entry": "prolific"},
    "mturk": {"entry": "mturk", "completion_code": "MTURK-1"},
}


def build() -> None:
    workspace = factories.workspace("Entry lab")
    for slug, fields in STUDIES.items():
        factories.study(2, workspace=workspace, slug=slug, **fields)


if __name__ == "__main__":
    build()
