"""The code and the way back, by how taking part ended; never before it is stored."""

import re
from html import unescape

import pytest
from django.test import Client

from studies.models import CompletionCode, Outcome, Participant, Response, Trial
from studies.services.leaving import locked, turn_away, withdraw_participant
from studies.services.pilot import pilot_link_token
from studies.services.slots import lock_balance
from tests.studies.views.test_entry import LAPTOP, LINKS, agree, at, link, rejoin, study, text

pytestmark = pytest.mark.django_db

SONA = {"host": "lab.sona-systems.com", "experiment_id": "12", "credit_token": "4e48f9b638a"}
CONNECT = "https://connect.cloudresearch.com/participant/project/FF4E356E38/complete"
SETTINGS = {
    "sona": SONA | {"credit_outcomes": ["completed", "no_consent", "screened_out"]},
    "cloudresearch": {"redirects": {"completed": CONNECT, "screened_out": f"{CONNECT}?partial"}},
}
BACK = {
    "prolific": "https://app.prolific.com/submissions/complete?cc=CODE-{outcome}",
    "sona": "https://lab.sona-systems.com/webstudy_credit.aspx?experiment_id=12"
    "&credit_token=4e48f9b638a&survey_code=" + LINKS["sona"]["sona_id"],
    "cloudresearch": CONNECT,
}


def coded(entry, outcomes=Outcome.values, **fields):
    """A study with a code for every one of `outcomes`."""
    made = study(entry, service_settings=SETTINGS.get(entry, {}), **fields)
    made.codes.all().delete()
    for outcome in outcomes:
        CompletionCode.objects.create(study=made, outcome=outcome, code=f"CODE-{outcome}")
    return made


def begin(client, made, query=None):
    agree(client, query or link(made), **LAPTOP)
    client.post(at("step"), {"block": "1"})
    return Participant.objects.latest("pk")


def rate_all(client):
    for _ in range(4):
        page = client.get(at("trial")).content.decode()
        trial = re.search(r'name="trial" value="([\w-]+)"', page)[1]
        client.post(at("trial"), {"trial": trial, "answer-creativity": "6"})


def links(page):
    return [unescape(each) for each in re.findall(r'href="(https:[^"]+)"', page)]


@pytest.mark.parametrize("entry", ["open", "single_use", "prolific", "sona", "cloudresearch"])
def test_who_finishes_gets_the_code_and_the_way_back(client, entry):
    made = coded(entry)
    begin(client, made)
    rate_all(client)
    page = client.get(at("debrief")).content.decode()
    assert "CODE-completed" in page
    expected = BACK.get(entry)
    assert links(page) == ([expected.format(outcome="completed")] if expected else [])


@pytest.mark.parametrize("entry", ["open", "prolific", "sona", "cloudresearch", "mturk"])
def test_no_code_is_shown_before_its_outcome_is_stored(client, entry):
    made = coded(entry)
    pages = [client.get(at(name, link(made))) for name in ("landing", "consent")]
    begin(client, made)
    for _ in range(3):
        names = ("landing", "consent", "rejoin", "step", "trial", "stop", "debrief")
        pages += [client.get(at(name, link(made)), follow=True) for name in names]
        trial = re.search(r'name="trial" value="([\w-]+)"', text(client.get(at("trial"))))[1]
        pages.append(
            client.post(at("trial"), {"trial": trial, "answer-creativity": "6"}, follow=True)
        )
    assert Response.objects.count() == 3
    for page in pages:
        assert "CODE-" not in page.content.decode()
        assert "externalSubmit" not in page.content.decode()


