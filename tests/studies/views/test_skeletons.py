"""A page whose blanks were filled is the page that its template gives, to the byte."""

import re

import pytest
from django.test import Client

from studies.models import ParticipantKind
from studies.services import design, lifecycle
from studies.services.pilot import pilot_link_token
from studies.views.participant import trials
from studies.views.participant.skeletons import BLANK, MARK
from tests.studies import factories
from tests.studies.views.test_participant import agree, answer, at, current_trial, hidden_fields

pytestmark = pytest.mark.django_db
# What is drawn anew for every page.
DRAWN = (r'nonce="[^"]*"', r'name="csrfmiddlewaretoken" value="[^"]*"', r'name="key" value="[^"]*"')
DRAWN_HEADERS = ("Content-Security-Policy", "Expires")
LOOKS = {
    "plain": {},
    "German": {"language": "de"},
    "right to left": {"language": "ar"},
    "smooth": {"smooth_images": True},
    "zoom": {"zoom": True},
    "limited exposure": {"exposure_ms": 500},
    "no number keys": {"number_keys": False},
    "a title that is escaped": {"title": "Art <b>&</b> “craft”"},
}


def without_drawn(page):
    page = page.decode()
    for pattern in DRAWN:
        page, n = re.subn(pattern, "", page)
        assert n, pattern
    return page


def both_ways(client, monkeypatch):
    """The page of the trial by its skeleton, and by the template."""
    client.get(at("trial"))
    quick = client.get(at("trial"))
    assert quick.context is None, "the template was rendered"
    with monkeypatch.context() as patched:
        patched.setattr(trials, "standing_of", lambda *_: None)
        whole = client.get(at("trial"))
    kept = [
        {name: value for name, value in page.headers.items() if name not in DRAWN_HEADERS}
        for page in (quick, whole)
    ]
    assert kept[0] == kept[1]
    return quick, whole


def begin(client, study):
    agree(client, study)
    page = client.get(at("step")).content.decode()
    client.post(at("step"), hidden_fields(page))


@pytest.mark.parametrize("look", LOOKS)
def test_pages_are_what_the_template_gives(client, monkeypatch, look):
    study = factories.study(
        workspace=factories.workspace(), slug="art", questions=("creativity_likert", "four_labels"),
        **LOOKS[look],
    )  # fmt: skip
    begin(client, study)
    for _ in range(3):
        quick, whole = both_ways(client, monkeypatch)
        assert without_drawn(quick.content) == without_drawn(whole.content)
        answer(client, current_trial(client))


def test_so_are_those_with_a_reference_and_with_a_check(client, monkeypatch):
    study = factories.study(workspace=factories.workspace(), slug="art", state="draft")
    results = study.scan.results.order_by("-pk")[:2]
    study.study_images.filter(image__in=[each.image_id for each in results]).delete()
    reference, checked = (each.image for each in results)
    design.add_images(study=study, images=[(reference, "")], role="reference")
    (check_image,) = design.add_images(study=study, images=[(checked, "")], role="check")
    design.add_check(
        study=study, kind="attention", study_image=check_image, question=study.questions.get(),
        expected=[1], instruction="Choose <1>, “please”",
    )  # fmt: skip
    lifecycle.change_state(study=study, act="launch")
    begin(client, study)
    instructed = 0
    for _ in range(5):
        quick, whole = both_ways(client, monkeypatch)
        assert without_drawn(quick.content) == without_drawn(whole.content)
        instructed += b"Choose &lt;1&gt;" in quick.content
        answer(client, current_trial(client))
    assert instructed == 1


def test_so_are_those_of_pilots(monkeypatch):
    study = factories.study(workspace=factories.workspace(), slug="art")
    client = Client()
    page = client.get(at("landing"), {"pilot": pilot_link_token(study)})
    page = client.get(re.search(r'href="([^"]*consent[^"]*)"', page.content.decode())[1])
    client.post(at("consent"), hidden_fields(page.content.decode()))
    begin_page = client.get(at("step")).content.decode()
    client.post(at("step"), hidden_fields(begin_page))
    assert study.participants.get().kind == ParticipantKind.PILOT
    quick, whole = both_ways(client, monkeypatch)
    assert b"Pilot:" in quick.content
    assert without_drawn(quick.content) == without_drawn(whole.content)


def test_no_blank_is_left_and_no_text_opens_one(client):
    title = "\x02csrf_token\x03 {{ csrf_token }}"
    study = factories.study(workspace=factories.workspace(), slug="art", title=title)
    begin(client, study)
    for _ in range(2):
        page = client.get(at("trial")).content.decode()
        assert MARK not in page
        assert not BLANK.search(page)
        assert "\x02csrf_token\x03 {{ csrf_token }}</title>" in page
