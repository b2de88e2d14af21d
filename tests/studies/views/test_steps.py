"""Blocks, ends and coming back, as pages without JavaScript."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from studies.models import BlockKind, Coverage, ItemAnswer, Outcome, Participant, Response
from studies.services import design
from studies.services.lifecycle import change_state
from tests.studies import factories
from tests.studies.views.test_participant import agree, at, current_trial, hidden_fields

pytestmark = pytest.mark.django_db


def draft(**fields):
    return factories.study(
        6, workspace=factories.workspace(), state="draft", slug="art",
        **{"trials_per_participant": 2, **fields},
    )  # fmt: skip


def with_check():
    study = draft()
    block = design.add_block(study=study, kind=BlockKind.COMPREHENSION, position=2)
    design.add_item(
        block=block, key="task", kind="likert", text="How many points are there?",
        options={"points": 5, "low": "One", "high": "Five"}, correct=[5],
    )  # fmt: skip
    design.set_code(study=study, outcome=Outcome.COMPREHENSION, code="NOT-CLEAR")
    return change_state(study=study, act="launch")


def press(client, **answers):
    """Send the form of the block that is on the page."""
    page = client.get(at("step")).content.decode()
    sent = {f"answer-{key}": value for key, value in answers.items()}
    return client.post(at("step"), hidden_fields(page) | sent)


def answer(client, value="5", **more):
    return client.post(
        at("trial"), {"trial": current_trial(client), "answer-creativity": value, **more}
    )


def test_a_check_not_passed_twice_ends_with_its_own_code(client):
    study = with_check()
    agree(client, study)
    press(client)
    assert "Not every answer was right" not in client.get(at("step")).content.decode()
    first = hidden_fields(client.get(at("step")).content.decode()) | {"answer-task": "1"}
    for _ in range(2):  # a double click, or a reload, is one attempt
        assert client.post(at("step"), first).url == at("step")
    assert "Not every answer was right" in client.get(at("step")).content.decode()
    assert press(client, task="2").url == at("debrief")
    page = client.get(at("debrief")).content.decode()
    assert "Thank you for trying" in page
    assert "NOT-CLEAR" in page
    assert "MUSE-1234" not in page
    assert client.get(at("trial")).url == at("debrief")
    assert not Coverage.objects.filter(n_assigned__gt=0).exists()


def test_an_item_without_an_answer_is_asked_for(client):
    study = with_check()
    agree(client, study)
    press(client)
    response = press(client, task="")
    assert response.status_code == 422
    assert "Please answer this question." in response.content.decode()
    assert not ItemAnswer.objects.exists()


def test_a_block_sent_again_after_the_back_button_changes_nothing(client):
    study = with_check()
    agree(client, study)
    first = hidden_fields(client.get(at("step")).content.decode())
    client.post(at("step"), first)
    client.post(at("step"), first)
    assert Participant.objects.get().at_block == 2
    for block in ("", "9", "x", "-1", "٢"):
        client.post(at("step"), first | {"block": block, "answer-task": "5"})
    assert Participant.objects.get().at_block == 2


def test_over_quota_is_a_kind_page_with_the_right_code(client):
    study = draft(ratings_target=1, trials_per_participant=6)
    design.set_code(study=study, outcome=Outcome.OVER_QUOTA, code="ENOUGH")
    change_state(study=study, act="launch")
    factories.participant(study)
    agree(client, study)
    assert press(client).url == at("debrief")
    page = client.get(at("debrief")).content.decode()
    assert "we have all the answers that we need" in page
    assert "ENOUGH" in page
    assert "MUSE-1234" not in page


def test_who_comes_back_after_a_silence_goes_on_by_pressing_a_button(client):
    study = change_state(study=draft(ratings_target=1, trials_per_participant=3), act="launch")
    agree(client, study)
    press(client)
    answer(client)
    late = timezone.now() - timedelta(minutes=31)
    Participant.objects.update(last_active_at=late)
    factories.participant(study, seed=2)
    before = list(Coverage.objects.order_by("pk").values_list("n_assigned", flat=True))
    page = client.get(at("trial")).content.decode()
    assert "Welcome back" in page
    assert list(Coverage.objects.order_by("pk").values_list("n_assigned", flat=True)) == before
    response = client.post(at("trial"), {"come_back": "yes"})
    assert response.status_code == 303
    assert Response.objects.count() == 1
    limits = Coverage.objects.values_list("n_assigned", flat=True)
    assert max(limits) == 1


def test_pairs_and_rankings_need_no_javascript(client):
    study = draft()
    study.questions.all().delete()
    design.add_question(
        study=study, key="rank", kind="ranking", text="In order, please.", options={"k": 3}
    )
    change_state(study=study, act="launch")
    agree(client, study)
    press(client)
    for ranks in (("2", "1", "2"), ("1", "2", ""), ("1", "2", "4")):
        sent = {f"answer-rank.{i}": place for i, place in enumerate(ranks, start=1)}
        response = client.post(at("trial"), {"trial": current_trial(client), **sent})
        assert response.status_code == 422
    sent = {"answer-rank.1": "3", "answer-rank.2": "1", "answer-rank.3": "2"}
    client.post(at("trial"), {"trial": current_trial(client), **sent})
    assert Response.objects.get().value == [3, 1, 2]


def test_a_changed_answer_is_one_answer(client):
    study = change_state(study=draft(allow_changes=True), act="launch")
    agree(client, study)
    press(client)
    first = current_trial(client)
    answer(client, "2")
    page = client.get(f"{at('trial')}?change={first}").content.decode()
    fields = hidden_fields(page)
    assert fields["replaces"] == "yes"
    client.post(at("trial"), fields | {"answer-creativity": "7"})
    client.post(at("trial"), fields | {"answer-creativity": "7"})
    response = Response.objects.get()
    assert response.value == 7
    assert [each.value for each in response.revisions.all()] == [2]


def test_a_change_that_is_not_allowed_is_asked_for_on_the_same_image(client):
    study = change_state(study=draft(allow_changes=True), act="launch")
    agree(client, study)
    press(client)
    first = current_trial(client)
    answer(client, "2")
    fields = hidden_fields(client.get(f"{at('trial')}?change={first}").content.decode())
    response = client.post(at("trial"), fields | {"answer-creativity": "9"})
    assert response.status_code == 422
    again = hidden_fields(response.content.decode())
    assert (again["trial"], again["replaces"]) == (first, "yes")
    assert Response.objects.get().value == 2


def test_the_way_out_is_on_every_page(client):
    study = with_check()
    agree(client, study)
    stop = f'href="{reverse("participant:stop", args=["art"])}"'
    assert stop in client.get(at("step")).content.decode()
    press(client)
    assert stop in client.get(at("step")).content.decode()
    press(client, task="5")
    assert stop in client.get(at("trial")).content.decode()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "x",
        "[]",
        "null",
        '{"answers": 3}',
        '{"answers": {"a": {}}}',
        "{" * 5000,
        '"' + "x" * 200_000,
    ],
)
def test_what_is_no_answer_is_refused_in_words(client, body):
    study = change_state(study=draft(), act="launch")
    agree(client, study)
    press(client)
    response = client.post(at("answers"), body, content_type="application/json")
    assert response.status_code in {400, 403}
    assert set(response.json()) == {"code", "detail", "fields"}
    assert not Response.objects.exists()


def test_the_script_is_told_of_a_pause(client):
    study = change_state(study=draft(), act="launch")
    agree(client, study)
    press(client)
    sent = {"trial": current_trial(client), "answers": {"creativity": "5"}}
    change_state(study=study, act="pause")
    response = client.post(at("answers"), sent, content_type="application/json")
    assert response.status_code == 503
    assert "paused" in response.json()["detail"]
    change_state(study=study, act="resume")
    told = client.post(at("answers"), sent, content_type="application/json").json()
    assert (told["saved"], told["done"], told["total"], len(told["trials"])) == (True, 1, 2, 1)
    # The same again is held, and said to be.
    assert client.post(at("answers"), sent, content_type="application/json").json()["saved"]
    assert Response.objects.count() == 1
