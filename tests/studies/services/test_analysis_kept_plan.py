"""What an analysis says of its plan: by what was fitted, of whom, and how many they are."""

import numpy as np
import pandas as pd
import pytest
from django.urls import reverse

from studies import wording
from studies.models import Role, Study, Trial
from studies.reporting import Note, Paragraph, plain
from studies.services import decisions, plans, reports
from studies.services.analysis import analyse, latest_run
from studies.services.analysis.testing import fitted
from studies.services.lifecycle import change_state
from studies.services.simulation import simulate_raters
from studies.stats import fit_clmm, fit_lmm
from tests.studies import factories

RULE = "max_fast_share"
SPEARMAN = {"model": "spearman", "link": None, "rater_slopes": False}


def launched(*, primary=None, questions=("creativity_likert",), n_images=8, **parts):
    """A study whose plan differs from the default in these parts."""
    study = factories.study(
        n_images, questions, "draft", workspace=factories.workspace(),
        trials_per_participant=n_images,
    )  # fmt: skip
    content = plans.default_content(study) | parts
    if primary:
        content["primary"] |= primary
        content["family"] = [content["family"][0] | {"model": content["primary"]["model"]}]
    plans.draft_plan(study=study, content=content)
    change_state(study=study, act="launch")
    return Study.objects.get(pk=study.pk)


def said(report, key):
    blocks = next(each for each in report.sections if each.key == key).blocks
    return "\n".join(plain(each.text) for each in blocks if isinstance(each, Paragraph | Note))


@pytest.mark.django_db
def test_whom_a_decision_excludes_and_the_plan_keeps_in_is_left_out_nowhere():
    study = launched(primary=SPEARMAN, exclusions={"rules": [], "decisions": False})
    raters = [factories.rated_participant(study, seed=seed) for seed in range(4)]
    decisions.decide(participant=raters[0], verdict="excluded", reason="asleep")
    run = analyse(study=study)
    flow = run.result["flow"]
    assert (flow["excluded_by_decision"], flow["kept_despite_decision"], flow["analysed"]) == (
        0, 1, 4,
    )  # fmt: skip
    assert run.result["exclusions"]["n_excluded"] == 0
    assert run.result["plan"]["kept"]
    report = reports.report_of(run)
    told = said(report, "participants")
    assert "1 participant whom a researcher excluded stays in the analysis" in told
    assert "Analyse again" not in told
    assert "stays in the analysis, as planned" in said(report, "methods")
    words = dict(plans.statement(plans.stored_content(run.plan.content), {}))["Left out"]
    assert "whom they exclude stays in the analysis" in words
    # One more decision changes no answer, and is counted all the same.
    decisions.decide(participant=raters[1], verdict="excluded", reason="asleep")
    assert analyse(study=study).result["flow"]["kept_despite_decision"] == 2


@pytest.mark.django_db
def test_a_planned_number_of_raters_is_held_against_those_analysed_once_the_study_is_over():
    study = launched(primary=SPEARMAN, n_target=500)
    for seed in range(3):
        factories.rated_participant(study, seed=seed)
    run = analyse(study=study)
    assert run.result["plan"]["kept"]
    assert run.result["plan"]["sample"] == {"planned": 500, "analysed": 3, "is_final": False}
    assert "Analysed so far: 3 of 500 raters planned." in said(reports.report_of(run), "headline")
    change_state(study=study, act="close")
    assert not latest_run(study, "person").is_current
    plan = analyse(study=study).result["plan"]
    told = [(each["what"], each["planned"], each["done"]) for each in plan["departures"]]
    assert told == [("number of raters", "500", "3")]
    assert not plan["kept"]
    latest = latest_run(study, "person")
    assert latest.is_current
    # Fewer raters make it no other test.
    assert latest.run.result["headline"]["status"] == "confirmatory"


