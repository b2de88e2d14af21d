"""What every test of the web application stands on."""

import pytest


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path):
    """Each test has its own media folder."""
    settings.MEDIA_ROOT = tmp_path / "media"