@pytest.mark.parametrize(
    "outcome", [Outcome.WITHDREW, Outcome.COMPREHENSION, Outcome.OVER_QUOTA, Outcome.TOO_LATE]
)
@pytest.mark.parametrize("has_code", [True, False])
def test_every_outcome_has_its_own_code_or_none(client, outcome, has_code):
    made = coded("prolific", [Outcome.COMPLETED, *([outcome] if has_code else [])])
    participant = locked(begin(client, made))
    if outcome == Outcome.WITHDREW:
        withdraw_participant(participant=participant)
    else:
        lock_balance(made, participant.kind)
        turn_away(participant, outcome)
    page = client.get(at("debrief")).content.decode()
    code = f"CODE-{outcome}" if has_code else "NOCODE"
    assert links(page) == [f"https://app.prolific.com/submissions/complete?cc={code}"]
    assert "CODE-completed" not in page
    assert ("completion-code" in page) == has_code


@pytest.mark.parametrize("entry", ["open", "prolific", "sona", "cloudresearch", "mturk"])
def test_declining_gives_the_code_for_that_and_stores_nothing(client, entry):
    made = coded(entry)
    page = client.get(at("declined", link(made))).content.decode()
    assert "CODE-no_consent" in page
    assert "CODE-completed" not in page
    expected = BACK.get(entry) if entry != "cloudresearch" else None
    assert links(page) == ([expected.format(outcome="no_consent")] if expected else [])
    assert not Participant.objects.exists()


@pytest.mark.parametrize("entry", ["open", "prolific", "sona", "cloudresearch", "mturk"])
def test_who_is_screened_out_gets_the_code_for_that(client, entry):
    made = coded(entry, screening={"devices": ["phone"]})
    page = agree(client, link(made), **LAPTOP).content.decode()
    assert "CODE-screened_out" in page
    expected = f"{CONNECT}?partial" if entry == "cloudresearch" else BACK.get(entry)
    assert links(page) == ([expected.format(outcome="screened_out")] if expected else [])


class TestSona:
    def test_the_browser_keeps_the_number_that_the_database_does_not(self, client):
        begin(client, coded("sona"))
        cookie = client.cookies["musescan_art_exit"]
        assert cookie["httponly"]
        assert (cookie["path"], cookie["samesite"]) == ("/s/art/", "Lax")

    def test_on_a_second_device_the_link_brings_it_along(self, client):
        made = coded("sona")
        begin(Client(), made)
        rejoin(client, link(made))
        rate_all(client)
        assert links(client.get(at("debrief")).content.decode()) == [BACK["sona"]]

    @pytest.mark.parametrize("cookie", [None, "forged", "for:ged:x"])
    def test_without_it_there_is_the_code_alone(self, client, cookie):
        begin(client, coded("sona"))
        rate_all(client)
        del client.cookies["musescan_art_exit"]
        if cookie:
            client.cookies["musescan_art_exit"] = cookie
        page = client.get(at("debrief")).content.decode()
        assert links(page) == []
        assert "CODE-completed" in page

    def test_other_services_leave_nothing_in_the_browser(self, client):
        begin(client, coded("prolific"))
        assert set(client.cookies) == {"musescan_art", "csrftoken"}

    def test_settings_that_are_wrong_cost_nobody_their_code(self, client):
        made = coded("sona")
        type(made).objects.update(service_settings={"host": "evil.example"})
        begin(client, made)
        rate_all(client)
        page = client.get(at("debrief")).content.decode()
        assert links(page) == []
        assert "CODE-completed" in page


