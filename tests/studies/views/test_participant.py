"""A participant's way from the first page to the code, and every wrong turn."""

import json
import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from studies.models import Coverage, Event, Participant, Response, Session, StudyState, Trial
from studies.services.lifecycle import change_state
from studies.views.participant.access import cookie_name
from tests.studies import factories

pytestmark = pytest.mark.django_db
BOTH = ("creativity_likert", "four_labels")
CODE = "MUSE-1234"
PAGES = ("landing", "consent", "declined", "step", "trial", "stop", "debrief")


@pytest.fixture
def study():
    return factories.study(workspace=factories.workspace(), questions=BOTH, slug="art")


def at(name, *args, slug="art"):
    return reverse(f"participant:{name}", args=[slug, *args])


def whole(picture):
    """The bytes of a streamed answer; reading them to the end also closes the file."""
    return b"".join(picture.streaming_content)


def hidden_fields(page):
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))


def agree(client, study):
    page = client.get(at("consent", slug=study.slug)).content.decode()
    return client.post(at("consent", slug=study.slug), hidden_fields(page))


def start(client, study):
    page = client.get(at("step", slug=study.slug)).content.decode()
    return client.post(at("step", slug=study.slug), hidden_fields(page))


def begin(client, study):
    agree(client, study)
    start(client, study)


def current_trial(client, slug="art"):
    page = client.get(at("trial", slug=slug)).content.decode()
    return re.search(r'name="trial" value="([\w-]+)"', page)[1]


def coming_trials(client):
    """What the page tells its script of the trials to come."""
    page = client.get(at("trial")).content.decode()
    return json.loads(re.search(r'<script id="trials"[^>]*>(.*?)</script>', page)[1])["trials"]


def answer(client, trial_id, **changes):
    answers = {"creativity": "6", "label": "creative"} | changes
    sent = {f"answer-{key}": value for key, value in answers.items()}
    return client.post(at("trial"), {"trial": trial_id, **sent})


def send(client, trial_id, **changes):
    """What the script sends."""
    body = {
        "key": str(uuid.uuid4()),
        "trial": trial_id,
        "answers": {"creativity": "6", "label": "creative"},
        "response_time_ms": 1234,
        "evidence": {"onset_ms": 17, "changes": [[400, "creativity", "5"]]},
    }
    return client.post(at("answers"), body | changes, content_type="application/json")


def test_from_the_first_page_to_the_code_without_javascript(client, study):
    assert "Read about taking part" in client.get(at("landing")).content.decode()
    response = agree(client, study)
    assert (response.status_code, response.url) == (303, at("step"))
    assert "Start rating" in client.get(at("step")).content.decode()
    response = start(client, study)
    assert (response.status_code, response.url) == (303, at("trial"))
    for number in range(1, 5):
        page = client.get(at("trial")).content.decode()
        assert f"{number} of 4" in page
        response = answer(client, current_trial(client))
        assert response.status_code == 303
    assert response.url == at("debrief")
    page = client.get(at("debrief")).content.decode()
    assert CODE in page
    assert Response.objects.count() == 8
    assert Participant.objects.get().state == "finished"


def test_looking_stores_nothing(client, study):
    for name in PAGES:
        client.get(at(name))
    assert not Participant.objects.exists()
    assert set(Coverage.objects.values_list("n_assigned", flat=True)) == {0}


def test_reading_the_instructions_takes_no_slot(client, study):
    agree(client, study)
    client.get(at("step"))
    assert not Trial.objects.exists()


def test_reload_shows_the_same_trial(client, study):
    begin(client, study)
    assert current_trial(client) == current_trial(client)
    assert not Response.objects.exists()


def test_sending_twice_neither_doubles_nor_skips(client, study):
    begin(client, study)
    first = current_trial(client)
    answer(client, first)
    second = current_trial(client)
    again = answer(client, first, creativity="1")
    assert (again.status_code, again.url) == (303, at("trial"))
    assert current_trial(client) == second
    assert Response.objects.get(question__key="creativity").value == 6


def test_the_back_button_leads_on_to_the_current_trial(client, study):
    begin(client, study)
    third = coming_trials(client)[2]["trial"]
    response = answer(client, third)
    assert (response.status_code, response.url) == (303, at("trial"))
    assert not Response.objects.exists()


