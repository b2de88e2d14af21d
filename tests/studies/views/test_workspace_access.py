"""Every address of the workspace against everybody who may ask for it."""

import pytest
from django.test import Client
from django.urls import reverse

from studies import tasks
from studies.models import JobKind, Role
from studies.services.analysis import analyse
from studies.views import workspace_urls
from tests.studies import factories, planned

pytestmark = pytest.mark.django_db

OPEN = {"sign-in", "sign-out"}
OWN = {"studies", "image-sets", "scans", "new-scan", "planning", "tokens", "revoke-token"}
ONLY_POST = {
    "analyse", "cancel-job", "change-state", "decide", "repeat-job", "revoke-token",
}  # fmt: skip
ONLY_EDITORS = {"change-state", "decide", "new-scan", "cancel-job", "repeat-job"}
SENT = {"change-state": {"act": "pause"}, "decide": {"verdict": "approved"}}
NAMES = sorted(pattern.name for pattern in workspace_urls.urlpatterns)


@pytest.fixture
def study():
    lab = factories.workspace()
    made = factories.study(
        workspace=lab,
        questions=["four_labels"],
        of=factories.scan(workspace=lab, calibrated=True),
    )
    factories.job(workspace=lab)
    planned.plan_job(workspace=lab)
    factories.rated_participant(made)
    analyse(study=made)
    return made


def address(name, study):
    """Where `name` is for what `study` holds; a KeyError for an address that nobody tests."""
    image = study.study_images.first().image
    scan = study.scan_id
    args = {
        **{each: [] for each in OPEN | OWN},
        **{
            each: [study.slug]
            for each in (
                "study", "change-state", "study-images", "study-participants", "quality-rules",
                "results", "exports", "analysis-plan", "analysis-plan-file", "analyse", "report",
            )
        },
        "report-file": [study.slug, "html"],
        "report-figure": [study.slug, "participants", "svg"],
        **{
            each: [study.slug, study.participants.get().public_id]
            for each in ("participant", "decide")
        },
        "export-file": [study.slug, exported(study).pk if name == "export-file" else 0],
        "figure": [study.slug, "label", "size", "json"],
        "image-set": [image.image_set_id],
        "image": [image.public_id],
        "image-file": [image.public_id],
        "scan": [scan],
        "scan-figure": [scan, "score", "json"],
        "null-figure": [scan, "json"],
        **{
            each: [study.workspace.jobs.get(kind=JobKind.SCAN).pk]
            for each in ("job", "job-state", "cancel-job", "repeat-job")
        },
        **{
            each: [study.workspace.jobs.get(kind="planning").pk, *more]
            for each, more in {"plan": [], "plan-file": ["csv"], "plan-figure": ["json"]}.items()
        },
    }[name]  # fmt: skip
    return reverse(f"workspace:{name}", args=args)


def exported(study):
    owner = factories.user(Role.OWNER, workspace=study.workspace)
    return tasks.start_export(study=study, key="a key", asked_by=owner)


def ask(client, name, study):
    where = address(name, study)
    response = client.post(where, SENT.get(name, {})) if name in ONLY_POST else client.get(where)
    # A file that is streamed stays open until somebody has read it.
    if response.streaming:
        b"".join(response.streaming_content)
    return response


def member(role, workspace):
    client = Client()
    client.force_login(factories.user(role, workspace=workspace))
    return client


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OPEN])
def test_strangers_are_led_to_sign_in(client, study, name):
    response = ask(client, name, study)
    assert response.status_code == 302
    assert response.url.startswith(reverse("workspace:sign-in"))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OPEN | OWN])
def test_what_belongs_to_another_workspace_is_not_there(study, name):
    client = member(Role.OWNER, factories.workspace())
    assert ask(client, name, study).status_code == 404


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OPEN | {"revoke-token"}])
def test_viewers_see_and_may_not_act(study, name):
    response = ask(member(Role.VIEWER, study.workspace), name, study)
    # Whoever may look may have the results computed, which changes nothing of the study.
    allowed = 303 if name == "analyse" else 200
    assert response.status_code == (403 if name in ONLY_EDITORS else allowed)


