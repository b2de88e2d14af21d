"""Several researchers at the same plan at the same moment, on PostgreSQL.

Several rounds each, because a race that is lost once in ten is still lost.
"""

import pytest
from django.db import connection

from studies.errors import DomainError
from studies.models import AnalysisPlan, Event, Study
from studies.services import lifecycle, plans
from tests.studies import factories
from tests.studies.racing import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "connection.vendor != 'postgresql'",
        reason="needs PostgreSQL: set MUSESCAN_DATABASE_URL",
    ),
]
ROUNDS = range(5)


@pytest.fixture
def study():
    assert connection.vendor == "postgresql"
    return factories.study(state="draft", workspace=factories.workspace())


def again(study):
    return Study.objects.select_related("scan").get(pk=study.pk)


def writes(study, seed, based_on):
    content = plans.default_content(study) | {"seed": seed}
    mine = again(study)
    return lambda: plans.draft_plan(study=mine, content=content, based_on=based_on)


def refusals(outcomes):
    return sorted(each.code for each in outcomes if isinstance(each, DomainError))


@pytest.mark.parametrize("seed", ROUNDS)
def test_of_several_who_write_the_first_draft_one_does_and_the_others_are_told(study, seed):
    outcomes = at_once(*[writes(study, place, "") for place in range(4)])
    assert refusals(outcomes) == ["changed_meanwhile"] * 3
    (written,) = [each for each in outcomes if not isinstance(each, DomainError)]
    assert AnalysisPlan.objects.get().content == written.content
    assert Event.objects.filter(kind="plan_drafted").count() == 1


@pytest.mark.parametrize("seed", ROUNDS)
def test_without_a_word_on_what_they_saw_the_last_one_stays_and_there_is_one_draft(study, seed):
    outcomes = at_once(*[writes(study, place, None) for place in range(4)])
    assert refusals(outcomes) == []
    assert AnalysisPlan.objects.get().version == 1


@pytest.mark.parametrize("seed", ROUNDS)
def test_writing_and_fixing_at_once_leave_what_the_fixer_saw(study, seed):
    draft = plans.draft_plan(study=study, content=plans.default_content(study) | {"seed": 100})
    seen = plans.stamp_of(draft)
    mine = again(study)
    outcomes = at_once(
        writes(study, 1, seen), lambda: plans.fix_plan(study=mine, based_on=seen)
    )  # fmt: skip
    assert refusals(outcomes) == ["changed_meanwhile"]
    (plan,) = plans.history(study)
    fixed = outcomes[1]
    if isinstance(fixed, DomainError):
        assert (plan.fixed_at, plan.content["seed"]) == (None, 1)
    else:
        assert (plan.fixed_at is not None, plan.content["seed"]) == (True, 100)


@pytest.mark.parametrize("seed", ROUNDS)
def test_fixing_twice_and_launching_at_once_fixes_one_plan(study, seed):
    copies = [again(study) for _ in range(4)]
    outcomes = at_once(
        *[lambda each=each: plans.fix_plan(study=each) for each in copies[:2]],
        *[
            lambda each=each: lifecycle.change_state(study=each, act="launch")
            for each in copies[2:]
        ],
    )
    (plan,) = plans.history(study)
    assert plan.fixed_at is not None
    assert again(study).state == "running"
    # Of two launches one is too late; who fixes after it amends, and says nothing new.
    assert set(refusals(outcomes)) <= {"wrong_state", "no_draft", "bad_reason"}
    assert Event.objects.filter(kind="plan_fixed").count() == 1


@pytest.mark.parametrize("seed", ROUNDS)
def test_writing_during_a_launch_is_fixed_or_stays_a_draft(study, seed):
    mine = again(study)
    at_once(
        writes(study, 7, None), lambda: lifecycle.change_state(study=mine, act="launch")
    )  # fmt: skip
    first, *rest = plans.history(study)
    assert first.fixed_at is not None
    assert [each.fixed_at for each in rest] in ([], [None])
    assert {first.content["seed"], *(each.content["seed"] for each in rest)} >= {7}


@pytest.mark.parametrize("seed", ROUNDS)
def test_throwing_away_and_fixing_at_once_does_one_of_them(study, seed):
    draft = plans.draft_plan(study=study, content=plans.default_content(study))
    seen = plans.stamp_of(draft)
    one, two = again(study), again(study)
    outcomes = at_once(
        lambda: plans.discard_draft(study=one, based_on=seen) or "gone",
        lambda: plans.fix_plan(study=two, based_on=seen),
    )
    assert refusals(outcomes) == ["changed_meanwhile"]
    assert AnalysisPlan.objects.count() == (0 if outcomes[0] == "gone" else 1)
