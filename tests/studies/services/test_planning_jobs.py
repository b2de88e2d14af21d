"""Plans as jobs: the plan that the command makes, cancelled, failed, asked for twice."""

import dataclasses
import json
import shlex
from io import StringIO

import pytest
from django.core.management import call_command
from django_tasks_db.models import DBTaskResult

from studies import tasks
from studies.errors import DomainError
from studies.models import Job, JobState, ParticipantKind, Role
from studies.services import jobs, planning
from studies.services.jobs import PlanAsked, running
from studies.services.jobs import planning as work
from studies.services.planning import PlanRequest
from studies.services.planning.sentences import design_words
from tests.studies import factories, planned
from tests.studies.pilots import compare, rate

pytestmark = pytest.mark.django_db
SMALL = dataclasses.replace(planned.REQUEST, images=(8,))


@pytest.fixture
def lab():
    return factories.workspace()


@pytest.fixture
def editor(lab):
    return factories.user(Role.EDITOR, workspace=lab)


@pytest.fixture
def study(lab):
    made = factories.study(n_images=12, workspace=lab, trials_per_participant=8)
    rate(made, 8, ParticipantKind.PILOT)
    return made


def asked(lab, request=SMALL, pilot=None, name="a plan"):
    return PlanAsked(workspace=lab, name=name, request=request, power=0.8, pilot=pilot)


def started(plan, editor, key="a key"):
    return tasks.start_planning(asked=plan, key=key, asked_by=editor)


def performed(job):
    jobs.perform_job(job_id=job.pk)
    job.refresh_from_db()
    return job


