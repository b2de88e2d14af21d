"""What every test of exports starts from."""

import pytest

from tests.studies.exported import rich_study, two_raters


@pytest.fixture
def study(db):
    return two_raters()


@pytest.fixture
def rich(db):
    return rich_study()


@pytest.fixture
def folder(tmp_path):
    """An empty folder; in `tmp_path` itself lie the test's images."""
    path = tmp_path / "export"
    path.mkdir()
    return path
