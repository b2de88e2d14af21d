"""The admin: everything can be seen, nothing that was observed can be changed."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from studies.models import (
    Balance,
    BlockKind,
    CompletionCode,
    EntryService,
    Identity,
    ImageRole,
    Invitation,
    ItemAnswer,
    Membership,
    ParticipantKind,
    Question,
    Revision,
    Role,
    Session,
    Study,
    Workspace,
)
from studies.services import design
from studies.services.analysis import analyse
from studies.services.decisions import decide
from tests.studies import factories

EDITABLE = {Workspace, Membership, Study}
MODELS = [
    model for model in apps.get_app_config("studies").get_models() if not model._meta.auto_created
]
READ_ONLY = [model for model in MODELS if model not in EDITABLE]


def names(model):
    return model._meta.model_name


SECRETS = {
    "code": "CODE-THAT-IS-PAID-FOR",
    "key": "k" * 64,
    "external_id": "5f8d-prolific-id",
    "label": "to Grace",
}


@pytest.fixture
def record(db):
    """At least one row of every model."""
    workspace = factories.workspace()
    factories.user(Role.OWNER, workspace=workspace)
    questions = ["creativity_likert", "four_labels"]
    study = factories.study(workspace=workspace, questions=questions)
    people = [factories.rated_participant(study, seed=seed) for seed in range(2)]
    factories.model(workspace=workspace)
    factories.job(workspace=workspace)
    analyse(study=study)
    decide(participant=people[0], verdict="approved")
    answer = people[0].trials.first().responses.first()
    now = timezone.now()
    Revision.objects.create(response=answer, value=1, received_at=now, replaced_at=now)
    Identity.objects.create(
        participant=people[0],
        study=study,
        service=EntryService.PROLIFIC,
        key=SECRETS["key"],
        external_id=SECRETS["external_id"],
    )
    Invitation.objects.create(study=study, token_sha256="1" * 64, label=SECRETS["label"])
    CompletionCode.objects.create(study=study, outcome="withdrew", code=SECRETS["code"])
    with_checks_and_questionnaire(workspace)
    comparing(workspace)
    return study


def with_checks_and_questionnaire(workspace):
    """A draft with a check, and a participant who has answered an item of a questionnaire."""
    draft = factories.study(workspace=workspace, state="draft")
    block = design.add_block(study=draft, kind=BlockKind.QUESTIONNAIRE)
    item = design.add_item(
        block=block, key="art", kind="likert", text="Art?",
        options={"points": 5, "low": "Never", "high": "Often"},
    )  # fmt: skip
    image = factories.image_set(1, workspace=workspace).images.get()
    (place,) = design.add_images(study=draft, images=[(image, "check")], role=ImageRole.CHECK)
    design.add_check(
        study=draft, kind="catch", study_image=place, question=draft.questions.get(), expected=[1]
    )
    Study.objects.filter(pk=draft.pk).update(state="running", launched_at=timezone.now())
    draft.refresh_from_db()
    someone = factories.enrolled(draft).participant
    ItemAnswer.objects.create(
        participant=someone, item=item, value=3, number=3, received_at=timezone.now()
    )


def comparing(workspace):
    return factories.participant(
        factories.study(workspace=workspace, questions=["pairwise_tournament"])
    )


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


@pytest.mark.parametrize("model", [Session, Identity, Invitation, CompletionCode], ids=names)
def test_what_says_who_somebody_is_or_opens_a_door_is_not_shown(model, record, client):
    row = model.objects.order_by("pk").last()
    hidden = [*SECRETS.values(), getattr(row, "token_sha256", SECRETS["key"])]
    for url in (address(model, "changelist"), address(model, "change", row.pk)):
        page = client.get(url).content.decode()
        assert not [secret for secret in hidden if secret in page]


def form_of(study, **changes):
    """What the study's page would send."""
    question = study.questions.first()
    return {
        "workspace": study.workspace_id,
        "scan": study.scan_id,
        **{
            name: getattr(study, name)
            for name in (
                "slug", "title", "summary", "consent", "debrief", "responsible",
                "duration_minutes", "trials_per_participant", "session_days", "seed",
                "target_unit", "reserve", "trial_order", "n_repeats", "repeat_lag",
                "silent_minutes", "after_silence", "language", "entry",
            )
        },
        **dict.fromkeys(("service_settings", "screening", "quality_rules"), "{}"),
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


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ('{"max_speed": 1}', "got &#x27;max_speed&#x27;"),
        ('{"max_fast_share": 2}', "max_fast_share must be a number from 0 to 1"),
        ("[1]", "quality rules must be an object of limits"),
    ],
)
def test_quality_rules_that_are_not_allowed_are_not_saved(db, client, rules, said):
    study = factories.study(workspace=factories.workspace(), state="draft")
    response = client.post(address(Study, "change", study.pk), form_of(study, quality_rules=rules))
    assert response.status_code == 200
    assert said in response.content.decode()
    study.refresh_from_db()
    assert study.quality_rules == {}


def test_a_study_that_is_made_here_has_what_every_study_has(db, client):
    like = factories.study(workspace=factories.workspace(), state="draft")
    fresh = {"questions-INITIAL_FORMS": 0, "questions-0-id": "", "questions-0-study": ""}
    sent = form_of(like, slug="made-here", **fresh)
    response = client.post(address(Study, "add"), sent)
    assert response.status_code == 302, response.context["errors"]
    made = Study.objects.get(slug="made-here")
    assert Balance.objects.filter(study=made).count() == len(ParticipantKind)
    assert [block.kind for block in made.blocks.all()] == ["instructions", "ratings"]


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
        rater = factories.rated_participant(other, ParticipantKind.SIMULATED, seed=seed)
        analyse(study=other)
        decide(participant=rater, verdict="approved")
        with_checks_and_questionnaire(other.workspace)
        comparing(other.workspace)
    assert dict(zip(urls, (n_queries(client, url) for url in urls), strict=True)) == dict(
        zip(urls, few, strict=True)
    )
