"""The list of studies, and a study's overview and images."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from studies.models import Event, ParticipantKind, Role, StudyState
from studies.services.decisions import decide
from studies.services.leaving import withdraw_participant
from studies.views.workspace.coverage import heat_of
from tests.studies import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def lab():
    return factories.workspace()


@pytest.fixture
def owner(client, lab):
    """A client that an owner of the lab is signed in with."""
    client.force_login(factories.user(Role.OWNER, workspace=lab))
    return client


def at(name, study):
    return reverse(f"workspace:{name}", args=[study.slug])


def text(response):
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def n_queries(client, address):
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_without_studies_the_list_says_what_to_do(owner):
    assert "python manage.py demo" in text(owner.get(reverse("workspace:studies")))


def test_the_list_counts_people_and_simulated_raters_apart(owner, lab):
    study = factories.study(workspace=lab)
    factories.rated_participant(study, seed=1)
    factories.participant(study, seed=2)
    factories.rated_participant(study, ParticipantKind.SIMULATED, seed=3)
    words = text(owner.get(reverse("workspace:studies")))
    assert "Running 8 1 of 2 1" in words


def test_the_overview_tells_what_happened(owner, lab):
    study = factories.study(workspace=lab, questions=["creativity_likert", "four_labels"])
    factories.rated_participant(study, seed=1)
    withdraw_participant(participant=factories.participant(study, seed=2))
    words = text(owner.get(at("study", study)))
    assert f"http://testserver/s/{study.slug}/" in words
    assert "People 0 0 1 1 0 0 2" in words
    assert "From 0 to 1 per image, median 0.5; 4 in all." in words
    assert "Which label fits this image best?" in words
    assert "Berk–Jones" in words


def test_simulated_raters_have_a_strip_of_their_own(owner, lab):
    study = factories.study(workspace=lab)
    assert "By simulated raters" not in text(owner.get(at("study", study)))
    factories.rated_participant(study, ParticipantKind.SIMULATED)
    words = text(owner.get(at("study", study)))
    assert "By people None yet." in words
    assert "By simulated raters From 0 to 1 per image" in words


def test_a_draft_that_lacks_something_says_what(owner, lab):
    study = factories.study(workspace=lab, questions=[], state=StudyState.DRAFT)
    page = owner.get(at("study", study))
    assert "this study needs a question" in text(page)
    assert re.search(r'value="launch" disabled', page.content.decode())


@pytest.mark.parametrize(
    ("before", "act", "after"),
    [
        (StudyState.DRAFT, "launch", StudyState.RUNNING),
        (StudyState.RUNNING, "pause", StudyState.PAUSED),
        (StudyState.PAUSED, "resume", StudyState.RUNNING),
        (StudyState.PAUSED, "close", StudyState.CLOSED),
    ],
)
def test_acts_change_the_state_and_are_logged_with_who_did_them(owner, lab, before, act, after):
    study = factories.study(workspace=lab, state=before)
    response = owner.post(at("change-state", study), {"act": act}, follow=True)
    study.refresh_from_db()
    assert study.state == after
    assert 'class="message good"' in response.content.decode()
    event = Event.objects.filter(study=study).latest("pk")
    assert event.actor.username == response.context["request"].user.username


@pytest.mark.parametrize("act", ["resume", "launch", "explode", ""])
def test_an_act_that_is_not_allowed_changes_nothing_and_says_so(owner, lab, act):
    study = factories.study(workspace=lab)
    response = owner.post(at("change-state", study), {"act": act}, follow=True)
    study.refresh_from_db()
    assert study.state == StudyState.RUNNING
    assert "Nothing was changed" in text(response)


def test_closing_asks_with_counts_and_without_script(owner, lab):
    study = factories.study(workspace=lab)
    factories.participant(study, seed=1)
    factories.rated_participant(study, seed=2)
    page = owner.get(at("study", study) + "?confirm=close")
    assert "<dialog" in page.content.decode()
    assert re.search(r"<dialog[^>]* open>", page.content.decode())
    assert "1 participant is in the middle of it" in text(page)
    assert "4 by people" in text(page)


def test_viewers_are_offered_no_acts(client, lab):
    client.force_login(factories.user(Role.VIEWER, workspace=lab))
    study = factories.study(workspace=lab)
    page = client.get(at("study", study)).content.decode()
    for act in ("pause", "close"):
        assert f'value="{act}"' not in page
    # What they may see they may also take away.
    assert "Export data" in page


@pytest.mark.parametrize("key", ["process", "stratum", "size", "score", "group", "people"])
def test_images_are_sorted_both_ways(owner, lab, key):
    study = factories.study(workspace=lab)
    factories.rated_participant(study)
    rows = [
        [row.pk for row in owner.get(at("study-images", study), {"sort": sort}).context["page"]]
        for sort in (key, f"-{key}")
    ]
    assert sorted(rows[0]) == sorted(rows[1])
    assert rows[0] != rows[1]


def test_sizes_are_sorted_by_number(owner, lab):
    study = factories.study(n_images=12, workspace=lab)
    page = owner.get(at("study-images", study), {"sort": "-size"})
    sizes = [row.size for row in page.context["page"]]
    assert sizes == sorted(sizes, reverse=True)
    assert 'aria-sort="descending"' in page.content.decode()


@pytest.mark.parametrize("query", [{"sort": "nodes"}, {"sort": "-"}, {"page": "x"}, {"page": "99"}])
def test_an_order_or_page_that_is_not_there_shows_the_nearest(owner, lab, query):
    study = factories.study(workspace=lab)
    response = owner.get(at("study-images", study), query)
    assert response.status_code == 200
    assert len(response.context["page"]) == 8


@pytest.mark.parametrize("name", ["study", "study-images"])
def test_the_number_of_queries_does_not_grow_with_rows(owner, lab, name):
    counts = []
    for n in (10, 20):
        study = factories.study(n_images=n, workspace=lab)
        for seed in range(n):
            factories.rated_participant(study, seed=seed, n_trials=1)
        counts.append(n_queries(owner, at(name, study)))
    assert counts[0] == counts[1]


def test_the_number_of_queries_of_the_list_does_not_grow_with_studies(owner, lab):
    scan = factories.scan(workspace=lab)
    counts = []
    for _ in range(2):
        for _ in range(10):
            factories.study(workspace=lab, of=scan)
        counts.append(n_queries(owner, reverse("workspace:studies")))
    assert counts[0] == counts[1]


def test_the_overview_tells_how_taking_part_ended_and_what_became_of_slots(owner, lab):
    study = factories.study(workspace=lab, ratings_target=2, reserve=1)
    excluded = factories.rated_participant(study, seed=1)
    factories.rated_participant(study, seed=2, n_trials=1)
    withdraw_participant(participant=factories.participant(study, seed=3))
    decide(participant=excluded, verdict="excluded", reason="Too fast.")
    words = text(owner.get(at("study", study)))
    assert "Kind Completed Withdrew Excluded now People 1 1 1" in words
    assert "On the way Rated Given back Image not shown People 3 5 4 0" in words
    assert "Wanted are 2 ratings of each image; up to 1 more may be assigned in reserve." in words
    assert "0 of 8 images have what is wanted." in words


def test_pilot_and_simulated_participants_are_marked_in_every_table(owner, lab):
    study = factories.study(workspace=lab)
    for kind in ParticipantKind:
        factories.rated_participant(study, kind, seed=len(kind))
    page = owner.get(at("study", study)).content.decode()
    assert page.count('<tr class="simulated"><th scope="row">Pilot') == 3
    assert page.count('<tr class="simulated"><th scope="row">Simulated') == 3


def test_a_draft_has_neither_ends_nor_slots(owner, lab):
    words = text(owner.get(at("study", factories.study(workspace=lab, state="draft"))))
    assert "How it ended" not in words
    assert "Given back" not in words


def cells(heat):
    return [
        (stratum.name, [(cell.n, cell.level) for cell in stratum.cells]) for stratum in heat.strata
    ]


def test_heat_is_from_none_to_most():
    heat = heat_of("person", [("a", 1, 0), ("a", 1, 1), ("b", 10, 10), ("b", 6, 4)])
    assert cells(heat) == [("a", [(0, 0), (1, 1)]), ("b", [(10, 5), (4, 2)])]
    assert (heat.fewest, heat.median, heat.most, heat.n_ratings) == (0, 2.5, 10, 15)
    assert heat.n_open == 3


def test_heat_is_full_where_the_target_is_reached_and_only_there():
    heat = heat_of("person", [("a", 9, 9), ("a", 10, 10), ("a", 12, 12), ("a", 0, 0)], target=10)
    assert cells(heat) == [("a", [(9, 4), (10, 5), (12, 5), (0, 0)])]
    assert (heat.n_reached, heat.full) == (2, 10)


def test_heat_of_no_images_is_empty():
    heat = heat_of("person", [])
    assert (heat.strata, heat.n_ratings, heat.most, heat.median) == ([], 0, 0, 0)
