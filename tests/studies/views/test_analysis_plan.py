"""The plan's page: to read, to write, to fix, to amend, and who may."""

import json
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from studies.models import AnalysisPlan, Role
from studies.services import design, plans
from studies.views.workspace.analysis_plan_form import AnalysisPlanForm
from tests.studies import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def lab():
    return factories.workspace()


@pytest.fixture
def draft_study(lab):
    return factories.study(
        workspace=lab, state="draft", questions=["creativity_likert", "four_labels"]
    )


@pytest.fixture
def running(lab):
    return factories.study(workspace=lab, questions=["creativity_likert", "four_labels"])


def member(lab, role=Role.EDITOR, **fields):
    client = Client()
    client.force_login(factories.user(role, workspace=lab, **fields))
    return client


@pytest.fixture
def editor(lab):
    return member(lab, username="ada")


def at(study, name="analysis-plan"):
    return reverse(f"workspace:{name}", args=[study.slug])


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def stamp(study):
    return plans.stamp_of(plans.draft_of(study) or plans.plan_of(study))


def filled(study, **changes):
    """What the form sends as it is first shown, with changes; None leaves a field out."""
    versions = plans.history(study)
    written = versions[-1].content if versions else plans.default_content(study)
    form = AnalysisPlanForm(study=study, written=written)
    sent = {name: form[name].value() for name in form.fields}
    sent = {"act": "draft", "based_on": stamp(study), **sent, **changes}
    return {name: value for name, value in sent.items() if value is not None and value is not False}


def test_before_launch_it_shows_what_the_launch_would_fix(editor, draft_study):
    words = text(editor.get(at(draft_study)))
    assert "What the launch would fix" in words
    assert "Do answers to “How creative is this image?” (creativity) go with" in words
    assert "Save and fix…" in words
    assert not AnalysisPlan.objects.exists()


def test_what_is_written_is_kept_as_a_draft(editor, draft_study):
    sent = filled(draft_study, alpha="0.01", rules=["max_fast_share"], notes="Ours.\r\nWhole.")
    response = editor.post(at(draft_study), sent)
    assert (response.status_code, response.url) == (303, at(draft_study))
    content = plans.draft_of(draft_study).content
    assert (content["alpha"], content["exclusions"]["rules"]) == (0.01, ["max_fast_share"])
    words = text(editor.get(at(draft_study)))
    assert "Not fixed. Last written by ada." in words
    assert "fast answers (more than 10 %)" in words
    assert plans.plan_of(draft_study) is None
    again = AnalysisPlanForm(study=draft_study, written=content)
    assert again["rules"].value() == ["max_fast_share"]


def test_the_family_is_the_primary_and_what_is_chosen_beside_it(editor, draft_study):
    form = AnalysisPlanForm(study=draft_study, written=plans.default_content(draft_study))
    every = [value for value, _ in form.fields["family"].choices]
    assert len(every) == 4
    editor.post(at(draft_study), filled(draft_study, family=every))
    family = plans.draft_of(draft_study).content["family"]
    assert [(each["question"], each["predictor"]) for each in family] == [
        ("creativity", "size"),
        ("creativity", "score"),
        ("label", "size"),
        ("label", "score"),
    ]


def test_saving_and_fixing_asks_first_and_then_fixes(editor, draft_study):
    response = editor.post(at(draft_study), filled(draft_study, act="review"))
    assert response.url == f"{at(draft_study)}?confirm=fix"
    page = editor.get(response.url)
    assert "Fix this plan?" in text(page)
    assert plans.plan_of(draft_study) is None
    response = editor.post(at(draft_study), {"act": "fix", "based_on": stamp(draft_study)})
    assert response.status_code == 303
    plan = plans.plan_of(draft_study)
    words = text(editor.get(at(draft_study)))
    assert "by ada, before anybody had given an answer." in words
    assert plan.sha256 in words


