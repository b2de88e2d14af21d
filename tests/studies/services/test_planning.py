"""A plan's assumptions: what is given goes before the pilot, the pilot before defaults."""

import dataclasses

import pytest

from studies.errors import DomainError
from studies.models import ParticipantKind
from studies.services import planning, plans
from studies.services.planning import PlanRequest
from studies.services.planning.assumptions import rating_designs, rating_models
from studies.services.planning.plans import slopes_fitted
from tests.studies import factories
from tests.studies.pilots import rate


@pytest.fixture
def study(db):
    return factories.study(
        n_images=12,
        workspace=factories.workspace(),
        questions=["creativity_likert", "four_labels"],
        trials_per_participant=8,
    )


@pytest.fixture
def pilot(study):
    rate(study, 8, ParticipantKind.PILOT)
    return planning.pilot_of_study(study=study)


def test_defaults_are_said_to_be_defaults():
    models, sources = rating_models(PlanRequest(effects=(0.0, 0.5)), None)
    assert [model.effect for model in models] == [0.0, 0.5]
    assert models[1].proportions() == pytest.approx([1 / 7] * 7)
    assert sources == {
        "effect": "given",
        "rater_sd": "default",
        "image_sd": "default",
        "slope_sd": "default",
        "proportions": "default",
    }


def test_the_pilot_takes_the_place_of_every_default(pilot):
    models, sources = rating_models(PlanRequest(), pilot)
    assert models == [pilot.estimates.model()]
    assert set(sources.values()) == {"pilot"}
    assert set(sources) == {"effect", "rater_sd", "image_sd", "slope_sd", "thresholds"}


def test_what_is_given_takes_the_place_of_the_pilot(pilot):
    request = PlanRequest(
        effects=(0.2,), rater_sd=0.5, reliability=(0.7, 10), proportions=(1, 2, 1), safeguard=0.6
    )
    (model,), sources = rating_models(request, pilot)
    assert (model.effect, model.rater_sd, model.n_categories) == (0.2, 0.5, 3)
    assert model.reliability(10) == pytest.approx(0.7)
    assert model.slope_sd == pilot.estimates.slope_sd
    assert sources["slope_sd"] == "pilot"
    assert {sources[name] for name in ("effect", "rater_sd", "reliability", "proportions")} == {
        "given"
    }
    assert not {"image_sd", "thresholds"} & set(sources)


def test_safeguard_lowers_the_effect_and_is_said(pilot):
    (model,), sources = rating_models(PlanRequest(safeguard=0.2), pilot)
    assert model.effect == pilot.estimates.safeguard_effect(0.2)
    assert abs(model.effect) < abs(pilot.estimates.effect)
    assert sources["effect"] == "pilot, safeguard"


def test_a_study_is_planned_to_be_analysed_with_a_slope_unless_its_pilot_allows_none(pilot):
    request = PlanRequest(slope_sd=0.0)
    assert slopes_fitted(request, None)
    assert slopes_fitted(PlanRequest(), pilot)
    without = dataclasses.replace(
        pilot, estimates=dataclasses.replace(pilot.estimates, slope_fitted=False)
    )
    assert not slopes_fitted(PlanRequest(), without)
    assert slopes_fitted(request, without)
    assert not slopes_fitted(dataclasses.replace(request, rater_slopes=False), pilot)


def test_impossible_designs_are_left_out_and_said():
    request = PlanRequest(images=(20, 40), ratings_per_image=(5, 30), raters=(10, 40))
    designs, left_out = rating_designs(request)
    assert len(designs) == 6
    assert left_out == (
        "20 images, 30 ratings each, 10 raters: ratings_per_image must not exceed n_raters (10), "
        "as nobody rates an image twice; got 30",
        "40 images, 30 ratings each, 10 raters: ratings_per_image must not exceed n_raters (10), "
        "as nobody rates an image twice; got 30",
    )


def test_small_studies_have_fewer_trials_than_the_default():
    designs, left_out = rating_designs(PlanRequest(images=(12,), ratings_per_image=(6,)))
    assert (designs[0].n_raters, designs[0].trials_per_rater) == (6, (12, 12))
    assert not left_out