def by_command(record):
    """The plan that the command gives which a plan's page shows."""
    words = shlex.split(planning.plan_command(record))
    assert words[:3] == ["python", "manage.py", "plan_study"]
    out = StringIO()
    call_command(*words[2:], "--json", "--workers=1", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


def test_a_job_makes_the_plan_that_its_command_makes(lab, editor):
    request = dataclasses.replace(
        SMALL,
        effects=(-0.7, 0.5),
        proportions=None,
        thresholds=(-1.25, 0.5),
        reliability=(0.8, 10.0),
        raters=(4, 5),
        trials=None,
        link="probit",
        cost=planning.cost_rates(fee_rate=1 / 3, currency="£", hourly_pay=13.37),
        alpha=0.01,
        seed=4,
    )
    job = performed(started(asked(lab, request), editor))
    assert (job.state, job.error) == (JobState.FINISHED, "")
    assert job.n_done == job.n_total == 12
    told = by_command(job.result)
    assert told["cells"] == job.result["cells"]
    assert {name: job.result[name] for name in told} == told
    assert PlanRequest.from_dict(job.result["request"]) == request


def test_a_pilot_feeds_the_job_as_it_feeds_the_command(study, lab, editor):
    request = dataclasses.replace(SMALL, effects=None, proportions=None, safeguard=0.2)
    source = planning.pilot_source(study=study)
    job = performed(started(asked(lab, request, source), editor))
    assert (job.error, job.study) == ("", study)
    assert job.result["pilot"]["raters"] == "pilot"
    assert job.result["sources"]["effect"] == "pilot, safeguard"
    assert by_command(job.result)["cells"] == job.result["cells"]


def test_a_pilot_of_comparisons_feeds_a_plan_of_comparisons(lab, editor):
    study = factories.study(
        n_images=8, workspace=lab, questions=["pairwise_tournament"], trials_per_participant=12
    )
    compare(study, 12, ParticipantKind.PILOT)
    source = planning.pilot_source(study=study)
    assert source.compares
    request = dataclasses.replace(
        SMALL, images=(8, 9), effects=None, proportions=None, rater_slopes=None, trials=8
    )
    job = performed(started(asked(lab, request, source), editor))
    assert job.error == ""
    assert job.result["width_unit"] == "Spearman’s ρ"
    (cell,) = job.result["cells"]
    assert (cell["design"]["n_ratings"], cell["analysis"]) == (12, "ranks")
    assert cell["coverage"] is None
    assert job.result["left_out"] == [
        "9 images, 3 ratings each: ratings_per_image must be even with an odd number of images "
        "(9), as each comparison has two; got 3"
    ]
    assert design_words(cell) == "8 images compared by 2 people, each image in 3 comparisons"
    assert job.result["sources"]["slope_sd"] == "default"
    rows = {row["name"] for row in planning.assumptions(job.result)}
    assert "Choices: right, left" in rows
    assert "SD of raters" not in rows
    assert by_command(job.result)["cells"] == job.result["cells"]
    wrong = dataclasses.replace(request, rater_sd=1.0)
    assert "rater_sd cannot be given with a pilot of comparisons" in (
        performed(started(asked(lab, wrong, source), editor, key="b")).error
    )


def test_many_studies_are_simulated_by_several_processes_and_few_by_one(lab, editor, monkeypatch):
    seen = []

    def make_plan(*, request, **more):
        seen.append(request.n_workers)
        raise DomainError("plan", "enough")

    monkeypatch.setattr(work.planning, "make_plan", make_plan)
    monkeypatch.setattr(work.os, "cpu_count", lambda: 7)
    for n in (3, 300):
        request = dataclasses.replace(SMALL, n_replicates=n)
        performed(started(asked(lab, request, name=f"plan {n}"), editor, key=f"{n}"))
    assert seen == [1, 7]


def test_a_plan_and_its_place_in_the_queue_are_written_together(lab, editor):
    job = started(asked(lab), editor)
    assert started(asked(lab), editor) == job
    (waiting,) = DBTaskResult.objects.all()
    assert waiting.args_kwargs["args"] == [job.pk]
    with pytest.raises(DomainError, match="“a plan” is being made already"):
        started(asked(lab), editor, key="another key")
    assert Job.objects.count() == DBTaskResult.objects.count() == 1


def test_cancelling_while_it_runs_leaves_nothing(lab, editor, monkeypatch):
    monkeypatch.setattr(running, "REPORT_S", 0)
    job = started(asked(lab), editor)
    real = work.planning.make_plan

    def make_plan(*, progress, **more):
        def then(done, total):
            if done == 2:
                jobs.cancel_job(job=job)
            progress(done, total)

        return real(progress=then, **more)

    monkeypatch.setattr(work.planning, "make_plan", make_plan)
    assert performed(job).state == JobState.CANCELLED
    assert job.result is None
    assert 0 < job.n_done < job.n_total


def test_progress_says_which_design(lab, editor, monkeypatch):
    told = []
    monkeypatch.setattr(work, "reporter", lambda job: lambda *each: told.append(each))
    performed(started(asked(lab, planned.REQUEST), editor))
    assert [done for done, total, message in told] == list(range(1, 13))
    assert told[0][2] == "simulating studies: design 1 of 4"
    assert told[-1][2] == "simulating studies: design 4 of 4"


def test_a_pilot_whose_ratings_allow_no_plan_fails_the_job_with_the_reason(study, lab, editor):
    request = dataclasses.replace(SMALL, effects=None, proportions=None, safeguard=0.9999)
    job = performed(started(asked(lab, request, planning.pilot_source(study=study)), editor))
    assert job.state == JobState.FAILED
    assert "safeguard must leave an effect to plan for" in job.error


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"images": (3,)}, "n_images", "must be a whole number, 4 or more"),
        ({"trials": 9}, "trials_per_rater", "must not exceed n_images"),
        ({"effects": (1.0,), "reliability": (0.1, 2.0)}, "reliability", "must be at least"),
        ({"images": (9_000,)}, "too_large", "designs have at most 20,000"),
        ({"n_replicates": 10_000, "images": (100,), "ratings_per_image": (4,), "trials": None},
         "too_much", "5,000 simulated studies per design would fit"),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_is_refused_before_anything_is_queued(
    lab, editor, changes, code, words
):
    with pytest.raises(DomainError, match=words) as caught:
        started(asked(lab, dataclasses.replace(SMALL, **changes)), editor)
    assert caught.value.code == code
    assert not Job.objects.exists()


def test_what_is_said_to_fit_fits():
    large = PlanRequest(images=(100, 200), ratings_per_image=(20,), n_replicates=9_999)
    with pytest.raises(DomainError) as caught:
        planning.check_work(large)
    (fits,) = [word for word in caught.value.detail.split() if word == "666"]
    assert planning.check_work(dataclasses.replace(large, n_replicates=int(fits)))
    with pytest.raises(DomainError):
        planning.check_work(dataclasses.replace(large, n_replicates=int(fits) + 1))
