"""The admin: everything can be seen, nothing that was observed can be changed."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from studies.models import (
    GenerativeModel,
    Membership,
    ParticipantKind,
    Question,
    Role,
    Study,
    Workspace,
)
from studies.services.analysis import analyse
from tests.studies import factories

EDITABLE = {Workspace, Membership, Study}
MODELS = [
    model for model in apps.get_app_config("studies").get_models() if not model._meta.auto_created
]
READ_ONLY = [model for model in MODELS if model not in EDITABLE]


def names(model):
    return model._meta.model_name


@pytest.fixture
def record(db):
    """At least one row of every model."""
    workspace = factories.workspace()
    factories.user(Role.OWNER, workspace=workspace)
    study = factories.study(workspace=workspace, questions=["creativity_likert", "four_labels"])
    for seed in range(2):
        factories.rated_participant(study, seed=seed)
    GenerativeModel.objects.create(
        workspace=workspace,
        name=f"model of {study}",
        architecture="vae",
        configuration={"width": 8},
        training={"epochs": 1},
        layers=[{"name": "decoder.2", "shape": [4, 4, 4]}],
        weights_sha256="0" * 64,
    )
    analyse(study=study)
    return study


@pytest.fixture
def client(client, db):
    client.force_login(factories.superuser())
    return client


def address(model, page, *args):
    return reverse(f"admin:studies_{model._meta.model_name}_{page}", args=args)


def test_every_model_is_there():
    assert all(admin.site.is_registered(model) for model in MODELS)


@pytest.mark.parametrize("model", MODELS, ids=names)
def test_lists_and_pages_can_be_read_and_searched(model, record, client):
    row = model._default_manager.first()
    assert row is not None
    assert client.get(address(model, "changelist")).status_code == 200
    assert client.get(address(model, "changelist"), {"q": "x"}).status_code == 200
    assert client.get(address(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("model", READ_ONLY, ids=names)
def test_the_record_cannot_be_added_to_changed_or_deleted(model, record, client):
    row = model._default_manager.first()
    n = model._default_manager.count()
    assert client.get(address(model, "add")).status_code == 403
    assert client.post(address(model, "add"), {}).status_code == 403
    assert client.post(address(model, "change", row.pk), {}).status_code == 403
    assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    client.post(
        address(model, "changelist"),
        {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"},
    )
    assert model._default_manager.count() == n


def form_of(study, **changes):
    """What the study's page would send."""
    question = study.questions.first()
    return {
        "workspace": study.workspace_id,
        "scan": study.scan_id,
        **{
            name: getattr(study, name)
            for name in (
                "slug", "title", "summary", "consent", "instructions", "debrief", "responsible",
                "duration_minutes", "trials_per_participant", "session_days", "completion_code",
                "seed",
            )
        },
        "questions-TOTAL_FORMS": 1,
        "questions-INITIAL_FORMS": 1,
        "questions-0-id": question.pk,
        "questions-0-study": study.pk,
        "questions-0-position": 1,
        "questions-0-key": question.key,
        "questions-0-kind": question.kind,
        "questions-0-text": question.text,
        "questions-0-options": '{"points": 5, "low": "Low", "high": "High"}',
        **changes,
    }  # fmt: skip


def test_a_draft_and_its_questions_can_be_edited(db, client):
    study = factories.study(workspace=factories.workspace(), state="draft")
    response = client.post(address(Study, "change", study.pk), form_of(study, title="Another"))
    assert response.status_code == 302, response.context["errors"]
    study.refresh_from_db()
    assert study.title == "Another"
    assert study.questions.get().options["points"] == 5


def test_a_question_that_its_type_refuses_is_not_saved(db, client):
    study = factories.study(workspace=factories.workspace(), state="draft")
    changes = {"questions-0-options": '{"points": 99, "low": "Low", "high": "High"}'}
    response = client.post(address(Study, "change", study.pk), form_of(study, **changes))
    assert response.status_code == 200
    assert "points must be from 2 to 11; got 99" in response.content.decode()
    assert study.questions.get().options["points"] == 7


def test_the_state_of_a_study_is_not_a_field(db, client):
    study = factories.study(workspace=factories.workspace(), state="draft")
    client.post(address(Study, "change", study.pk), form_of(study, state="running"))
    study.refresh_from_db()
    assert study.state == "draft"


@pytest.mark.parametrize("state", ["running", "paused", "closed"])
def test_after_launch_neither_study_nor_questions_change(db, client, state):
    study = factories.study(workspace=factories.workspace(), state=state)
    url = address(Study, "change", study.pk)
    page = client.get(url)
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert b'name="questions-0-text"' not in page.content
    assert client.post(url, form_of(study, title="Another")).status_code == 403
    study.refresh_from_db()
    assert study.title != "Another"
    assert Question.objects.get(study=study).options["points"] == 7


def test_members_can_be_added_and_removed(db, client):
    workspace, user = factories.workspace(), factories.user()
    url = address(Membership, "add")
    client.post(url, {"workspace": workspace.pk, "user": user.pk, "role": "viewer"})
    member = Membership.objects.get(workspace=workspace, user=user)
    client.post(address(Membership, "delete", member.pk), {"post": "yes"})
    assert not Membership.objects.exists()


def test_others_do_not_get_in(record, client):
    client.force_login(factories.user(Role.OWNER, workspace=record.workspace))
    assert client.get(address(Study, "changelist")).status_code == 302


def n_queries(client, url):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_queries_of_lists_do_not_grow_with_rows(record, client):
    urls = [address(model, "changelist") for model in MODELS]
    for url in urls:
        client.get(url)
    few = [n_queries(client, url) for url in urls]
    for seed in range(3):
        other = factories.study(workspace=factories.workspace())
        factories.user(Role.OWNER, workspace=other.workspace)
        factories.rated_participant(other, ParticipantKind.SIMULATED, seed=seed)
        analyse(study=other)
    assert dict(zip(urls, (n_queries(client, url) for url in urls), strict=True)) == dict(
        zip(urls, few, strict=True)
    )