class TestMechanicalTurk:
    """In the frame, the browser sends no cookies: the link alone says who it is."""

    def finished(self, made, query=None):
        client = Client()
        begin(client, made, query)
        rate_all(client)
        return client

    def form(self, response):
        page = response.content.decode()
        found = re.search(r'<form method="post" action="([^"]+)">(.*?)</form>', page, re.DOTALL)
        if found is None:
            return None
        fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', found[2]))
        return found[1], fields

    def test_work_is_handed_in_from_the_frame(self):
        made = coded("mturk")
        self.finished(made)
        response = Client().get(at("landing", link(made)))
        assert self.form(response) == (
            "https://workersandbox.mturk.com/mturk/externalSubmit",
            {"assignmentId": "assignment1", "code": "CODE-completed"},
        )
        policy = response["Content-Security-Policy"]
        assert re.search(
            r"form-action 'self' https://www\.mturk\.com https://workersandbox", policy
        )

    def test_the_last_page_leads_back_to_the_frame_and_has_no_form_of_its_own(self):
        made = coded("mturk")
        response = self.finished(made).get(at("debrief"))
        assert self.form(response) is None
        assert "go back to the tab of Amazon Mechanical Turk" in text(response)
        assert "mturk.com" not in response["Content-Security-Policy"]

    def test_nothing_is_handed_in_before_the_end(self):
        made = coded("mturk")
        begin(Client(), made)
        response = Client().get(at("landing", link(made)))
        assert self.form(response) is None
        assert "reload_on_return.js" in response.content.decode()

    def test_one_participation_is_handed_in_once(self):
        made = coded("mturk")
        self.finished(made)
        response = Client().get(at("landing", link(made, assignmentId="assignment2")))
        assert self.form(response) is None
        assert "nothing to hand in" in text(response)
        assert "CODE-" not in response.content.decode()

    def test_a_stranger_with_the_same_assignment_hands_in_nothing(self):
        made = coded("mturk")
        self.finished(made)
        response = Client().get(at("landing", link(made, workerId="another")))
        assert self.form(response) is None
        assert "You have" not in text(response)

    def test_an_outcome_without_a_code_is_not_handed_in(self):
        made = coded("mturk", [Outcome.COMPLETED])
        client = Client()
        withdraw_participant(participant=begin(client, made))
        assert self.form(Client().get(at("landing", link(made)))) is None
        assert "return the task" in text(client.get(at("debrief")))

    def test_without_an_address_the_code_is_entered_by_hand(self):
        made = coded("mturk")
        query = {name: value for name, value in link(made).items() if name != "turkSubmitTo"}
        client = self.finished(made, query)
        assert "CODE-completed" in client.get(at("debrief")).content.decode()
        assert self.form(Client().get(at("landing", query))) is None

    @pytest.mark.parametrize("address", ["https://evil.example", "http://www.mturk.com"])
    def test_work_is_never_handed_in_elsewhere(self, address):
        made = coded("mturk")
        self.finished(made)
        response = Client().get(at("landing", link(made, turkSubmitTo=address)))
        assert response.status_code == 400
        assert address not in text(response)


def test_a_pilot_sees_the_code_and_is_sent_nowhere(client):
    made = coded("prolific")
    begin(client, made, {"pilot": pilot_link_token(made)})
    rate_all(client)
    page = client.get(at("debrief")).content.decode()
    assert "CODE-completed" in page
    assert links(page) == []


class TestReceipt:
    def test_it_says_what_was_agreed_and_how_much_is_kept(self, client):
        participant = begin(client, coded("open"))
        trial = Trial.objects.order_by("position").first()
        client.post(at("trial"), {"trial": trial.public_id, "answer-creativity": "6"})
        client.post(at("stop"))
        page = text(client.get(at("debrief")))
        assert participant.public_id in page
        assert participant.consent_sha256[:8] in page
        assert participant.consent_sha256 not in page
        kept = re.search(r"Answers kept</dt><dd>(\d+)", page)[1]
        assert kept == "1"
        assert "UTC" in page
        assert "Print the receipt" in page

    def test_it_can_be_seen_again(self, client):
        begin(client, coded("open"))
        client.post(at("stop"))
        assert text(client.get(at("debrief"))) == text(client.get(at("debrief")))


def test_the_last_page_costs_few_queries(client, django_assert_num_queries):
    begin(client, coded("sona"))
    rate_all(client)
    with django_assert_num_queries(3):
        client.get(at("debrief"))


def test_nobody_reaches_the_last_page_of_somebody_else(client):
    made = coded("sona")
    begin(client, made)
    rate_all(client)
    stranger = Client()
    stranger.cookies["musescan_art_exit"] = client.cookies["musescan_art_exit"].value
    response = stranger.get(at("debrief"))
    assert response.status_code == 302
