"""What every test of the web application stands on."""

import os
import tempfile

# Before Django reads its settings: tests keep their database, files and key away from var/.
os.environ.setdefault("MUSESCAN_DATA_DIR", tempfile.mkdtemp(prefix="musescan-tests-"))

import pytest


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path):
    """Each test has its own media folder, and static files need not be collected."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
