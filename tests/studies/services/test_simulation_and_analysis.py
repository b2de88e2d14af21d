"""Simulated raters go the way of people, and the analysis never mixes them."""

import numpy as np
import pytest
from scipy import stats

from studies import queries
from studies.errors import DomainError
from studies.models import AnalysisRun, Participant, ParticipantKind, ParticipantState, Response
from studies.services.analysis import analyse, inputs
from studies.services.simulation import RaterModel, simulate_raters
from tests.studies import factories

BOTH = ("creativity_likert", "four_labels")


@pytest.fixture
def study(db):
    return factories.study(
        24, questions=BOTH, workspace=factories.workspace(), trials_per_participant=16
    )


def simulate(study, n=6, **changes):
    return simulate_raters(study=study, n_raters=n, seed=1, **changes)


def test_simulated_raters_finish_and_are_marked(study):
    assert simulate(study) == 6
    raters = Participant.objects.all()
    assert {r.kind for r in raters} == {ParticipantKind.SIMULATED}
    assert {r.state for r in raters} == {ParticipantState.FINISHED}
    assert Response.objects.count() == 6 * 16 * 2
    assert study.events.filter(kind="rater_simulated").first().data["size_effect"] == 0.5


def test_simulating_again_adds_only_who_is_missing(study):
    simulate(study, 3)
    answers = list(Response.objects.order_by("pk").values_list("value", flat=True))
    assert simulate(study, 5) == 2
    assert simulate(study, 5) == 0
    assert Participant.objects.count() == 5
    assert list(Response.objects.order_by("pk").values_list("value", flat=True))[
        : len(answers)
    ] == (answers)


def test_a_simulated_rater_who_was_interrupted_goes_on(study, monkeypatch):
    from studies.services import simulation

    real, calls = simulation.record_answers, []

    def breaks_off(**given):
        calls.append(given)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return real(**given)

    monkeypatch.setattr(simulation, "record_answers", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        simulate(study, 1)
    monkeypatch.undo()
    simulate(study, 1)
    assert Participant.objects.get().state == ParticipantState.FINISHED
    order = ("trial__position", "question__position")
    interrupted = list(Response.objects.order_by(*order).values_list("value", flat=True))
    other = factories.study(
        24, questions=BOTH, workspace=study.workspace, trials_per_participant=16, of=study.scan
    )
    simulate(other, 1)
    whole = Response.objects.filter(trial__participant__study=other).order_by(*order)
    assert list(whole.values_list("value", flat=True)) == interrupted


def test_a_study_without_ratings_says_so(study):
    with pytest.raises(DomainError, match="No ratings by people"):
        analyse(study=study)


def test_the_simulated_effect_is_found_and_marked(study):
    simulate(study, 30, model=RaterModel(size_effect=2.0))
    result = analyse(study=study).result
    assert result["simulated"] is True
    spearman = result["questions"][0]["associations"][0]
    assert spearman["estimate"] > 0.5
    assert spearman["interval"][0] > 0
    assert (
        "Images with larger anomalous subsets were rated higher"
        in (result["questions"][0]["sentence"])
    )
    assert "30 simulated raters" in result["questions"][0]["sentence"]


def test_figures_are_those_of_the_answers(study):
    simulate(study, 6)
    question = analyse(study=study).result["questions"][0]
    means = {}
    for response in Response.objects.filter(question__key="creativity").select_related(
        "trial__study_image__image"
    ):
        means.setdefault(response.trial.study_image.image.public_id, []).append(response.number)
    for row in question["images"]:
        ratings = means.get(row["image"], [])
        assert row["n"] == len(ratings)
        assert row["mean"] == pytest.approx(np.mean(ratings)) if ratings else row["mean"] is None
    rated = [row for row in question["images"] if row["n"]]
    rho = stats.spearmanr([r["size"] for r in rated], [r["mean"] for r in rated]).statistic
    assert question["associations"][0]["estimate"] == pytest.approx(rho)


def test_people_and_simulated_raters_never_mix(study):
    simulate(study, 4)
    factories.rated_participant(study, answers=lambda trial, qs: {"creativity": "7",
                                                                  "label": "creative"})  # fmt: skip
    people = analyse(study=study).result
    assert (people["kind"], people["simulated"], people["n_raters"]) == ("person", False, 1)
    assert people["other_kinds"] == ["simulated"]
    assert {row["mean"] for row in people["questions"][0]["images"]} == {7.0, None}
    simulated = analyse(study=study, kind="simulated").result
    assert simulated["n_raters"] == 4
    assert len(queries.ratings_frame(study, "simulated")) == 4 * 16 * 2


def test_an_undefined_coefficient_is_explained(study):
    factories.rated_participant(study, answers=lambda trial, qs: {"creativity": "7",
                                                                  "label": "creative"})  # fmt: skip
    question = analyse(study=study).result["questions"][0]
    assert question["associations"][0]["estimate"] is None
    assert question["associations"][0]["warnings"]
    assert "cannot be said yet" in question["sentence"]
    assert question["reliability"]["krippendorff"]["estimate"] is None


def test_an_analysis_is_kept_until_the_data_change(study):
    simulate(study, 3)
    first = analyse(study=study)
    assert analyse(study=study).pk == first.pk
    simulate(study, 4)
    second = analyse(study=study)
    assert second.pk != first.pk
    assert AnalysisRun.objects.count() == 2


def test_the_same_data_and_seed_give_the_same_figures(study, monkeypatch):
    simulate(study, 3)
    first = analyse(study=study)
    result = first.result
    first.delete()
    assert analyse(study=study).result == result
    monkeypatch.setattr(inputs, "code_version", lambda: "another")
    assert analyse(study=study).versions["musescan"] == "another"
    assert AnalysisRun.objects.count() == 2


def test_an_unknown_kind_of_raters_lists_the_known(study):
    with pytest.raises(DomainError, match="person, pilot, simulated; got 'robots'"):
        analyse(study=study, kind="robots")