def test_leaving_and_coming_back_resumes(client, study):
    begin(client, study)
    answer(client, current_trial(client))
    expected = current_trial(client)
    later = Client()
    later.cookies = client.cookies
    page = later.get(at("landing")).content.decode()
    assert "Continue where you left off" in page
    assert current_trial(later) == expected
    agree_again = later.get(at("consent"))
    assert (agree_again.status_code, agree_again.url) == (303, at("trial"))
    assert Participant.objects.count() == 1


def test_starting_twice_assigns_once(client, study):
    begin(client, study)
    client.post(at("step"), {"block": "1"})
    assert Trial.objects.count() == 4


@pytest.mark.parametrize(
    ("name", "stage", "to"),
    [
        ("step", "none", "landing"),
        ("trial", "none", "landing"),
        ("debrief", "none", "landing"),
        ("stop", "none", "landing"),
        ("trial", "consented", "step"),
        ("debrief", "consented", "step"),
        ("step", "active", "trial"),
        ("debrief", "active", "trial"),
    ],
)
def test_whoever_is_elsewhere_is_led_to_where_they_are(client, study, name, stage, to):
    if stage != "none":
        agree(client, study)
    if stage == "active":
        start(client, study)
    response = client.get(at(name))
    assert response.status_code in {302, 303}
    assert response.url == at(to)


def test_the_code_is_not_shown_before_the_last_answer(client, study):
    begin(client, study)
    for _ in range(3):
        answer(client, current_trial(client))
    for name in PAGES:
        page = client.get(at(name), follow=True).content.decode()
        assert CODE not in page, name


def test_a_missing_answer_is_asked_for_and_the_other_kept(client, study):
    begin(client, study)
    response = answer(client, current_trial(client), label="")
    page = response.content.decode()
    assert response.status_code == 422
    assert "Please answer this question." in page
    assert re.search(r'value="6"[^>]* checked', page)
    assert not Response.objects.exists()


@pytest.mark.parametrize("value", ["0", "8", "six", "6; DROP TABLE"])
def test_an_answer_out_of_range_is_refused(client, study, value):
    begin(client, study)
    response = answer(client, current_trial(client), creativity=value)
    assert response.status_code == 422
    assert "Choose a number from 1 to 7." in response.content.decode()
    assert not Response.objects.exists()


def test_anothers_trial_is_refused(client, study):
    begin(client, study)
    other = Client()
    begin(other, study)
    response = answer(client, current_trial(other))
    assert response.status_code == 403
    assert "does not belong to your session" in response.content.decode()
    assert not Response.objects.exists()


def test_anothers_image_is_not_there(client, study):
    begin(client, study)
    other = Client()
    begin(other, study)
    address = at("image", current_trial(other))
    assert whole(other.get(address)).startswith(b"\x89PNG")
    assert client.get(address).status_code == 404
    assert Client().get(address).url == at("landing")


@pytest.mark.parametrize(
    ("state", "status", "words"),
    [
        (StudyState.PAUSED, 503, "This study is paused"),
        (StudyState.CLOSED, 410, "This study is closed"),
    ],
)
def test_a_study_that_is_not_running_takes_nothing(client, study, state, status, words):
    begin(client, study)
    trial = current_trial(client)
    change_state(study=study, act={"paused": "pause", "closed": "close"}[state])
    for response in (answer(client, trial), client.get(at("trial"))):
        assert response.status_code == status
        assert words in response.content.decode()
    stranger = Client()
    assert "Read about" not in stranger.get(at("landing")).content.decode()
    assert stranger.get(at("consent")).status_code == status
    assert not Response.objects.exists()
    assert Participant.objects.count() == 1


def test_who_has_finished_sees_the_code_though_the_study_is_closed(client, study):
    begin(client, study)
    for _ in range(4):
        answer(client, current_trial(client))
    change_state(study=study, act="close")
    assert CODE in client.get(at("debrief")).content.decode()
    assert client.get(at("landing")).context["here"] == at("debrief")


def test_a_draft_is_not_there_for_strangers(client):
    draft = factories.study(workspace=factories.workspace(), state=StudyState.DRAFT)
    for name in PAGES:
        assert client.get(at(name, slug=draft.slug)).status_code == 404


