"""Who can take part with what they have in front of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.errors import DomainError
from studies.models import Event, Participant
from studies.services.screening import (
    Environment,
    Screening,
    parse_environment,
    parse_screening,
    screen_visitor,
    unmet,
)
from tests.studies import factories

LAPTOP = Environment(1280, "desktop", ("de-AT", "en-GB"))
SENT = {"viewport_width": "1280", "device": "desktop", "languages": "de-AT,en-GB"}


def test_what_is_measured_is_read_and_little_is_kept():
    assert parse_environment(SENT) == LAPTOP
    assert LAPTOP.kept() == {"viewport_width_px": 1280, "device": "desktop", "language": "de-AT"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"viewport_width": ""}, {"viewport_width": "0"}, {"viewport_width": "-5"},
        {"viewport_width": "99999999"}, {"viewport_width": "1e3"}, {"viewport_width": "٣٠٠"},
        {"device": "fridge"}, {"device": ""},
    ],
)  # fmt: skip
def test_what_cannot_have_been_measured_counts_as_not_measured(wrong):
    assert parse_environment(SENT | wrong) is None
    assert parse_environment({}) is None


@given(st.text(max_size=600))
def test_languages_are_tags_and_few(sent):
    environment = parse_environment(SENT | {"languages": sent})
    assert len(environment.languages) <= 10
    assert all(len(tag) <= 40 and tag.isascii() for tag in environment.languages)


@pytest.mark.parametrize(
    ("screening", "reasons"),
    [
        ({}, []),
        ({"min_width_px": 1280}, []),
        ({"min_width_px": 1281}, ["width"]),
        ({"devices": ["desktop", "tablet"]}, []),
        ({"devices": ["phone"]}, ["device"]),
        ({"languages": ["en"]}, []),
        ({"languages": ["EN-gb"]}, []),
        ({"languages": ["de"]}, []),
        ({"languages": ["d", "fr"][1:]}, ["language"]),
        ({"languages": ["de-DE"]}, ["language"]),
        (
            {"min_width_px": 2000, "devices": ["phone"], "languages": ["fr"]},
            ["width", "device", "language"],
        ),
    ],
)
def test_every_rule_that_is_not_met_is_named(screening, reasons):
    assert unmet(parse_screening(screening), LAPTOP) == reasons


def test_a_language_is_not_another_that_begins_like_it():
    assert unmet(Screening(languages=("en",)), Environment(1, "phone", ("enm",))) == ["language"]


@pytest.mark.parametrize(
    "screening",
    [
        {"width": 3}, {"min_width_px": "800"}, {"min_width_px": -1}, {"min_width_px": True},
        {"min_width_px": 30_000}, {"devices": "phone"}, {"devices": ["fridge"]},
        {"languages": ["english"]}, {"languages": "en"}, {"languages": [3]},
    ],
)  # fmt: skip
def test_wrong_rules_are_named(screening):
    with pytest.raises(ValueError, match="got"):
        parse_screening(screening)


def study(**screening):
    return factories.study(workspace=factories.workspace(), screening=screening)


@pytest.mark.django_db
def test_of_who_is_kept_out_only_that_somebody_was_is_stored():
    made = study(devices=["phone"], min_width_px=2000)
    assert screen_visitor(study=made, environment=LAPTOP) == ["width", "device"]
    event = Event.objects.get(kind="visitor_screened_out")
    assert event.participant is None
    assert event.data == {"reasons": ["width", "device"], "kind": "person"}
    assert not Participant.objects.exists()


@pytest.mark.django_db
def test_who_may_come_in_leaves_no_trace_yet():
    made = study(devices=["desktop"])
    assert screen_visitor(study=made, environment=LAPTOP) == []
    assert screen_visitor(study=study(), environment=None) == []
    assert not Event.objects.filter(kind="visitor_screened_out").exists()


@pytest.mark.django_db
def test_where_nothing_was_measured_nobody_is_judged():
    with pytest.raises(DomainError, match="switch on JavaScript") as raised:
        screen_visitor(study=study(min_width_px=800), environment=None)
    assert raised.value.code == "not_measured"


@pytest.mark.django_db
def test_a_study_whose_rules_cannot_be_read_says_so():
    made = study()
    made.screening = {"devices": "phone"}
    with pytest.raises(DomainError, match="not set up correctly"):
        screen_visitor(study=made, environment=LAPTOP)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"screening": {"devices": "phone"}}, "screening that can be applied .devices must"),
        ({"entry": "sona", "service_settings": {"host": "x"}}, "fit .host must end in"),
    ],
)
def test_a_study_is_not_launched_with_rules_that_nobody_could_meet(fields, words):
    with pytest.raises(DomainError, match=words):
        factories.study(workspace=factories.workspace(), **fields)
