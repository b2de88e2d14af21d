"""A lab with a rated study, and clients of those who may and may not see it."""

from types import SimpleNamespace

import pytest
from rest_framework.test import APIClient

from studies.models import ParticipantKind, Role
from studies.services.tokens import create_token
from tests.studies import factories


def client_of(user=None) -> APIClient:
    client = APIClient()
    if user is not None:
        client.credentials(HTTP_AUTHORIZATION=f"Token {create_token(user=user)}")
    return client


@pytest.fixture
def lab(db) -> SimpleNamespace:
    """A study of eight images that a person and a simulated rater have rated four of."""
    workspace = factories.workspace()
    study = factories.study(workspace=workspace, questions=["creativity_likert", "four_labels"])
    factories.rated_participant(study)
    factories.rated_participant(study, ParticipantKind.SIMULATED, seed=2)
    return SimpleNamespace(workspace=workspace, study=study, scan=study.scan)


@pytest.fixture
def viewer(lab) -> APIClient:
    return client_of(factories.user(Role.VIEWER, workspace=lab.workspace))


@pytest.fixture
def editor(lab) -> APIClient:
    return client_of(factories.user(Role.EDITOR, workspace=lab.workspace))


@pytest.fixture
def outsider(lab) -> APIClient:
    """The owner of another workspace."""
    return client_of(factories.user(Role.OWNER, workspace=factories.workspace()))


@pytest.fixture
def stranger() -> APIClient:
    return client_of()
