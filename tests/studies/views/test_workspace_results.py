"""The results page, its figures, and API tokens."""

import html
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from knox.models import AuthToken

from studies.models import AnalysisRun, ParticipantKind, Role, StudyState
from studies.services.analysis import analyse
from studies.services.simulation import simulate_raters
from tests.studies import factories

pytestmark = pytest.mark.django_db
BOTH = ("creativity_likert", "four_labels")
SIMULATED_WORDS = "Simulated raters: nothing here was said by people."


@pytest.fixture
def lab():
    return factories.workspace()


@pytest.fixture
def owner(client, lab):
    client.force_login(factories.user(Role.OWNER, workspace=lab))
    return client


@pytest.fixture
def study(lab):
    """Rated by four people."""
    made = factories.study(n_images=12, workspace=lab, questions=BOTH, trials_per_participant=8)
    for seed in range(4):
        factories.rated_participant(made, seed=seed)
    return made


@pytest.fixture
def analysed(study):
    analyse(study=study)
    return study


def at(name, study, *args):
    return reverse(f"workspace:{name}", args=[study.slug, *args])


def text(response):
    """What a page says, without its tags."""
    words = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", html.unescape(words))


def test_the_page_says_what_the_analysis_says(owner, analysed):
    page = owner.get(at("results", analysed))
    result = AnalysisRun.objects.get().result
    words = text(page)
    for question in result["questions"]:
        assert question["sentence"] in words
    association = result["questions"][0]["associations"][0]
    assert f"Spearman’s ρ {association['estimate']:.2f}".replace("-", "−") in words


def test_peoples_results_carry_no_banner(owner, analysed):
    assert SIMULATED_WORDS not in text(owner.get(at("results", analysed)))


def test_simulated_results_carry_a_banner(owner, lab):
    study = factories.study(workspace=lab)
    factories.rated_participant(study, ParticipantKind.SIMULATED)
    analyse(study=study)
    page = owner.get(at("results", study))
    assert SIMULATED_WORDS in text(page)
    assert 'role="note"' in page.content.decode()


def test_peoples_and_simulated_ratings_are_switched_never_mixed(owner, study):
    factories.rated_participant(study, ParticipantKind.SIMULATED, seed=99)
    for kind in ("person", "simulated"):
        analyse(study=study, kind=kind)
    people = owner.get(at("results", study))
    assert SIMULATED_WORDS not in text(people)
    assert "?raters=simulated" in people.content.decode()
    assert people.context["result"]["n_raters"] == 4
    simulated = owner.get(at("results", study), {"raters": "simulated"})
    assert SIMULATED_WORDS in text(simulated)
    assert simulated.context["result"]["n_raters"] == 1


@pytest.mark.parametrize("state", list(StudyState))
def test_without_ratings_the_page_says_what_is_missing(owner, lab, state):
    study = factories.study(workspace=lab, state=state)
    response = owner.get(at("results", study))
    assert response.status_code == 200
    assert "No results yet" in text(response)


def test_raters_that_do_not_exist_are_named_as_such(owner, study):
    response = owner.get(at("results", study), {"raters": "robots"})
    assert response.status_code == 404
    assert "person" in text(response)


def test_a_stratum_cannot_bring_markup_into_the_page(owner, study):
    study.study_images.update(stratum="<b>x</b>")
    analyse(study=study)
    page = owner.get(at("results", study)).content.decode()
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page


def test_pilot_figures_carry_a_watermark_and_their_page_a_banner(owner, study):
    factories.rated_participant(study, ParticipantKind.PILOT, seed=99)
    analyse(study=study, kind="pilot")
    pilot = {"raters": "pilot"}
    answer = owner.get(at("figure", study, "creativity", "size", "json"), pilot)
    assert "pilot participants" in answer.content.decode().lower()
    assert "Pilot participants: this is not" in text(owner.get(at("results", study), pilot))