@pytest.mark.parametrize("role", [Role.EDITOR, Role.OWNER])
@pytest.mark.parametrize("name", sorted(ONLY_EDITORS))
def test_editors_and_owners_act(study, name, role):
    assert ask(member(role, study.workspace), name, study).status_code in (200, 303)


@pytest.mark.parametrize("name", sorted(ONLY_POST))
def test_acts_are_not_done_by_following_a_link(study, name):
    client = member(Role.OWNER, study.workspace)
    assert client.get(address(name, study)).status_code == 405


def test_limits_are_read_by_viewers_and_set_by_editors(study):
    where = address("quality-rules", study)
    sent = {"min_response_ms": "300", "min_ratings": "10", "min_repeats": "3"}
    stranger = member(Role.OWNER, factories.workspace())
    for client, status in (
        (Client(), 302),
        (stranger, 404),
        (member(Role.VIEWER, study.workspace), 403),
        (member(Role.EDITOR, study.workspace), 303),
    ):
        assert client.post(where, sent).status_code == status
        study.refresh_from_db()
        assert bool(study.quality_rules) == (status == 303)


def test_a_participant_of_another_study_is_not_there(study):
    other = factories.study(workspace=study.workspace)
    key = study.participants.get().public_id
    client = member(Role.OWNER, study.workspace)
    assert client.get(reverse("workspace:participant", args=[other.slug, key])).status_code == 404
    where = reverse("workspace:decide", args=[other.slug, key])
    assert client.post(where, SENT["decide"]).status_code == 404


def test_lists_hold_only_ones_own_workspaces(study):
    client = member(Role.OWNER, factories.workspace())
    image_set = study.study_images.first().image.image_set
    for name, hidden in (
        ("studies", study.title),
        ("image-sets", image_set.name),
        ("scans", study.scan.name),
        ("planning", study.workspace.jobs.get(kind="planning").name),
    ):
        assert hidden not in client.get(reverse(f"workspace:{name}")).content.decode()


def test_forms_need_their_csrf_token(study):
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.user(Role.OWNER, workspace=study.workspace))
    assert ask(client, "change-state", study).status_code == 403
    assert ask(client, "decide", study).status_code == 403
    study.refresh_from_db()
    assert study.state == "running"
    assert not study.participants.get().decisions.exists()


def test_pages_are_not_kept_by_the_browser(study):
    client = member(Role.VIEWER, study.workspace)
    assert "no-store" in ask(client, "results", study)["Cache-Control"]


def test_signing_in_leads_to_the_page_that_was_asked_for(client, study):
    user = factories.user(Role.VIEWER, workspace=study.workspace)
    wanted = address("study", study)
    sign_in = client.get(wanted).url
    given = {"username": user.username, "password": factories.PASSWORD, "next": wanted}
    response = client.post(sign_in, given)
    assert response.status_code == 302
    assert response.url == wanted


def test_a_wrong_password_is_refused_in_words(client, study):
    user = factories.user(Role.VIEWER, workspace=study.workspace)
    where = reverse("workspace:sign-in")
    response = client.post(where, {"username": user.username, "password": "guess"})
    assert "do not match" in response.content.decode()
    assert client.get(reverse("workspace:studies")).status_code == 302


def test_signing_in_does_not_lead_to_another_site(client, study):
    user = factories.user(Role.VIEWER, workspace=study.workspace)
    given = {
        "username": user.username,
        "password": factories.PASSWORD,
        "next": "https://elsewhere.example/",
    }
    response = client.post(reverse("workspace:sign-in"), given)
    assert response.url == reverse("workspace:studies")


def test_signing_out_ends_the_session(study):
    client = member(Role.VIEWER, study.workspace)
    client.post(reverse("workspace:sign-out"))
    assert client.get(reverse("workspace:studies")).status_code == 302
