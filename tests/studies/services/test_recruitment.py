"""What links carry, and the way back: pure functions, every service, every bad parameter."""

from dataclasses import asdict
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.errors import DomainError
from studies.models import EntryService, Outcome
from studies.services.recruitment import (
    MTURK_PREVIEW,
    SERVICES,
    Arrival,
    check_service_settings,
    hand_in,
    is_preview,
    parse_arrival,
    way_back,
)

PERSON = "5f0a1b2c3d4e5f6a7b8c9d0e"
MTURK = {
    "workerId": "AZ3456EXAMPLE",
    "assignmentId": "123RVWYBAZW00EXAMPLE456RVWYBAZW00EXAMPLE",
    "hitId": "123RVWYBAZW00EXAMPLE",
    "turkSubmitTo": "https://www.mturk.com/",
}
LINKS = {
    EntryService.SINGLE_USE: {"invite": "Q" * 43},
    EntryService.PROLIFIC: {"PROLIFIC_PID": PERSON, "STUDY_ID": "study1", "SESSION_ID": "session1"},
    EntryService.MTURK: MTURK,
    EntryService.SONA: {"sona_id": "1234"},
    EntryService.CLOUDRESEARCH: {
        "participantId": "0A1B2C", "assignmentId": "assignment1", "projectId": "project1",
    },
}  # fmt: skip
NAMED = [entry for entry in EntryService.values if entry != EntryService.OPEN]
SONA = {"host": "lab.sona-systems.com", "experiment_id": "12", "credit_token": "4e48f9b638a"}
CONNECT = "https://connect.cloudresearch.com/participant/project/FF4E356E38/complete"


def lists(link):
    return {name: [value] for name, value in link.items()}


def test_every_way_in_is_in_the_table():
    assert set(SERVICES) == set(EntryService.values)


@pytest.mark.parametrize("entry", NAMED)
def test_a_whole_link_names_the_person_and_leads_to_the_same_arrival_again(entry):
    arrival = parse_arrival(entry, lists(LINKS[entry]))
    assert arrival.person == LINKS[entry][SERVICES[entry].person]
    assert parse_arrival(entry, lists(arrival.parameters)) == arrival
    assert Arrival(**asdict(arrival)) == arrival


def test_an_open_study_asks_for_nothing_and_keeps_nothing():
    assert parse_arrival(EntryService.OPEN, {"PROLIFIC_PID": [PERSON]}) is None


@pytest.mark.parametrize("entry", NAMED)
def test_what_is_missing_is_named(entry):
    with pytest.raises(DomainError) as raised:
        parse_arrival(entry, {})
    assert raised.value.code == "arrival_incomplete"
    assert raised.value.fields == dict.fromkeys(SERVICES[entry].required, "missing")
    assert "Nothing was stored" in raised.value.detail


def test_an_assignment_says_nothing_without_its_worker_nor_a_worker_without_it():
    for name in ("workerId", "assignmentId"):
        with pytest.raises(DomainError) as raised:
            parse_arrival(EntryService.MTURK, lists({**MTURK, name: ""}))
        assert raised.value.fields == {name: "missing"}


@pytest.mark.parametrize(
    "value",
    [
        "{{%PROLIFIC_PID%}}",
        "%SURVEY_CODE%",
        "a b",
        "a\0b",
        "x" * 101,
        "é",
        "<script>",
        "a;b",
        "a\n",
    ],
)
@pytest.mark.parametrize("entry", NAMED)
def test_a_malformed_id_is_refused_and_not_repeated(entry, value):
    name = SERVICES[entry].person
    with pytest.raises(DomainError) as raised:
        parse_arrival(entry, lists({**LINKS[entry], name: value}))
    assert raised.value.fields == {name: "malformed"}
    assert value not in raised.value.detail


@pytest.mark.parametrize(
    ("entry", "name"),
    [(entry, name) for entry in NAMED for name in SERVICES[entry].parameters[1:]],
)
def test_the_other_ids_may_be_missing_but_not_malformed(entry, name):
    with pytest.raises(DomainError) as raised:
        parse_arrival(entry, lists({**LINKS[entry], name: "{{%placeholder%}}"}))
    assert raised.value.fields == {name: "malformed"}
    if name not in SERVICES[entry].required:
        without = {key: value for key, value in LINKS[entry].items() if key != name}
        assert name not in parse_arrival(entry, lists(without)).submission


def test_a_parameter_that_contradicts_itself_is_malformed():
    link = {"PROLIFIC_PID": [PERSON, PERSON], "SESSION_ID": ["a", "b"]}
    with pytest.raises(DomainError) as raised:
        parse_arrival(EntryService.PROLIFIC, link)
    assert raised.value.fields == {"SESSION_ID": "malformed"}


@given(st.text(max_size=300))
def test_whatever_is_sent_becomes_a_short_plain_id_or_is_refused(value):
    try:
        arrival = parse_arrival(EntryService.SONA, {"sona_id": [value]})
    except DomainError:
        return
    assert arrival.person == value
    assert len(value) <= 100
    assert value.isascii()
    assert value.replace("-", "").replace("_", "").isalnum() or set(value) <= {"-", "_"}


def test_a_task_that_is_not_accepted_is_a_preview_and_nobody():
    link = lists({"assignmentId": MTURK_PREVIEW, "hitId": "hit1"})
    assert is_preview(EntryService.MTURK, link)
    assert not is_preview(EntryService.MTURK, lists(MTURK))
    assert not is_preview(EntryService.CLOUDRESEARCH, link)
    with pytest.raises(DomainError):
        parse_arrival(EntryService.MTURK, lists({**MTURK, "assignmentId": MTURK_PREVIEW}))