@pytest.mark.parametrize("name", ["step", "trial", "stop", "debrief"])
def test_a_forged_token_is_refused(client, study, name):
    begin(client, study)
    forger = Client()
    forger.cookies[cookie_name(study.slug)] = "forged"
    for method in (forger.get, forger.post):
        response = method(at(name))
        if response.status_code == 405:
            continue
        assert response.status_code == 403
        assert "could not recognise your session" in response.content.decode()
    assert Event.objects.filter(kind="participant_withdrew").count() == 0


def test_an_expired_token_is_refused(client, study):
    begin(client, study)
    trial = current_trial(client)
    Session.objects.update(expires_at=timezone.now() - timedelta(days=1))
    response = answer(client, trial)
    assert response.status_code == 403
    assert "Your session ended after 30 days" in response.content.decode()
    assert not Response.objects.exists()


def test_a_token_is_good_for_its_own_study_only(client, study):
    other = factories.study(workspace=study.workspace, slug="other")
    begin(client, study)
    client.cookies[cookie_name(other.slug)] = client.cookies[cookie_name(study.slug)].value
    assert client.get(at("trial", slug="other")).status_code == 403


def test_consent_to_another_text_is_asked_for_again(client, study):
    fields = hidden_fields(client.get(at("consent")).content.decode())
    response = client.post(at("consent"), fields | {"consent_sha256": "0" * 64})
    assert response.status_code == 409
    assert "Please read it once more" in response.content.decode()
    assert not Participant.objects.exists()


def test_consent_sent_twice_makes_one_participant(client, study):
    """Even by two requests of which neither carries the cookie of the other's answer."""
    fields = hidden_fields(client.get(at("consent")).content.decode())
    first, second = Client(), Client()
    for each in (first, second):
        assert each.post(at("consent"), fields).status_code == 303
    assert Participant.objects.count() == 1
    assert (
        first.cookies[cookie_name(study.slug)].value
        == second.cookies[cookie_name(study.slug)].value
    )


@pytest.mark.parametrize("sent", ["", "made-up", "made-up:signature"])
def test_a_made_up_enrolment_is_refused(client, study, sent):
    fields = hidden_fields(client.get(at("consent")).content.decode())
    response = client.post(at("consent"), fields | {"enrolment": sent})
    assert response.status_code == 409
    assert not Participant.objects.exists()


@pytest.mark.parametrize("trial", ["", "x", "\0", "a\0b", "x" * 10_000])
def test_what_cannot_be_an_id_is_not_anybodys_trial(client, study, trial):
    begin(client, study)
    assert answer(client, trial).status_code == 403
    assert client.get("/s/art/image/a%00b/").status_code == 404
    assert not Response.objects.exists()


def test_forms_without_the_csrf_token_are_refused(study):
    strict = Client(enforce_csrf_checks=True)
    response = strict.post(at("consent"), {"consent_sha256": "x"})
    assert response.status_code == 403
    assert "Nothing was changed" in response.content.decode()


def test_stopping_asks_first_and_gives_a_receipt(client, study):
    begin(client, study)
    answer(client, current_trial(client))
    assert "1 answer" in client.get(at("stop")).content.decode()
    assert Participant.objects.get().state == "active"
    assert client.post(at("stop")).url == at("debrief")
    page = client.get(at("debrief")).content.decode()
    assert Participant.objects.get().public_id in page
    assert CODE not in page
    assert Response.objects.count() == 2
    assert client.get(at("trial")).url == at("debrief")


