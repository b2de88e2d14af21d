import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from studies.models import ParticipantKind
from studies.services.analysis import analyse
from tests.studies import factories


@pytest.fixture
def study(db):
    return factories.study(
        workspace=factories.workspace(), questions=["creativity_likert", "four_labels"]
    )


def output(*args, **options):
    out = StringIO()
    call_command("analyse_study", *args, stdout=out, **options)
    return out.getvalue()


def rate(study, n, kind=ParticipantKind.PERSON):
    for seed in range(n):
        factories.rated_participant(study, kind, seed=seed)


def test_json_is_what_the_results_page_shows(study):
    rate(study, 3)
    assert json.loads(output(study.slug, json=True)) == analyse(study=study).result


def test_the_table_has_every_question_with_its_sentence_and_figures(study):
    rate(study, 3)
    result = analyse(study=study).result
    text = output(study.slug)
    for question in result["questions"]:
        assert question["text"] in text
        assert question["sentence"] in " ".join(text.split())
    assert text.count("subset size, Spearman’s ρ") == 2
    assert text.count("Krippendorff’s α") == 2
    assert "3 raters (person)" in text
    assert "SIMULATED" not in text


def test_simulated_raters_are_said_loudly_and_stay_out_of_json(study):
    rate(study, 2, ParticipantKind.SIMULATED)
    text = output(study.slug)
    assert text.startswith("!!!")
    assert "SIMULATED RATERS. No person gave these ratings" in text
    assert json.loads(output(study.slug, json=True))["simulated"] is True


def test_raters_can_be_chosen(study):
    rate(study, 2)
    rate(study, 3, ParticipantKind.SIMULATED)
    assert json.loads(output(study.slug, json=True))["kind"] == "person"
    chosen = json.loads(output(study.slug, "--json", "--raters", "simulated"))
    assert (chosen["kind"], chosen["n_raters"]) == ("simulated", 3)
    assert "Also rated by: simulated" in output(study.slug)


def test_figures_that_are_not_defined_do_not_break_the_table(study):
    factories.rated_participant(study, n_trials=1)
    text = output(study.slug)
    assert "–" in text
    assert "None" not in text
    assert "Note: " in text


def test_without_ratings_it_refuses_in_one_sentence(study):
    with pytest.raises(CommandError, match="No ratings by people") as caught:
        output(study.slug)
    assert "\n" not in str(caught.value)


def test_an_unknown_study_is_refused_naming_those_there_are(study):
    with pytest.raises(CommandError, match=f"no study is called 'nope'; there are {study.slug}"):
        output("nope")


def test_where_there_is_no_study_that_is_said(db):
    with pytest.raises(CommandError, match="there are none yet"):
        output("nope")


def test_unknown_raters_are_refused(study):
    with pytest.raises(CommandError, match="invalid choice: 'robots'"):
        output(study.slug, "--raters", "robots")