@pytest.mark.parametrize(
    "address",
    [
        "http://www.mturk.com", "https://www.mturk.com.evil.example", "https://evil.example",
        "https://www.mturk.com@evil.example", "https://www.mturk.com/x", "javascript:alert(1)",
        "//www.mturk.com", "https://WWW.mturk.com:444",
    ],
)  # fmt: skip
def test_work_is_handed_in_at_mechanical_turk_and_nowhere_else(address):
    with pytest.raises(DomainError) as raised:
        parse_arrival(EntryService.MTURK, lists({**MTURK, "turkSubmitTo": address}))
    assert raised.value.fields == {"turkSubmitTo": "malformed"}


@pytest.mark.parametrize("origin", ["https://www.mturk.com", "https://workersandbox.mturk.com"])
@pytest.mark.parametrize("end", ["", "/"])
def test_handing_in_posts_the_assignment_and_the_code(origin, end):
    arrival = parse_arrival(EntryService.MTURK, lists({**MTURK, "turkSubmitTo": origin + end}))
    form = hand_in(arrival, "CODE1")
    assert form.url == f"{origin}/mturk/externalSubmit"
    assert form.fields == {"assignmentId": MTURK["assignmentId"], "code": "CODE1"}


def test_without_an_address_the_task_itself_asks_for_the_code():
    link = {name: value for name, value in MTURK.items() if name != "turkSubmitTo"}
    assert hand_in(parse_arrival(EntryService.MTURK, lists(link)), "CODE1") is None


def exit_of(entry, settings=None, *, outcome=Outcome.COMPLETED, code="CODE1", arrival=None):
    return way_back(entry, settings or {}, outcome=outcome, code=code, arrival=arrival)


def test_prolific_gets_the_code_or_says_that_there_is_none():
    assert exit_of("prolific").url == "https://app.prolific.com/submissions/complete?cc=CODE1"
    assert exit_of("prolific", code="").url.endswith("?cc=NOCODE")
    assert exit_of("prolific", code="a&b=c").url.endswith("?cc=a%26b%3Dc")


def test_sona_credits_the_person_for_the_outcomes_that_are_named():
    arrival = Arrival("sona", "1234")
    address = urlsplit(exit_of("sona", SONA, arrival=arrival).url)
    assert (address.scheme, address.netloc) == ("https", "lab.sona-systems.com")
    assert address.path == "/webstudy_credit.aspx"
    assert parse_qs(address.query) == {
        "experiment_id": ["12"], "credit_token": ["4e48f9b638a"], "survey_code": ["1234"],
    }  # fmt: skip
    assert exit_of("sona", SONA, arrival=arrival, outcome=Outcome.WITHDREW) is None
    generous = SONA | {"credit_outcomes": ["completed", "withdrew"]}
    assert exit_of("sona", generous, arrival=arrival, outcome=Outcome.WITHDREW) is not None
    assert exit_of("sona", SONA, arrival=None) is None


def test_connect_has_a_redirect_for_each_outcome_that_is_named():
    settings = {"redirects": {"completed": CONNECT}}
    assert exit_of("cloudresearch", settings).url == CONNECT
    assert exit_of("cloudresearch", settings, outcome=Outcome.SCREENED_OUT) is None
    assert exit_of("cloudresearch") is None


@pytest.mark.parametrize("entry", ["open", "single_use", "mturk"])
def test_the_others_have_no_link_back(entry):
    assert exit_of(entry, arrival=Arrival("mturk", "worker")) is None


WRONG = {
    "a host that is not SONA's": ("sona", SONA | {"host": "evil.example"}),
    "a host that only looks like SONA's": (
        "sona",
        SONA | {"host": "sona-systems.com.evil.example"},
    ),
    "a host with a path": ("sona", SONA | {"host": "x.sona-systems.com/y?.sona-systems.com"}),
    "no token": ("sona", {"host": SONA["host"], "experiment_id": "12"}),
    "an id with a space": ("sona", SONA | {"experiment_id": "1 2"}),
    "an unknown outcome": ("sona", SONA | {"credit_outcomes": ["won"]}),
    "outcomes that are no list": ("sona", SONA | {"credit_outcomes": "completed"}),
    "an unknown name": ("sona", SONA | {"colour": "red"}),
    "another site": ("cloudresearch", {"redirects": {"completed": "https://evil.example/x"}}),
    "no address": ("cloudresearch", {"redirects": {"completed": 3}}),
    "plain HTTP": ("cloudresearch", {"redirects": {"completed": CONNECT.replace("s:", ":")}}),
    "no map": ("cloudresearch", {"redirects": [CONNECT]}),
    "an outcome that is none": ("cloudresearch", {"redirects": {"done": CONNECT}}),
    "settings where none are needed": ("prolific", {"host": "x"}),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_settings_are_named_and_never_followed(name):
    entry, settings = WRONG[name]
    with pytest.raises(ValueError, match="got"):
        check_service_settings(entry, settings)
    if entry != "prolific":
        assert exit_of(entry, settings, arrival=Arrival(entry, "1234")) is None


@pytest.mark.parametrize(
    ("entry", "right"),
    [
        ("sona", SONA),
        ("sona", {}),
        ("cloudresearch", {}),
        ("cloudresearch", {"redirects": {}}),
        ("open", {}),
    ],
)
def test_right_settings_pass(entry, right):
    check_service_settings(entry, right)