def test_what_a_model_was_fitted_as_is_what_it_says():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame([(r, i) for r in range(10) for i in range(12)], columns=["rater", "image"])
    frame["size_z"] = rng.normal(size=12)[frame["image"]]
    frame["score_z"] = rng.normal(size=12)[frame["image"]]
    latent = frame["size_z"] + rng.normal(size=10)[frame["rater"]] + rng.normal(size=120)
    frame["rating"] = np.clip(np.round(latent + 3), 1, 5)
    assert fitted(fit_clmm(frame, fixed=["score_z", "size_z"], link="probit")) == {
        "model": "clmm",
        "link": "probit",
        "rater_slopes": False,
        "predictors": ["score", "size"],
    }
    assert fitted(fit_lmm(frame, fixed=["size_z"], rater_slopes=["size_z"])) == {
        "model": "lmm",
        "link": None,
        "rater_slopes": True,
        "predictors": ["size"],
    }


@pytest.mark.django_db
def test_an_older_plan_of_a_link_that_is_never_fitted_was_departed_from():
    study = launched(questions=["pairwise_tournament"])
    plan = plans.plan_of(study)
    plan.content["primary"]["link"] = "probit"
    plan.sha256 = plans.sha256_of(plan.content)
    plan.save()
    simulate_raters(study=study, n_raters=6, seed=1)
    found = analyse(study=study).result["plan"]["departures"]
    assert [(each["what"], each["planned"], each["done"]) for each in found] == [
        ("link", "probit", "logit")
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("questions", "primary", "model"),
    [
        (["creativity_likert"], SPEARMAN, "spearman"),
        (["pairwise_tournament"], None, "rao_kupper"),
    ],
)
def test_the_plans_own_specification_by_ranks_is_the_headline(
    questions, primary, model, monkeypatch
):
    exclusions = {"rules": [RULE], "decisions": True}
    study = launched(primary=primary, questions=questions, n_images=10, exclusions=exclusions)
    simulate_raters(study=study, n_raters=7, seed=1)
    fast = study.participants.last()
    Trial.objects.filter(participant=fast).update(response_time_ms=50)
    result = analyse(study=study).result
    multiverse, headline = result["multiverse"], result["headline"]
    assert len(multiverse["specifications"]) > 1
    (row,) = [each for each in multiverse["specifications"] if each["is_plan"]]
    assert row["n_raters"] == 6
    names = ("estimate", "interval", "p")
    assert headline["estimate"] is not None
    assert [row[name] for name in names] == [headline[name] for name in names]
    assert multiverse["model"] == headline["model"] == model
    assert multiverse["method"].endswith(
        "the same function as elsewhere in this analysis and the same draws."
    )
    # Of very many ratings, the others take fewer draws, and the plan's own is the same.
    settings = "studies.services.analysis.multiverse"
    monkeypatch.setattr(f"{settings}.MOST_RESAMPLED", 10)
    monkeypatch.setattr(f"{settings}.FEW_DRAWS", {"n_permutations": 99, "n_bootstrap": 99})
    study.analysis_runs.all().delete()
    fewer = analyse(study=study).result["multiverse"]
    assert "all but the plan’s own with 99 permutations and 99 bootstrap draws" in fewer["method"]
    for before, now in zip(multiverse["specifications"], fewer["specifications"], strict=True):
        assert now["estimate"] == before["estimate"]
        assert (now["interval"] == before["interval"]) is now["is_plan"]


@pytest.mark.django_db
def test_a_single_estimate_is_called_so(client):
    study = launched(primary=SPEARMAN, n_images=6)
    for seed in range(3):
        factories.rated_participant(study, seed=seed)
    run = analyse(study=study)
    assert len(run.result["multiverse"]["specifications"]) == 1
    assert wording.ONE_ESTIMATE in said(reports.report_of(run), "sensitivity")
    client.force_login(factories.user(Role.VIEWER, workspace=study.workspace))
    page = client.get(reverse("workspace:results", args=[study.slug])).content.decode()
    assert wording.ONE_ESTIMATE in page
