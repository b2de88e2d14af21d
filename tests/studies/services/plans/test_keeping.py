"""What counts as a departure, and whom the rules of a plan leave out."""

import pytest

from studies.services import lifecycle, plans
from studies.services.decisions import decide
from studies.services.quality import set_quality_rules
from tests.studies import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return factories.study(
        state="draft", workspace=factories.workspace(), quality_rules={"min_ratings": 1}
    )


def fixed(study, **parts):
    plans.draft_plan(study=study, content=plans.default_content(study) | parts)
    lifecycle.change_state(study=study, act="launch")
    return plans.plan_of(study)


def as_planned(plan):
    content = plan.content
    return {
        "primary": dict(content["primary"]),
        "family": [dict(each) for each in content["family"]],
        "exclusions": dict(content["exclusions"]),
        "seed": content["seed"],
        "scan_sha256": content["primary"]["scan_sha256"],
    }


def what(plan, done):
    found = plans.departures(plan, done)
    assert all(set(each) == {"what", "planned", "done", "why"} for each in found)
    assert all(isinstance(value, str) and value for each in found for value in each.values())
    return [(each["what"], each["planned"], each["done"]) for each in found]


def test_what_was_planned_is_no_departure(study):
    plan = fixed(study)
    assert plans.departures(plan, as_planned(plan)) == []
    assert plans.departures(plan, {}) == []


@pytest.mark.parametrize(
    ("part", "value", "told"),
    [
        ("predictor", "score", ("predictor", "size", "score")),
        ("rater_slopes", False, ("rater slopes", "yes", "no")),
        ("link", "probit", ("link", "logit", "probit")),
        ("covariates", ["score"], ("covariates", "none", "score")),
        ("model", "lmm", ("model", "clmm", "lmm")),
    ],
)
def test_each_part_of_the_headline_is_compared(study, part, value, told):
    plan = fixed(study)
    done = as_planned(plan)
    done["primary"][part] = value
    assert what(plan, done) == [told]


def test_reasons_are_those_given(study):
    plan = fixed(study)
    done = as_planned(plan)
    done["primary"]["rater_slopes"] = False
    done["why"] = {"rater slopes": "The model with slopes did not converge."}
    (found,) = plans.departures(plan, done)
    assert found["why"] == "The model with slopes did not converge."


def test_a_headline_that_could_not_be_computed_is_one(study):
    plan = fixed(study)
    ((part, _, done),) = what(plan, as_planned(plan) | {"primary": None})
    assert (part, done) == ("primary test", "not computed")


def test_tests_left_out_and_tests_added_are(study):
    plan = fixed(study)
    done = as_planned(plan)
    done["family"] = [done["family"][0] | {"predictor": "score"}]
    assert what(plan, done) == [
        ("confirmatory test", "creativity on size (decoder.2), clmm", "not computed"),
        ("confirmatory test", "not planned", "creativity on score (decoder.2), clmm"),
    ]


def test_a_plan_that_somebody_changed_in_the_table_is_found_out(study):
    plan = fixed(study)
    plan.content["alpha"] = 0.1
    plan.save()
    plan.refresh_from_db()
    ((part, before, after),) = what(plan, {})
    assert (part, before) == ("plan", plan.sha256[:12])
    assert after != before


def test_exclusions_seed_and_scan_are_compared(study):
    plan = fixed(study, exclusions={"rules": ["max_fast_share"], "decisions": False})
    done = as_planned(plan) | {"seed": 5, "scan_sha256": "f" * 64}
    done["exclusions"] |= {
        "rules": [],
        "limits": done["exclusions"]["limits"] | {"max_fast_share": 0.3},
    }
    assert [each[0] for each in what(plan, done)] == [
        "scan results",
        "exclusion rules",
        "max_fast_share",
        "seed",
    ]


def test_a_study_that_is_over_with_fewer_raters_than_planned_departs(study):
    plan = fixed(study, n_target=500)
    done = as_planned(plan)
    assert what(plan, done | {"n_raters": None}) == []
    assert what(plan, done | {"n_raters": 500}) == []
    assert what(plan, done | {"n_raters": 24}) == [("number of raters", "500", "24")]


def always_one(trial, questions):
    return {question.key: 1 for question in questions}


def test_whom_rules_mark_is_found_by_kind_and_nobody_is_changed(study):
    fixed(study)
    same = factories.rated_participant(study, answers=always_one)
    careful = factories.rated_participant(study, seed=2)
    program = factories.rated_participant(study, "simulated", seed=3, answers=always_one)
    marked = plans.excluded_by_rules(study, "person")
    assert marked["max_same_share"] == {same.public_id}
    assert plans.excluded_by_rules(study, "simulated")["max_same_share"] == {program.public_id}
    assert plans.excluded_by_rules(study, "pilot")["max_same_share"] == set()
    assert careful.public_id not in set().union(*marked.values())
    assert marked["max_zoomed_share"] == set()
    assert not study.participants.filter(is_excluded=True).exists()


def test_whom_a_decision_left_out_is_marked_all_the_same(study):
    fixed(study)
    same = factories.rated_participant(study, answers=always_one)
    decide(participant=same, verdict="excluded", reason="a robot")
    assert plans.excluded_by_rules(study, "person")["max_same_share"] == {same.public_id}


def test_limits_set_after_fixing_do_not_change_whom_the_plan_leaves_out(study):
    fixed(study)
    same = factories.rated_participant(study, answers=always_one)
    set_quality_rules(study=study, rules={"min_ratings": 1, "max_same_share": None})
    study.refresh_from_db()
    assert plans.excluded_by_rules(study, "person")["max_same_share"] == {same.public_id}
    plans.draft_plan(study=study, content=plans.default_content(study))
    plans.fix_plan(study=study, reason="The limit was too low.")
    assert plans.excluded_by_rules(study, "person")["max_same_share"] == set()


def test_without_a_plan_the_limits_of_the_study_decide(study):
    lifecycle.change_state(study=study, act="launch")
    study.analysis_plans.all().delete()
    same = factories.rated_participant(study, answers=always_one)
    assert plans.excluded_by_rules(study, "person")["max_same_share"] == {same.public_id}
    set_quality_rules(study=study, rules={"min_ratings": 1, "max_same_share": None})
    study.refresh_from_db()
    assert plans.excluded_by_rules(study, "person")["max_same_share"] == set()
