"""Drafts, fixing, amendments, and the launch that fixes what nobody did."""

import json

import pytest

from studies.errors import DomainError
from studies.models import AnalysisPlan, Event
from studies.services import design, lifecycle, plans
from studies.services.quality import set_quality_rules
from tests.studies import exported, factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return factories.study(state="draft", workspace=factories.workspace())


@pytest.fixture
def owner(study):
    return factories.user("owner", workspace=study.workspace, username="ada")


def written(study, **parts):
    return plans.default_content(study) | parts


def refused(code, act, /, **arguments):
    with pytest.raises(DomainError) as caught:
        act(**arguments)
    assert caught.value.code == code
    return caught.value


def kinds(study):
    return list(
        Event.objects.filter(study=study, kind__startswith="plan").values_list("kind", flat=True)
    )


def test_there_is_one_draft_that_each_writing_replaces(study, owner):
    first = plans.draft_plan(study=study, content=written(study), author=owner)
    second = plans.draft_plan(study=study, content=written(study, alpha=0.01), author=owner)
    assert first.pk == second.pk
    assert (second.version, second.content["alpha"], second.author) == (1, 0.01, owner)
    assert second.sha256 == plans.sha256_of(second.content)
    assert plans.plan_of(study) is None
    assert kinds(study) == ["plan_drafted"] * 2
    plans.draft_plan(study=study, content=second.content)
    assert kinds(study) == ["plan_drafted"] * 2


def test_what_does_not_fit_is_not_written(study):
    refused("bad_plan", plans.draft_plan, study=study, content=written(study, alpha=2))
    refused("bad_plan", plans.draft_plan, study=study, content=[])
    assert not AnalysisPlan.objects.exists()


def test_whoever_did_not_see_the_newest_version_is_told_and_overwrites_nothing(study, owner):
    plans.draft_plan(study=study, content=written(study), author=owner, based_on="")
    theirs = {"study": study, "content": written(study, alpha=0.01)}
    told = refused("changed_meanwhile", plans.draft_plan, **theirs, based_on="")
    assert told.detail == "ada wrote another draft meanwhile. Nothing was changed."
    seen = plans.stamp_of(plans.draft_of(study))
    refused("changed_meanwhile", plans.fix_plan, study=study, based_on="")
    plans.fix_plan(study=study, based_on=seen, author=owner)
    told = refused("changed_meanwhile", plans.draft_plan, **theirs, based_on=seen)
    assert "fixed the plan" in told.detail
    assert plans.plan_of(study).content["alpha"] == 0.05


def test_fixing_stamps_the_draft_and_nothing_is_left_to_fix(study, owner):
    plans.draft_plan(study=study, content=written(study, notes="ours"))
    plan = plans.fix_plan(study=study, author=owner)
    assert plan.fixed_at is not None
    assert (plan.author, plan.n_ratings, plan.reason) == (owner, 0, "")
    assert plans.plan_of(study) == plan
    assert kinds(study) == ["plan_drafted", "plan_fixed"]
    event = Event.objects.get(kind="plan_fixed")
    assert event.data == {"version": 1, "sha256": plan.sha256, "n_ratings": 0}
    refused("no_draft", plans.fix_plan, study=study)


def test_without_a_draft_the_default_is_fixed(study):
    assert plans.fix_plan(study=study).content["primary"]["model"] == "clmm"


def test_the_limits_in_the_plan_are_those_in_force_when_it_was_fixed(study):
    draft = plans.draft_plan(study=study, content=written(study))
    set_quality_rules(study=study, rules={"max_fast_share": 0.25})
    study.refresh_from_db()
    plan = plans.fix_plan(study=study)
    assert draft.content["exclusions"]["limits"]["max_fast_share"] == 0.1
    assert plan.content["exclusions"]["limits"]["max_fast_share"] == 0.25


def test_a_design_that_changed_after_the_draft_is_found_when_fixing(study):
    rules = {"rules": ["max_fast_share"], "decisions": True}
    plans.draft_plan(study=study, content=written(study, exclusions=rules))
    set_quality_rules(study=study, rules={"max_fast_share": None})
    study.refresh_from_db()
    told = refused("bad_plan", plans.fix_plan, study=study)
    assert told.detail.startswith("The analysis plan does not fit the study any more")
    (missing,) = lifecycle.missing_for_launch(study)
    assert missing.startswith("an analysis plan that fits (exclusions.rules must be")
    refused("not_ready", lifecycle.change_state, study=study, act="launch")
    plans.discard_draft(study=study)
    assert lifecycle.missing_for_launch(study) == []


def test_a_question_that_goes_takes_its_plan_with_it_to_be_mended(study):
    design.add_question(
        study=study, key="more", kind="slider", text="?", options={"low": "a", "high": "b"}
    )
    content = written(study)
    content["primary"] |= {"question": "more", "model": "lmm", "link": None}
    plans.draft_plan(study=study, content=content | {"family": None})
    study.questions.get(key="more").delete()
    assert "primary.question must be “creativity”" in refused(
        "bad_plan", plans.fix_plan, study=study
    ).detail  # fmt: skip


