"""What every test of the web application stands on."""

import os
import subprocess
import sys

import pytest

from tests.served import ROOT


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path):
    """Each test has its own media folder."""
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(scope="session")
def collected_static(tmp_path_factory):
    """The folder of collected static files, compressed once for every server of the session."""
    folder = tmp_path_factory.mktemp("collected")
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "-v0", "--no-input"],
        cwd=ROOT,
        env={
            **os.environ,
            "MUSESCAN_DATA_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "studies.settings",
        },
        check=True,
    )
    return folder / "static"