def test_the_default_can_be_fixed_without_writing(editor, draft_study):
    assert "Fix this plan?" in text(editor.get(f"{at(draft_study)}?confirm=fix"))
    editor.post(at(draft_study), {"act": "fix", "based_on": ""})
    assert plans.plan_of(draft_study).version == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"alpha": "2"}, "Alpha must be a number above 0"),
        ({"alpha": "much"}, "Enter a number."),
        ({"model": "rao_kupper"}, "can be analysed by: cumulative link mixed model, linear"),
        ({"model": "spearman", "link": ""}, "Only mixed models can have it."),
        ({"model": "spearman", "rater_slopes": None}, "This model has no link."),
        ({"link": ""}, "This model needs a link."),
        ({"question": "nothing"}, "Select a valid choice."),
        ({"family": ["[1, 2]"]}, "Select a valid choice."),
        ({"rules": ["max_zoomed_share"]}, "Select a valid choice."),
        ({"notes": "a\0b"}, "Null characters are not allowed."),
        ({"seed": "-1"}, "greater than or equal to 0"),
        ({"n_target": "0"}, "greater than or equal to 1"),
        ({"smallest_effect": "11"}, "above 0 and at most 10"),
    ],
)
def test_what_cannot_be_is_said_beside_the_field_and_nothing_is_saved(
    editor, draft_study, changes, said
):
    response = editor.post(at(draft_study), filled(draft_study, **changes))
    assert response.status_code == 422
    assert said in text(response)
    assert "The plan was not saved." in text(response)
    assert not AnalysisPlan.objects.exists()


def test_of_two_who_write_the_second_is_told_and_keeps_what_they_wrote(lab, editor, draft_study):
    other = member(lab, username="bea")
    theirs = filled(draft_study, notes="What bea wrote.")
    editor.post(at(draft_study), filled(draft_study, alpha="0.01"))
    response = other.post(at(draft_study), theirs)
    assert response.status_code == 409
    words = text(response)
    assert "ada wrote another draft meanwhile. Nothing was changed." in words
    assert "What bea wrote." in words
    assert plans.draft_of(draft_study).content["alpha"] == 0.01
    again = re.findall(r'name="based_on" value="([^"]*)"', response.content.decode())
    assert set(again) == {stamp(draft_study)}
    assert other.post(at(draft_study), {**theirs, "based_on": again[0]}).status_code == 303
    assert plans.draft_of(draft_study).content["notes"] == "What bea wrote."


def test_what_was_fixed_meanwhile_is_not_fixed_or_thrown_away_again(editor, draft_study):
    editor.post(at(draft_study), filled(draft_study, alpha="0.01"))
    seen = stamp(draft_study)
    plans.fix_plan(study=draft_study)
    for act in ("fix", "discard", "draft"):
        response = editor.post(at(draft_study), filled(draft_study, act=act, based_on=seen))
        assert response.status_code == 409
        assert "meanwhile" in text(response)
    assert AnalysisPlan.objects.count() == 1


def test_a_draft_can_be_thrown_away(editor, draft_study):
    editor.post(at(draft_study), filled(draft_study))
    editor.post(at(draft_study), {"act": "discard", "based_on": stamp(draft_study)})
    assert not AnalysisPlan.objects.exists()


def test_an_amendment_asks_why_and_is_marked(editor, running):
    factories.rated_participant(running)
    page = text(editor.get(at(running)))
    assert "Amend…" in page
    assert "Save draft" not in page
    assert "Amend the plan" in text(editor.get(f"{at(running)}?amend=1"))
    response = editor.post(at(running), filled(running, alpha="0.01", act="review"))
    confirm = text(editor.get(response.url))
    assert "People have given 8 answers ." in confirm
    assert "Fix the amendment" in confirm
    refused = editor.post(
        at(running), {"act": "fix", "based_on": stamp(running), "reason": " "}
    )  # fmt: skip
    assert refused.status_code == 422
    assert "Say why the plan is amended" in text(refused)
    assert plans.plan_of(running).version == 1
    sent = {"act": "fix", "based_on": stamp(running), "reason": "<b>A reviewer</b> asked."}
    editor.post(at(running), sent)
    page = editor.get(at(running))
    assert "after people had given 8 answers" in text(page)
    assert "&lt;b&gt;A reviewer&lt;/b&gt; asked." in page.content.decode()
    assert "The plan that counts: version 2" in text(page)