def test_figures_come_as_specification_svg_png_and_pdf(owner, analysed):
    for name in ("size", "score", "labels"):
        specification = owner.get(at("figure", analysed, "label", name, "json")).json()
        assert "vega-lite" in specification["$schema"]
        svg = owner.get(at("figure", analysed, "label", name, "svg"))
        assert svg.content.startswith(b"<svg")
        png = owner.get(at("figure", analysed, "label", name, "png"))
        assert png.content.startswith(b"\x89PNG")
        assert png["Content-Type"] == "image/png"
        pdf = owner.get(at("figure", analysed, "label", name, "pdf"))
        assert pdf.content.startswith(b"%PDF-")
        assert pdf["Content-Type"] == "application/pdf"


def test_dots_carry_the_public_ids_of_their_images(owner, analysed):
    answer = owner.get(at("figure", analysed, "creativity", "size", "json"))
    shown = analysed.study_images.values_list("image__public_id", flat=True)
    drawn = re.findall(r'"image": "([^"]{22})"', answer.content.decode())
    assert drawn
    assert set(drawn) <= set(shown)


def test_simulated_figures_carry_a_watermark(owner, study):
    factories.rated_participant(study, ParticipantKind.SIMULATED, seed=99)
    for kind in ("person", "simulated"):
        analyse(study=study, kind=kind)
    where = at("figure", study, "creativity", "size", "json")
    assert "simulated raters" not in owner.get(where).content.decode().lower()
    answer = owner.get(where, {"raters": "simulated"})
    assert "simulated raters" in answer.content.decode().lower()


def test_the_theme_follows_the_page(owner, analysed):
    where = at("figure", analysed, "creativity", "size", "json")
    light, dark = (owner.get(where, {"theme": theme}).json() for theme in ("light", "dark"))
    assert light["config"] != dark["config"]


def test_a_figure_that_cannot_be_drawn_is_not_there(owner, analysed):
    for question, name, query in (
        ("creativity", "labels", {}),
        ("nothing", "size", {}),
        ("creativity", "size", {"raters": "pilot"}),
        ("creativity", "size", {"raters": "robots"}),
    ):
        response = owner.get(at("figure", analysed, question, name, "json"), query)
        assert response.status_code == 404


def test_a_figure_of_what_was_not_analysed_is_not_there(owner, study):
    assert owner.get(at("figure", study, "creativity", "size", "json")).status_code == 404


def test_the_number_of_queries_does_not_grow_with_ratings(owner, lab):
    counts = []
    for n in (10, 20):
        study = factories.study(n_images=n, workspace=lab, trials_per_participant=n)
        for seed in range(3):
            factories.rated_participant(study, seed=seed)
        analyse(study=study)
        owner.get(at("results", study))
        with CaptureQueriesContext(connection) as queries:
            owner.get(at("results", study))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_token_is_shown_once_and_works(owner):
    where = reverse("workspace:tokens")
    token = owner.post(where).context["new_token"]
    assert token not in owner.get(where).content.decode()
    owner.logout()
    response = owner.get("/api/v1/studies/", headers={"Authorization": f"Token {token}"})
    assert response.status_code == 200


def test_a_revoked_token_is_refused(owner):
    token = owner.post(reverse("workspace:tokens")).context["new_token"]
    key = AuthToken.objects.get().token_key
    owner.post(reverse("workspace:revoke-token"), {"key": key})
    owner.logout()
    response = owner.get("/api/v1/studies/", headers={"Authorization": f"Token {token}"})
    assert response.status_code == 401


def test_nobody_revokes_anothers_token(owner, client, lab):
    owner.post(reverse("workspace:tokens"))
    key = AuthToken.objects.get().token_key
    client.force_login(factories.user(Role.OWNER, workspace=lab))
    response = client.post(reverse("workspace:revoke-token"), {"key": key}, follow=True)
    assert "Nothing was changed" in text(response)
    assert AuthToken.objects.count() == 1


@pytest.mark.parametrize(
    "preset", ["creativity_vas", "pairwise_tournament", "best_worst_creativity"]
)
def test_every_kind_of_question_has_its_page_and_figure(owner, lab, preset):
    study = factories.study(8, workspace=lab, questions=[preset])
    simulate_raters(study=study, n_raters=10, seed=1)
    analyse(study=study)
    page = owner.get(at("results", study))
    key = study.questions.get().key
    assert page.context["result"]["questions"][0]["sentence"] in text(page)
    figure = owner.get(at("figure", study, key, "size", "svg"))
    assert figure.status_code == 200
