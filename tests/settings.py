"""The settings of the application, with files of its own and quick passwords."""

import os
import tempfile

# Before the settings are read: tests keep their files and key away from var/.
os.environ["MUSESCAN_DATA_DIR"] = tempfile.mkdtemp(prefix="musescan-tests-")

from studies.settings import *  # noqa: F403
from studies.settings import STORAGES

STORAGES["staticfiles"] = {
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage",
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