def test_pilot_participants_go_before_people_and_kinds_are_not_mixed(study):
    rate(study, 7, ParticipantKind.PERSON)
    assert planning.pilot_of_study(study=study).raters == "person"
    rate(study, 8, ParticipantKind.PILOT)
    found = planning.pilot_of_study(study=study)
    assert (found.raters, found.estimates.n_raters) == ("pilot", 8)
    chosen = planning.pilot_of_study(study=study, raters="person")
    assert (chosen.raters, chosen.estimates.n_raters) == ("person", 7)
    assert not chosen.estimates.simulated


def test_simulated_raters_come_last_and_are_marked(study):
    rate(study, 8, ParticipantKind.SIMULATED)
    found = planning.pilot_of_study(study=study)
    assert found.raters == "simulated"
    assert found.to_dict()["estimates"]["simulated"] is True


def test_labels_are_planned_as_two_categories(study):
    rate(study, 8, ParticipantKind.PILOT)
    found = planning.pilot_of_study(study=study, question="label", predictor="score")
    assert (found.question, found.predictor) == ("label", "score")
    assert len(found.estimates.thresholds) == 1


@pytest.mark.parametrize(
    ("arguments", "detail"),
    [
        ({"raters": "simulated"}, "has no ratings by simulated raters to plan with"),
        ({"question": "beauty"}, "question must be one of .*; got 'beauty'"),
        ({"predictor": "colour"}, "predictor must be size or score; got 'colour'"),
    ],
)
def test_unusable_pilots_are_refused(study, arguments, detail):
    rate(study, 2, ParticipantKind.PILOT)
    with pytest.raises(DomainError, match=detail):
        planning.pilot_of_study(study=study, **arguments)


def test_a_study_without_ratings_is_refused(study):
    with pytest.raises(DomainError, match="has no ratings by anybody to plan with"):
        planning.pilot_of_study(study=study)


def test_a_study_of_words_alone_is_refused(study):
    rate(study, 1)
    study.questions.update(kind="text")
    with pytest.raises(DomainError, match="has no question that can be planned with"):
        planning.pilot_of_study(study=study)


def test_a_study_without_a_scan_is_refused(study):
    study.scan = None
    with pytest.raises(DomainError, match="has no scan"):
        planning.pilot_of_study(study=study)


def test_places_on_a_line_are_planned_as_places_and_by_the_linear_model(db):
    study = factories.study(
        n_images=12,
        workspace=factories.workspace(),
        questions=["creativity_vas"],
        trials_per_participant=8,
    )
    rate(study, 8, ParticipantKind.PILOT)
    pilot = planning.pilot_of_study(study=study)
    assert (pilot.question, pilot.analysis) == ("creativity_vas", "lmm")
    assert len(pilot.values) == len(pilot.estimates.thresholds) + 1
    assert list(pilot.values) == sorted(pilot.values)
    assert any("in points of the line" in said for said in pilot.estimates.warnings)
    request = PlanRequest(images=(12,), ratings_per_image=(4,), n_replicates=3)
    made = planning.make_plan(request=request, pilot=pilot)
    assert planning.width_unit_of(made) == "points per SD"
    (cell,) = made.plan.cells
    assert cell.analysis == "lmm"
    assert cell.coverage is cell.bias is None
    # On a line from 0 to 100 an interval is many points wide, on the latent scale it is few.
    assert cell.width_mean > 5
    other_scale = dataclasses.replace(request, proportions=(1.0, 1.0, 1.0))
    assert planning.make_plan(request=other_scale, pilot=pilot).plan.cells[0].width_mean < 5


def test_the_plan_of_the_pilots_study_names_question_predictor_and_analysis(study):
    rate(study, 8, ParticipantKind.PILOT)
    assert planning.pilot_source(study=study).predictor == "size"
    plan = plans.plan_of(study)
    primary = plan.content["primary"]
    primary |= {"predictor": "score", "question": "label", "rater_slopes": False}
    study.analysis_plans.update(content=plan.content)
    source = planning.pilot_source(study=study)
    assert (source.question, source.predictor) == ("label", "score")
    chosen = planning.pilot_source(study=study, question="creativity", predictor="size")
    assert (chosen.question, chosen.predictor) == ("creativity", "size")
    assert not slopes_fitted(PlanRequest(), planning.pilot_of_study(study=study))
    primary |= {"question": "creativity", "model": "lmm"}
    study.analysis_plans.update(content=plan.content)
    pilot = planning.pilot_of_study(study=study)
    assert (pilot.analysis, pilot.values) == ("lmm", (1.0, 2.0, 3.0, 4.0, 5.0))
