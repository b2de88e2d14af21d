"""Every way in: the whole link, a part of it, somebody else's browser, a second device."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from studies.models import (
    Coverage,
    Event,
    Identity,
    Invitation,
    Participant,
    ParticipantKind,
    Session,
    StudyState,
)
from studies.services.erasure import erase_participant
from studies.services.invitations import create_invitations
from studies.services.leaving import withdraw_participant
from studies.services.lifecycle import change_state
from studies.services.pilot import pilot_link_token
from tests.studies import factories

pytestmark = pytest.mark.django_db

PERSON = "5f0a1b2c3d4e5f6a7b8c9d0e"
LINKS = {
    "open": {},
    "prolific": {"PROLIFIC_PID": PERSON, "STUDY_ID": "study1", "SESSION_ID": "session1"},
    "mturk": {
        "workerId": PERSON, "assignmentId": "assignment1", "hitId": "hit1",
        "turkSubmitTo": "https://workersandbox.mturk.com",
    },
    "sona": {"sona_id": PERSON},
    "cloudresearch": {"participantId": PERSON, "assignmentId": "a1", "projectId": "p1"},
}  # fmt: skip
PERSON_PARAMETERS = {
    "single_use": "invite", "prolific": "PROLIFIC_PID", "mturk": "workerId", "sona": "sona_id",
    "cloudresearch": "participantId",
}  # fmt: skip
NAMED = list(PERSON_PARAMETERS)
LAPTOP = {"viewport_width": "1280", "device": "desktop", "languages": "en-GB,de"}
PILOT_NOTICE = "Pilot: your answers are not part of the study"


def study(entry="open", **fields):
    return factories.study(workspace=factories.workspace(), slug="art", entry=entry, **fields)


def at(name, query=None):
    address = reverse(f"participant:{name}", args=["art"])
    return f"{address}?{urlencode(query)}" if query else address


def link(made, **changes):
    """What the link of somebody carries who comes as the study wants."""
    if made.entry == "single_use":
        return {"invite": create_invitations(study=made, n=1)[0].token}
    return LINKS[made.entry] | changes


def hidden_fields(page):
    return {
        name: unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    }


def text(response):
    return unescape(response.content.decode())


def onward(page):
    """Where the button of an entry page leads."""
    return unescape(re.search(r'<a class="button" href="([^"]+)"', page)[1])


def agree(client, query=None, **measured):
    """From the first page by its button to consent, and on."""
    first = client.get(at("landing", query)).content.decode()
    address = onward(first)
    page = client.get(address).content.decode()
    return client.post(address, hidden_fields(page) | measured)


def rejoin(client, query, **measured):
    address = onward(client.get(at("landing", query)).content.decode())
    assert urlsplit(address).path == at("rejoin")
    page = client.get(address).content.decode()
    return client.post(address, hidden_fields(page) | measured)


def nothing_is_stored():
    return not (
        Participant.objects.exists() or Identity.objects.exists() or Session.objects.exists()
    )


@pytest.mark.parametrize("entry", ["open", *NAMED])
def test_a_whole_link_leads_to_the_study(client, entry):
    made = study(entry)
    response = agree(client, link(made))
    assert (response.status_code, response.url) == (303, at("step"))
    participant = Participant.objects.get()
    assert participant.kind == ParticipantKind.PERSON
    assert Identity.objects.count() == (entry not in ("open", "single_use"))
    assert Invitation.objects.exclude(participant=None).count() == (entry == "single_use")


@pytest.mark.parametrize("entry", ["open", *NAMED])
def test_looking_stores_nothing_and_takes_no_slot(client, entry):
    made = study(entry)
    query = link(made)
    for name in ("landing", "consent", "declined", "rejoin", "landing"):
        assert client.get(at(name, query)).status_code in {200, 302}
    assert nothing_is_stored()
    assert not Invitation.objects.exclude(participant=None).exists()
    assert set(Coverage.objects.values_list("n_assigned", flat=True)) == {0}


@pytest.mark.parametrize("name", ["landing", "consent", "rejoin"])
@pytest.mark.parametrize("entry", NAMED)
def test_a_link_without_the_person_is_kindly_turned_back(client, entry, name):
    study(entry)
    response = client.get(at(name))
    assert response.status_code == 400
    page = text(response)
    assert "Nothing was stored" in page
    if entry != "single_use":
        assert PERSON_PARAMETERS[entry] in page
    assert nothing_is_stored()


@pytest.mark.parametrize("value", ["{{%PROLIFIC_PID%}}", "<script>alert(1)</script>", "x" * 200])
@pytest.mark.parametrize("name", ["landing", "consent", "rejoin", "declined"])
def test_what_is_malformed_is_neither_taken_nor_repeated(client, name, value):
    study("prolific")
    response = client.get(at(name, {"PROLIFIC_PID": value}))
    assert response.status_code == (200 if name == "declined" else 400)
    assert value not in response.content.decode()
    assert value not in text(response)


def test_parameters_that_nobody_asked_for_are_not_carried_on(client):
    study("prolific")
    page = client.get(at("landing", LINKS["prolific"] | {"more": "<b>else</b>"})).content.decode()
    assert "else" not in onward(page)
    assert "<b>else" not in page


@pytest.mark.parametrize("entry", NAMED)
def test_a_second_device_goes_on_as_the_same_person_after_a_button(entry):
    made = study(entry)
    query = link(made)
    phone, laptop = Client(), Client()
    agree(phone, query)
    page = laptop.get(at("landing", query)).content.decode()
    assert "You have begun already" in page
    assert Session.objects.count() == 1
    response = rejoin(laptop, query)
    assert (response.status_code, response.url) == (303, at("step"))
    for each in (phone, laptop):
        assert each.get(at("step")).status_code == 200
    assert Participant.objects.count() == 1
    assert Session.objects.count() == 2


PHONE = {"viewport_width": "390", "device": "phone", "languages": "en-GB"}


@pytest.mark.parametrize("measured", [PHONE, {}], ids=["phone", "unmeasured"])
def test_a_second_device_must_be_one_that_the_study_is_for(measured):
    made = study("prolific", screening={"devices": ["desktop"]})
    query = link(made)
    first, second = Client(), Client()
    assert agree(first, query, **LAPTOP).url == at("step")
    n_events = made.events.count()
    refused = rejoin(second, query, **measured)
    assert refused.status_code == (200 if measured else 409)
    words = "go on where you began" if measured else "switch on JavaScript"
    assert words in refused.content.decode()
    assert ("a computer with a mouse" in refused.content.decode()) == bool(measured)
    assert (Session.objects.count(), made.events.count()) == (1, n_events)
    assert rejoin(second, query, **LAPTOP).url == at("step")
    # Who has finished may see the last page on anything.
    Participant.objects.update(state="withdrawn", ended_at=timezone.now())
    assert rejoin(Client(), query, **PHONE).url == at("debrief")


def test_agreeing_again_on_a_device_that_the_study_is_not_for_lets_nobody_in():
    made = study("prolific", screening={"devices": ["desktop"]})
    query = link(made)
    first, second = Client(), Client()
    address = at("consent", query)
    pages = [each.get(address).content.decode() for each in (first, second)]
    assert first.post(address, hidden_fields(pages[0]) | LAPTOP).status_code == 303
    refused = second.post(address, hidden_fields(pages[1]) | PHONE)
    assert "go on where you began" in refused.content.decode()
    assert Session.objects.count() == 1


@pytest.mark.parametrize("entry", NAMED)
def test_two_tabs_that_agree_make_one_participant(entry):
    made = study(entry)
    query = link(made)
    tabs = [Client(), Client()]
    pages = [tab.get(at("consent", query)).content.decode() for tab in tabs]
    for tab, page in zip(tabs, pages, strict=True):
        response = tab.post(at("consent", query), hidden_fields(page))
        assert (response.status_code, response.url) == (303, at("step"))
    assert Participant.objects.count() == 1
    assert Session.objects.count() == 2


@pytest.mark.parametrize("entry", NAMED)
def test_the_next_person_at_the_same_computer_is_somebody_else(client, entry):
    made = study(entry)
    agree(client, link(made))
    first = Participant.objects.get()
    other = link(made) if entry == "single_use" else link(
        made, **{PERSON_PARAMETERS[entry]: "another"}
    )  # fmt: skip
    assert "You have" not in client.get(at("landing", other)).content.decode()
    agree(client, other)
    assert Participant.objects.count() == 2
    assert client.get(at("debrief")).url == at("step")
    assert Session.objects.filter(participant=first).count() == 1


def test_a_browser_that_is_known_comes_back_without_the_link(client):
    made = study("prolific")
    agree(client, link(made))
    response = client.get(at("landing"))
    assert response.status_code == 200
    assert onward(response.content.decode()) == at("step")
    assert client.get(at("consent")).url == at("step")


def test_consent_is_not_asked_twice_of_the_same_person(client):
    made = study("prolific")
    agree(Client(), link(made))
    response = client.get(at("consent", link(made)))
    assert urlsplit(response.url).path == at("rejoin")
    assert PERSON in response.url


def test_who_has_not_begun_is_led_from_rejoining_to_the_first_page(client):
    made = study("prolific")
    assert urlsplit(client.get(at("rejoin", link(made))).url).path == at("landing")
    assert client.get(at("rejoin", link(made)), follow=True).status_code == 200


@pytest.mark.parametrize("sent", ["", "made-up", "made:up:signature"])
def test_a_made_up_form_opens_no_session(client, sent):
    made = study("prolific")
    agree(Client(), link(made))
    response = client.post(at("rejoin", link(made)), {"enrolment": sent})
    assert response.status_code == 403
    assert Session.objects.count() == 1


def test_a_form_of_another_study_opens_no_session(client):
    made = study("prolific")
    other = factories.study(workspace=made.workspace, slug="other", entry="prolific")
    page = client.get(reverse("participant:consent", args=[other.slug]), link(made))
    fields = hidden_fields(page.content.decode())
    assert client.post(at("consent", link(made)), fields).status_code == 409
    assert nothing_is_stored()


@pytest.mark.parametrize("entry", NAMED)
def test_who_is_over_finds_the_last_page_on_any_device(entry):
    made = study(entry)
    query = link(made)
    agree(Client(), query)
    withdraw_participant(participant=Participant.objects.get())
    laptop = Client()
    assert "You have taken part already" in laptop.get(at("landing", query)).content.decode()
    assert rejoin(laptop, query).url == at("debrief")
    assert "You have stopped taking part" in laptop.get(at("debrief")).content.decode()


def test_an_invitation_that_was_used_leads_back_and_lets_nobody_else_in():
    made = study("single_use")
    query = link(made)
    agree(Client(), query)
    stranger = Client()
    assert urlsplit(stranger.get(at("consent", query)).url).path == at("rejoin")
    assert Participant.objects.count() == 1


@pytest.mark.parametrize("name", ["landing", "consent", "rejoin"])
def test_an_invitation_that_nobody_gave_out_is_refused(client, name):
    study("single_use")
    response = client.get(at(name, {"invite": "made-up"}))
    assert response.status_code == 404
    assert "not known here" in text(response)
    assert nothing_is_stored()


def test_an_invitation_of_who_was_erased_is_gone(client):
    made = study("single_use")
    query = link(made)
    agree(Client(), query)
    erase_participant(participant=Participant.objects.get())
    assert client.get(at("landing", query)).status_code == 404


@pytest.mark.parametrize("entry", NAMED)
def test_a_stranger_is_not_told_whether_anybody_took_part(entry):
    made = study(entry)
    query = link(made)
    before = Client().get(at("landing", link(made, **{PERSON_PARAMETERS[entry]: "other"})))
    agree(Client(), query)
    after = Client().get(at("landing", link(made, **{PERSON_PARAMETERS[entry]: "other"})))
    tokens = r"invite=[\w-]+"
    assert re.sub(tokens, "", text(before)) == re.sub(tokens, "", text(after))


@pytest.mark.parametrize(
    ("state", "words"), [(StudyState.PAUSED, "paused"), (StudyState.CLOSED, "closed")]
)
def test_a_study_that_is_not_running_lets_nobody_in(client, state, words):
    made = study("prolific")
    page = client.get(at("consent", link(made))).content.decode()
    change_state(study=made, act={"paused": "pause", "closed": "close"}[state])
    first = client.get(at("landing", link(made)))
    assert words in text(first)
    assert 'class="button"' not in first.content.decode()
    assert client.get(at("consent", link(made))).status_code in {410, 503}
    assert client.post(at("consent"), hidden_fields(page)).status_code in {410, 503}
    assert nothing_is_stored()


def test_a_draft_is_not_there(client):
    factories.study(workspace=factories.workspace(), slug="art", state=StudyState.DRAFT)
    for name in ("landing", "consent", "rejoin", "declined"):
        assert client.get(at(name)).status_code == 404


@pytest.mark.parametrize(
    ("pseudonymise", "words"), [(True, "scrambled form"), (False, "Prolific ID")]
)
def test_the_first_page_says_what_is_stored_of_the_identifier(client, pseudonymise, words):
    made = study("prolific", pseudonymise=pseudonymise)
    page = text(client.get(at("landing", link(made))))
    assert words in page
    assert "nothing that says who you are" not in page
    assert ("scrambled" in page) == pseudonymise


class TestMechanicalTurk:
    def test_a_preview_shows_the_study_and_lets_nobody_in(self, client):
        study("mturk")
        query = {"assignmentId": "ASSIGNMENT_ID_NOT_AVAILABLE", "hitId": "hit1"}
        response = client.get(at("landing", query))
        assert response.status_code == 200
        assert "This is a preview" in text(response)
        assert 'class="button"' not in response.content.decode()
        for name in ("consent", "rejoin"):
            assert client.get(at(name, query)).status_code == 302
        assert nothing_is_stored()

    def test_only_the_first_page_may_be_framed_and_only_by_mechanical_turk(self, client):
        made = study("mturk")
        framed = client.get(at("landing", link(made)))
        assert "X-Frame-Options" not in framed
        policy = framed["Content-Security-Policy"]
        assert "frame-ancestors https://*.mturk.com;" in f"{policy};"
        assert 'target="_blank"' in framed.content.decode()
        for name in ("consent", "rejoin", "declined"):
            page = client.get(at(name, link(made)))
            assert page["X-Frame-Options"] == "DENY"
            assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
            assert "mturk.com" not in page["Content-Security-Policy"]

    @pytest.mark.parametrize("entry", ["open", "prolific", "sona"])
    def test_no_other_study_may_be_framed(self, client, entry):
        made = study(entry)
        page = client.get(at("landing", link(made)))
        assert page["X-Frame-Options"] == "DENY"
        assert "mturk" not in page["Content-Security-Policy"]

    def test_the_same_worker_with_another_assignment_goes_on(self):
        made = study("mturk")
        agree(Client(), link(made))
        response = rejoin(Client(), link(made, assignmentId="assignment2"))
        assert response.url == at("step")
        assert Participant.objects.count() == 1


class TestPilot:
    def begin(self, client, made):
        return agree(client, {"pilot": pilot_link_token(made)})

    @pytest.mark.parametrize("entry", ["open", *NAMED])
    def test_a_pilot_comes_in_by_their_link_alone(self, client, entry):
        made = study(entry)
        assert self.begin(client, made).url == at("step")
        participant = Participant.objects.get()
        assert participant.kind == ParticipantKind.PILOT
        assert not Identity.objects.exists()
        assert not Invitation.objects.exists()

    def test_every_page_of_a_pilot_says_so_and_no_other(self, client):
        made = study()
        query = {"pilot": pilot_link_token(made)}
        for name in ("landing", "consent", "declined"):
            assert PILOT_NOTICE in client.get(at(name, query)).content.decode()
            assert PILOT_NOTICE not in Client().get(at(name)).content.decode()
        self.begin(client, made)
        person = Client()
        agree(person)
        for each, says in ((client, True), (person, False)):
            pages = [each.get(at("step")), each.post(at("step"), {"block": "1"}, follow=True)]
            pages += [each.get(at("stop")), each.get(at("landing"))]
            pages.append(each.post(at("stop"), follow=True))
            for page in pages:
                assert page.status_code == 200
                assert (PILOT_NOTICE in page.content.decode()) == says

    def test_pilots_leave_the_balance_of_people_alone(self, client):
        made = study()
        self.begin(client, made)
        client.post(at("step"), {"block": "1"})
        assigned = Coverage.objects.filter(n_assigned__gt=0)
        assert set(assigned.values_list("kind", flat=True)) == {"pilot"}

    def test_a_pilot_who_is_over_can_begin_again(self, client):
        made = study()
        self.begin(client, made)
        withdraw_participant(participant=Participant.objects.get())
        self.begin(client, made)
        assert Participant.objects.count() == 2

    def test_a_pilot_goes_on_without_the_link_and_stays_a_pilot(self, client):
        self.begin(client, study())
        assert onward(client.get(at("landing")).content.decode()) == at("step")
        assert client.get(at("consent")).url == at("step")
        assert Participant.objects.count() == 1

    @pytest.mark.parametrize("name", ["landing", "consent", "rejoin"])
    def test_a_forged_link_is_refused(self, client, name):
        study()
        response = client.get(at(name, {"pilot": "pilot:forged"}))
        assert response.status_code == 403
        assert "not a pilot link" in text(response)

    def test_an_expired_link_is_refused(self, client, monkeypatch):
        made = study()
        query = {"pilot": pilot_link_token(made)}
        later = (timezone.now() + timedelta(days=15)).timestamp()
        monkeypatch.setattr("django.core.signing.time.time", lambda: later)
        response = client.get(at("landing", query))
        assert response.status_code == 403
        assert "has expired" in text(response)

    def test_a_link_of_another_study_is_refused(self, client):
        made = study()
        other = factories.study(workspace=made.workspace)
        response = client.get(at("landing", {"pilot": pilot_link_token(other)}))
        assert response.status_code == 403

    def test_a_browser_that_takes_part_in_earnest_is_not_turned_into_a_pilots(self, client):
        made = study()
        agree(client)
        response = client.get(at("landing", {"pilot": pilot_link_token(made)}))
        assert response.status_code == 403
        assert "private window" in text(response)
        assert client.get(at("step")).status_code == 200


class TestScreening:
    def test_who_fits_comes_in_and_little_is_kept_of_their_device(self, client):
        study(screening={"min_width_px": 1000, "devices": ["desktop"], "languages": ["en"]})
        assert agree(client, **LAPTOP).url == at("step")
        assert Participant.objects.get().environment == {
            "viewport_width_px": 1280,
            "device": "desktop",
            "language": "en-GB",
        }

    @pytest.mark.parametrize(
        ("screening", "words"),
        [
            ({"min_width_px": 1400}, "at least 1400 pixels wide"),
            ({"devices": ["phone", "tablet"]}, "a phone, a tablet"),
            ({"languages": ["fr", "xx"]}, "French, xx"),
        ],
    )
    def test_who_does_not_fit_is_told_why_and_nothing_is_stored_of_them(
        self, client, screening, words
    ):
        made = study("prolific", screening=screening)
        response = agree(client, link(made), **LAPTOP)
        assert response.status_code == 200
        assert words in text(response)
        assert nothing_is_stored()
        # A launch leaves lines about the study and its plan.
        event = Event.objects.exclude(kind__startswith="study_").exclude(kind="plan_fixed").get()
        assert (event.kind, event.participant) == ("visitor_screened_out", None)
        assert PERSON not in str(event.data)
        assert not response.cookies

    def test_without_javascript_the_page_says_what_to_do(self, client):
        study(screening={"min_width_px": 1000})
        assert "<noscript>" in client.get(at("consent")).content.decode()
        response = agree(client)
        assert response.status_code == 409
        assert "switch on JavaScript" in text(response)
        assert nothing_is_stored()
        assert not Event.objects.filter(kind="visitor_screened_out").exists()

    def test_without_screening_nothing_needs_to_be_measured(self, client):
        study()
        assert "<noscript>" not in client.get(at("consent")).content.decode()
        assert agree(client).url == at("step")
        assert Participant.objects.get().environment == {}

    def test_what_a_page_makes_up_is_not_kept(self, client):
        study()
        agree(client, **LAPTOP | {"device": "<b>", "more": "x"})
        assert Participant.objects.get().environment == {}

    def test_a_study_that_cannot_be_applied_turns_everybody_back(self, client):
        made = study()
        type(made).objects.update(screening={"devices": "phone"})
        response = agree(client, **LAPTOP)
        assert response.status_code == 409
        assert "not set up correctly" in text(response)
        assert nothing_is_stored()


def test_entry_pages_tell_nothing_of_how_images_were_made(client):
    made = study("prolific", screening={"min_width_px": 4000})
    telling = {"normal", "control", "stratum", " q1", "scan", "score", "subset", "condition"}
    pages = [client.get(at(name, link(made))) for name in ("landing", "consent", "declined")]
    pages += [agree(client, link(made), **LAPTOP), client.get(at("landing"))]
    agree(Client(), link(made), **LAPTOP | {"viewport_width": "5000"})
    pages += [client.get(at(name, link(made))) for name in ("landing", "rejoin")]
    said = {
        study_word for study_word in telling for page in pages if study_word in text(page).lower()
    }
    assert not said


@pytest.mark.parametrize(("entry", "landing", "consent"), [("open", 1, 1), ("prolific", 2, 2)])
def test_entry_pages_cost_few_queries(client, django_assert_num_queries, entry, landing, consent):
    made = study(entry)
    with django_assert_num_queries(landing):
        client.get(at("landing", link(made)))
    with django_assert_num_queries(consent):
        client.get(at("consent", link(made)))


def test_nothing_of_a_link_is_logged(client, caplog):
    study("prolific")
    client.get(at("landing", {"PROLIFIC_PID": f"{PERSON} malformed"}))
    client.get(at("landing", {"PROLIFIC_PID": PERSON, "pilot": PERSON}))
    assert PERSON not in caplog.text