def test_a_launch_fixes_the_draft(study, owner):
    plans.draft_plan(study=study, content=written(study, alpha=0.01))
    lifecycle.change_state(study=study, act="launch", actor=owner)
    plan = plans.plan_of(study)
    assert (plan.content["alpha"], plan.author, plan.n_ratings) == (0.01, owner, 0)
    assert plan.fixed_at is not None


def test_a_launch_fixes_the_default_where_nobody_drafted(study):
    lifecycle.change_state(study=study, act="launch")
    plan = plans.plan_of(study)
    content = plans.read_content(plans.default_content(study), study)
    assert plan.content == content.to_dict()
    assert plan.author is None
    assert AnalysisPlan.objects.count() == 1


def test_a_plan_fixed_before_launch_stands_at_launch(study):
    plan = plans.fix_plan(study=study)
    lifecycle.change_state(study=study, act="launch")
    assert plans.plan_of(study) == plan
    assert AnalysisPlan.objects.count() == 1


def test_a_draft_that_repeats_the_fixed_plan_does_not_stop_a_launch(study):
    plan = plans.fix_plan(study=study)
    plans.draft_plan(study=study, content=plan.content)
    refused("unchanged", plans.fix_plan, study=study)
    lifecycle.change_state(study=study, act="launch")
    assert plans.history(study) == [plan]


def test_images_added_after_fixing_are_in_the_plan_fixed_at_launch(study):
    first = plans.fix_plan(study=study)
    image = factories.image_set(1, workspace=study.workspace).images.get()
    design.add_images(study=study, images=[(image, "normal q1")])
    lifecycle.change_state(study=study, act="launch")
    plan = plans.plan_of(study)
    assert (first.version, plan.version) == (1, 2)
    assert plan.reason.startswith("Fixed again at launch")
    assert plan.content["primary"]["scan_sha256"] == plans.scan_sha256(study)


def test_a_failed_launch_fixes_nothing(study):
    study.study_images.all().delete()
    refused("not_ready", lifecycle.change_state, study=study, act="launch")
    assert not AnalysisPlan.objects.exists()


def test_a_study_without_scan_is_launched_without_a_plan(study):
    study.scan = None
    study.save()
    lifecycle.change_state(study=study, act="launch")
    assert plans.plan_of(study) is None
    refused("nothing_to_plan", plans.fix_plan, study=study, reason="late")


def test_an_amendment_says_why_and_after_how_many_answers_of_people(study, owner):
    lifecycle.change_state(study=study, act="launch")
    factories.rated_participant(study, n_trials=3)
    factories.rated_participant(study, "simulated", seed=2)
    plans.draft_plan(study=study, content=written(study, alpha=0.01), author=owner)
    assert plans.plan_of(study).version == 1
    for reason in ("", "  ", "\x00", "x" * 2001):
        told = refused("bad_reason", plans.fix_plan, study=study, reason=reason)
        assert set(told.fields) == {"reason"}
    plan = plans.fix_plan(study=study, author=owner, reason=" A reviewer asked. ")
    assert (plan.version, plan.n_ratings, plan.reason) == (2, 3, "A reviewer asked.")
    assert plans.plan_of(study) == plan
    first, second = plans.record_of(study)["plans"]
    assert (first["version"], first["n_ratings"]) == (1, 0)
    assert second["sha256"] == plans.sha256_of(second["content"])


def test_a_study_launched_before_there_were_plans_can_have_a_late_one(study):
    lifecycle.change_state(study=study, act="launch")
    AnalysisPlan.objects.all().delete()
    factories.rated_participant(study)
    assert plans.plan_of(study) is None
    refused("bad_reason", plans.fix_plan, study=study)
    plan = plans.fix_plan(study=study, reason="There was none.")
    assert (plan.version, plan.n_ratings) == (1, 4)


def test_discarding_leaves_what_is_fixed(study):
    refused("no_draft", plans.discard_draft, study=study)
    plan = plans.fix_plan(study=study)
    refused("no_draft", plans.discard_draft, study=study)
    draft = plans.draft_plan(study=study, content=written(study, seed=3))
    refused("changed_meanwhile", plans.discard_draft, study=study, based_on="")
    plans.discard_draft(study=study, based_on=plans.stamp_of(draft))
    assert plans.history(study) == [plan]
    assert kinds(study)[-1] == "plan_discarded"


def test_exports_have_every_version_that_was_fixed_and_no_draft(study):
    lifecycle.change_state(study=study, act="launch")
    plans.draft_plan(study=study, content=written(study, alpha=0.01))
    plans.fix_plan(study=study, reason="A reviewer asked.")
    plans.draft_plan(study=study, content=written(study, alpha=0.02))
    (text,) = [
        content
        for path, content in exported.files_of(study).items()
        if path.endswith("/plan.json") or path == "materials/plan.json"
    ]
    listed = json.loads(text)["plans"]
    assert [(each["version"], each["reason"]) for each in listed] == [
        (1, ""),
        (2, "A reviewer asked."),
    ]
    for each in listed:
        assert plans.sha256_of(each["content"]) == each["sha256"]
