"""Every part of an analysis against the obvious computation from the answers themselves."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from studies import queries
from studies.models import AnalysisRun, Response, ScanResult, Study, Trial
from studies.services import decisions, plans, quality
from studies.services.analysis import analyse, latest_run
from studies.services.analysis.inputs import hash_of
from studies.services.analysis.kept_plan import is_confirmatory
from studies.services.analysis.runs import N_KEPT, prune_runs
from studies.services.lifecycle import change_state
from studies.stats import fit_clmm, fit_lmm, krippendorff_alpha, likelihood_ratio, split_half
from tests.served import ROOT
from tests.studies import factories

RULE = "max_fast_share"


def noisy(seed):
    """Answers that go with subset size and differ between raters."""
    rng = np.random.default_rng(seed)
    own = rng.normal()

    def answers(trial, questions):
        image = trial.study_image.image
        latent = image.position / 4 + 2 * (image.process == "creative") + own + rng.logistic()
        label = "creative" if latent > 2.5 else "not_novel_or_creative"
        choices = {"creativity": int(np.clip(round(2 + latent), 1, 7)), "label": label}
        return {question.key: choices[question.key] for question in questions}

    return answers


def of_two_layers(n_raters=8, n_images=14, *, planned=None, questions=("creativity_likert",)):
    """A study of two scans of its images, rated by people; who came last was always fast."""
    lab = factories.workspace()
    made = factories.study(
        n_images, questions, "draft", workspace=lab, trials_per_participant=min(12, n_images)
    )
    # Score and size apart, so that each has something of its own.
    rng = np.random.default_rng(3)
    for row in made.scan.results.all():
        ScanResult.objects.filter(pk=row.pk).update(score=row.score + 4 * rng.random())
    other = made.scan
    results = list(other.results.all())
    other.pk, other.name, other.layer = None, "another scan", "pixels"
    other._state.adding = True
    other.save()
    for row in results:
        row.pk, row.scan, row.size = None, other, int(row.size + 1 + rng.integers(30))
        row.alpha = 0.25
    ScanResult.objects.bulk_create(results)
    made = Study.objects.get(pk=made.pk)
    if planned is not None:
        content = plans.default_content(made)
        plans.draft_plan(study=made, content=planned(content))
    change_state(study=made, act="launch")
    made.refresh_from_db()
    for seed in range(n_raters):
        rater = factories.rated_participant(made, seed=seed, answers=noisy(seed))
    Trial.objects.filter(participant=rater).update(response_time_ms=100)
    return made, rater


def by_hand(study, left_out=()):
    """Rater, image, rating and standardised predictors of every answer."""
    images = queries.images_frame(study).set_index("image")
    z = {
        f"{name}_z": (images[name] - images[name].mean()) / images[name].std(ddof=0)
        for name in ("size", "score")
    }
    rows = Response.objects.filter(question__key="creativity").values_list(
        "trial__participant__public_id", "trial__study_image__image__public_id", "number"
    )
    frame = pd.DataFrame(list(rows), columns=["rater", "image", "rating"])
    frame = frame[~frame["rater"].isin(left_out)]
    return frame.join(pd.DataFrame(z), on="image")


@pytest.mark.django_db
def test_models_tests_and_agreement_are_those_of_the_answers():
    study, _ = of_two_layers()
    result = analyse(study=study).result
    question = result["questions"][0]
    frame = by_hand(study)
    slope = fit_clmm(frame, fixed=["size_z"], rater_slopes=["size_z"])
    plain, null = fit_clmm(frame, fixed=["size_z"]), fit_clmm(frame)
    linear = fit_lmm(frame, fixed=["score_z"], rater_slopes=["score_z"])
    made = {(each["name"], *each["predictors"]): each for each in question["models"]}
    assert len(made) == 10
    assert made["clmm_slope", "size"]["estimates"]["size_z"] == pytest.approx(
        slope.estimates["size_z"], rel=1e-6
    )
    assert made["lmm_slope", "score"]["intervals"]["score_z"] == pytest.approx(
        linear.interval(0.95)["score_z"], rel=1e-5
    )
    test = likelihood_ratio(plain, null)
    found = made["clmm", "size"]["likelihood_ratio"]
    assert (found["df"], found["of"]) == (1, "predictors")
    assert found["statistic"] == pytest.approx(test.statistic, abs=1e-5)
    headline, small = result["headline"], slope.small_sample()
    assert headline["p"] == pytest.approx(small.p_values["size_z"], rel=1e-4)
    assert headline["odds_ratio"] == pytest.approx(
        np.exp([slope.estimates["size_z"], *small.intervals["size_z"]]), rel=1e-5
    )
    matrix = frame.pivot(index="rater", columns="image", values="rating")
    alpha = krippendorff_alpha(matrix, level="interval", n_bootstrap=0).estimate
    assert question["chance_corrected"]["krippendorff"]["interval"]["estimate"] == (
        pytest.approx(alpha)
    )
    halves = split_half(frame, n_bootstrap=0)
    assert question["ceiling"]["split_half"]["estimate"] == pytest.approx(halves.estimate)
    means = frame.groupby("image")["rating"].mean()
    other = queries.layers_frame(study).set_index("image")
    own = queries.images_frame(study).set_index("image")
    rho = [
        stats.spearmanr(each["size"].reindex(means.index), means).statistic for each in (other, own)
    ]
    row = next(
        each
        for each in question["layers"]
        if each["layer"] == "pixels" and each["predictor"] == "size"
    )
    assert row["association"]["estimate"] == pytest.approx(rho[0])
    assert row["difference"]["estimate"] == pytest.approx(rho[0] - rho[1])
    low, high = row["difference"]["interval"]
    assert low < row["difference"]["estimate"] < high
    # One planned test, and the three other cells of two layers and two predictors.
    status = [each["status"] for each in result["tests"]]
    assert status == ["confirmatory", "exploratory", "exploratory", "exploratory"]
    rest = result["tests"][1:]
    assert [each["p_adjusted"] for each in rest] == pytest.approx(
        stats.false_discovery_control([each["p"] for each in rest])
    )


@pytest.mark.django_db
def test_whom_the_plan_leaves_out_is_left_out_and_the_multiverse_says_what_that_does():
    def planned(content):
        return {**content, "exclusions": {"rules": [RULE], "decisions": True}}

    study, fast = of_two_layers(planned=planned)
    result = analyse(study=study).result
    assert result["n_raters"] == 7
    assert result["exclusions"]["by_rule"][RULE] == 1
    assert result["exclusions"]["n_excluded"] == 1
    flow = result["flow"]
    assert (flow["consented"], flow["excluded_by_plan"], flow["analysed"]) == (8, 1, 7)
    assert flow["arrived"] is None
    assert result["plan"]["kept"]
    assert result["headline"]["status"] == "confirmatory"
    multiverse = result["multiverse"]
    by_rules = {tuple(each["rules"]): each for each in multiverse["specifications"]}
    assert by_rules[RULE,]["is_plan"]
    assert by_rules[RULE,]["estimate"] == result["headline"]["estimate"]
    everybody = fit_clmm(by_hand(study), fixed=["size_z"], rater_slopes=["size_z"])
    assert by_rules[()]["estimate"] == pytest.approx(everybody.estimates["size_z"], rel=1e-6)
    assert by_rules[()]["n_ratings"] - by_rules[RULE,]["n_ratings"] == 12
    person = study.participants.exclude(pk=fast.pk).first()
    decisions.decide(participant=person, verdict="excluded", reason="asleep")
    after = analyse(study=study).result
    assert (after["n_raters"], after["exclusions"]["by_decision"]) == (6, 1)


@pytest.mark.django_db
def test_a_departure_is_listed_and_makes_the_answer_exploratory():
    study, _ = of_two_layers(n_raters=4, n_images=10)
    row = study.scan.results.order_by("pk").last()
    ScanResult.objects.filter(pk=row.pk).update(size=row.size + 5)
    result = analyse(study=study).result
    assert [each["what"] for each in result["plan"]["departures"]] == ["scan results"]
    assert not result["plan"]["kept"]
    assert {each["status"] for each in result["tests"]} == {"exploratory"}
    assert result["headline"]["status"] == "exploratory"


@pytest.mark.django_db
def test_newer_data_of_every_sort_are_noticed():
    study, rater = of_two_layers(n_raters=2, n_images=8)
    seen = [queries.data_stamp(study, "person")]

    def changed():
        seen.append(queries.data_stamp(study, "person"))
        return seen[-1] != seen[-2]

    assert not changed()
    factories.rated_participant(study, seed=9)
    assert changed()
    decisions.decide(participant=rater, verdict="excluded", reason="asleep")
    assert changed()
    quality.set_quality_rules(study=study, rules={RULE: 0.5})
    study.refresh_from_db()
    assert changed()
    ScanResult.objects.filter(scan__name="another scan").first().delete()
    assert changed()
    factories.rated_participant(study, "simulated", seed=4)
    assert not changed()


@pytest.mark.django_db
def test_the_latest_runs_and_the_first_after_closing_are_kept():
    study = factories.study(4, workspace=factories.workspace())
    made = [
        AnalysisRun.objects.create(
            study=study, kind="person", input_sha256=f"{n:064}", seed=0,
            versions={}, result={}, duration_ms=1,
        )
        for n in range(N_KEPT + 5)
    ]  # fmt: skip
    other = AnalysisRun.objects.create(
        study=study, kind="pilot", input_sha256="0" * 64, seed=0,
        versions={}, result={}, duration_ms=1,
    )  # fmt: skip
    study.closed_at = made[2].created_at
    assert prune_runs(study, "person") == 4
    left = set(AnalysisRun.objects.filter(kind="person"))
    assert left == {made[2], *made[5:]}
    assert AnalysisRun.objects.filter(pk=other.pk).exists()
    assert latest_run(study, "person").run == made[-1]


def test_the_hash_tells_every_change_and_nothing_else():
    frame = pd.DataFrame({"n": [1.0, None], "value": ["a", [1, 2]], "inside": [True, False]})
    same = hash_of([frame])
    assert hash_of([frame.copy()]) == same
    for change in (
        frame.assign(n=[1.0, 0.0]),
        frame.assign(value=["a", [2, 1]]),
        frame.assign(inside=[True, True]),
        frame.rename(columns={"n": "m"}),
        frame.iloc[::-1],
        frame.iloc[:1],
    ):
        assert hash_of([change]) != same


def test_two_processes_and_any_number_of_threads_give_the_same_bytes(tmp_path):
    """A study in a file, analysed in a process of its own from two copies of it."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "studies.settings"}
    environment.pop("MUSESCAN_DATABASE_URL", None)

    def run(folder, *command, threads="1"):
        finished = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment
            | {"MUSESCAN_DATA_DIR": str(folder)}
            | dict.fromkeys(("OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), threads),
            capture_output=True,
            text=True,
            check=True,
            timeout=240,
        )
        return finished.stdout

    run(
        first, "-m", "tests.benchmarks.analysis", "--step", "build",
        "--raters", "12", "--images", "16", "--ratings", "10",
    )  # fmt: skip
    shutil.copytree(first, second)
    command = ("manage.py", "analyse_study", "benchmark", "--json")
    told = [run(first, *command), run(second, *command, threads="2")]
    assert json.loads(told[0])["headline"]["estimate"] is not None
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("kind", "expected"), [("person", True), ("pilot", False), ("simulated", False)]
)
def test_only_people_confirm_a_plan(kind, expected):
    plan = {"n_ratings_before": 0, "departures": []}
    assert is_confirmatory(plan, kind) is expected
    assert not is_confirmatory(plan | {"n_ratings_before": 1}, kind)
    assert not is_confirmatory(None, kind)