def test_a_study_that_was_launched_without_a_plan_says_so(editor, running):
    AnalysisPlan.objects.all().delete()
    words = text(editor.get(at(running)))
    assert "No analysis plan was fixed" in words
    assert "marked as made after 0 answers" in words
    assert "Save draft" in text(editor.get(f"{at(running)}?amend=1"))


def test_without_a_scan_there_is_nothing_to_plan(editor, draft_study):
    editor.post(at(draft_study), filled(draft_study))
    sent = filled(draft_study, notes="more")
    draft_study.scan = None
    draft_study.save()
    assert "There is nothing to plan" in text(editor.get(at(draft_study)))
    response = editor.post(at(draft_study), sent)
    assert response.status_code == 422
    assert "needs a scan" in text(response)
    assert editor.post(at(draft_study), sent | {"act": "fix"}).status_code == 422


def test_a_draft_that_fits_no_longer_says_why(editor, draft_study):
    editor.post(at(draft_study), filled(draft_study, question="label"))
    draft_study.questions.get(key="label").delete()
    page = editor.get(at(draft_study))
    assert page.status_code == 200
    assert "does not fit the study any more" in text(page)
    assert "an analysis plan that fits" in text(editor.get(at(draft_study, "study")))


def test_an_unknown_act_changes_nothing_and_says_so(editor, draft_study):
    response = editor.post(at(draft_study), {"act": "explode"}, follow=True)
    assert "act must be one of draft, review, fix, discard" in text(response)
    assert not AnalysisPlan.objects.exists()


def test_viewers_read_and_others_do_not_see_it(lab, draft_study):
    plans.draft_plan(study=draft_study, content=plans.default_content(draft_study))
    viewer = member(lab, Role.VIEWER)
    page = viewer.get(f"{at(draft_study)}?confirm=fix&amend=1")
    assert page.status_code == 200
    assert 'name="act" value="fix"' not in page.content.decode()
    assert 'value="draft"' not in page.content.decode()
    for act in ("draft", "review", "fix", "discard", "explode"):
        assert viewer.post(at(draft_study), {"act": act}).status_code == 403
    outsider = member(factories.workspace(), Role.OWNER)
    for ask in (outsider.get, outsider.post):
        assert ask(at(draft_study), {"act": "fix"}).status_code == 404
    assert outsider.get(at(draft_study, "analysis-plan-file")).status_code == 404
    assert plans.plan_of(draft_study) is None


def test_other_methods_are_refused(editor, draft_study):
    assert editor.put(at(draft_study)).status_code == 405
    assert editor.post(at(draft_study, "analysis-plan-file")).status_code == 405


def test_the_file_has_every_version_that_was_fixed(editor, running):
    plans.draft_plan(
        study=running, content=plans.default_content(running) | {"notes": "“é”"}
    )  # fmt: skip
    got = editor.get(at(running, "analysis-plan-file"))
    assert got["Content-Type"] == "application/json"
    assert f"{running.slug}-analysis-plan.json" in got["Content-Disposition"]
    assert len(json.loads(got.content)["plans"]) == 1
    plans.fix_plan(study=running, reason="late")
    first, second = json.loads(editor.get(at(running, "analysis-plan-file")).content)["plans"]
    for each in (first, second):
        assert plans.sha256_of(each["content"]) == each["sha256"]
    assert second["content"]["notes"] == "“é”"


def test_queries_do_not_grow_with_versions_and_images(editor, running):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            assert editor.get(f"{at(running)}?amend=1").status_code == 200
        return len(queries)

    few = asked()
    for place in range(4):
        content = plans.default_content(running) | {"seed": place + 1}
        plans.draft_plan(study=running, content=content)
        plans.fix_plan(study=running, reason="again")
    more = factories.scan(30, workspace=running.workspace)
    running.state = "draft"
    running.save()
    results = more.results.select_related("image")
    design.add_images(study=running, images=[(each.image, "more") for each in results])
    running.state = "running"
    running.save()
    assert asked() == few