def test_nothing_sent_to_the_browser_tells_where_an_image_is_from(client, study):
    """Neither pages, nor addresses, nor headers, nor the pictures' own bytes."""
    begin(client, study)
    results = study.scan.results.select_related("image__image_set")
    telling = {"normal", "creative", "control", "stratum", " q1", "scan", "score", "subset"}
    # Words that every participant reads with every image say nothing about one of them.
    asked = [study.title, study.slug, "cache-control", "csrf"]
    for question in study.questions.all():
        asked += [question.text, question.options.get("low"), question.options.get("high")]
        asked += [f'name="answer-{question.key}"']
        for label in question.options.get("labels", []):
            asked += [label["label"], f'value="{label["value"]}"']
    for _ in range(4):
        response = client.get(at("trial"))
        shown = Trial.objects.get(public_id=current_trial(client))
        image = shown.study_image.image
        result = results.get(image=image)
        picture = client.get(at("image", current_trial(client)))
        body = whole(picture)
        received = response.content.decode() + str(response.headers) + str(picture.headers)
        for words in filter(None, asked):
            received = re.sub(re.escape(words), "", received, flags=re.IGNORECASE)
        received = received.lower() + body.decode("latin-1").lower()
        secrets = telling | {
            image.sha256,
            image.public_id.lower(),
            image.image_set.name.lower(),
            f"{result.score}",
        }
        assert not [secret for secret in secrets if secret in received]
        assert body.startswith(b"\x89PNG")
        assert not re.search(rb"tEXt|iTXt|zTXt|eXIf|tIME", body)
        answer(client, current_trial(client))


def test_addresses_of_one_image_differ_between_participants(study):
    seen = {}
    for _ in range(4):
        client = Client()
        begin(client, study)
        for trial in Trial.objects.filter(participant=Participant.objects.latest("pk")):
            seen.setdefault(trial.study_image_id, set()).add(at("image", trial.public_id))
    assert all(len(addresses) > 1 for addresses in seen.values())


def test_pictures_are_kept_by_the_browser_and_pages_are_not(client, study):
    begin(client, study)
    picture = client.get(at("image", current_trial(client)))
    assert whole(picture)
    assert picture["Cache-Control"] == "private, max-age=86400, immutable"
    assert "Content-Disposition" not in picture
    assert "no-store" in client.get(at("trial"))["Cache-Control"]


def test_the_cookie_is_closed_to_scripts_and_other_paths(client, study):
    agree(client, study)
    cookie = client.cookies[cookie_name(study.slug)]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/s/art/"


@pytest.mark.parametrize("n_images", [8, 40])
def test_a_trial_costs_the_same_queries_however_large_the_study(
    client, django_assert_num_queries, n_images
):
    study = factories.study(
        n_images, workspace=factories.workspace(), questions=BOTH, slug="art",
        trials_per_participant=8,
    )  # fmt: skip
    begin(client, study)
    answer(client, current_trial(client))
    trial = current_trial(client)
    with django_assert_num_queries(2):
        client.get(at("trial"))
    # On SQLite, where nothing travels, every change and both ends of the transaction count.
    n_to_store = 1 if connection.vendor == "postgresql" else 9
    with django_assert_num_queries(n_to_store):
        answer(client, trial)
    trial = current_trial(client)
    with django_assert_num_queries(n_to_store):
        assert send(client, trial).json()["saved"]
    address = at("image", current_trial(client))
    with django_assert_num_queries(2):
        assert whole(client.get(address))


def test_health(client):
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize(
    "evidence",
    [
        {"pixel_ratio": 10**400},
        {"pixel_ratio": 1e400},
        {"onset_ms": 10**400},
        {"changes": [[5, "a\x00", "b"]]},
        {"changes": [[5, "\ud800", "b"]]},
    ],
    ids=["huge", "infinite", "long", "nul", "half a character"],
)
def test_no_answer_is_refused_for_what_was_measured_beside_it(client, study, evidence):
    begin(client, study)
    assert send(client, current_trial(client), evidence=evidence).json()["saved"]
    trial = current_trial(client)
    sent = {"trial": trial, "evidence": json.dumps(evidence), "answer-creativity": "6"}
    client.post(at("trial"), sent | {"answer-label": "creative"})
    assert Trial.objects.filter(state="completed").count() == 2


def test_nothing_that_is_true_for_a_moment_is_kept_by_browsers(client, study):
    begin(client, study)
    for response in (
        client.get(at("trial")),
        answer(client, current_trial(client)),
        send(client, current_trial(client)),
        send(client, "no trial"),
    ):
        assert "no-store" in response["Cache-Control"], response


def test_what_is_no_id_changes_no_answer(client):
    study = factories.study(workspace=factories.workspace(), slug="art", allow_changes=True)
    begin(client, study)
    for wrong in ("\x00", "x", "0" * 22):
        assert client.get(at("trial"), {"change": wrong}).status_code == 404
