"""The planned test again, by the scripts of an export, from the exported files alone."""

import io
import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from studies.models import ParticipantKind
from studies.services import design, lifecycle, plans
from studies.services.analysis import analyse
from studies.services.decisions import decide
from studies.services.exports import write_export
from tests.studies import factories

RSCRIPT = shutil.which("Rscript")


def run(*command):
    finished = subprocess.run(
        [str(each) for each in command], capture_output=True, text=True, timeout=120, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished


def by_python(folder):
    # -I: neither the working folder nor the environment leads to Musescan.
    return json.loads(run(sys.executable, "-I", folder / "analysis" / "headline.py").stdout)


def by_r(folder):
    if RSCRIPT is None:
        pytest.skip("Rscript is not installed")
    finished = run(RSCRIPT, "--vanilla", folder / "analysis" / "headline.R")
    if "it needs the package" in finished.stderr:
        pytest.skip(finished.stderr)
    return pd.read_csv(io.StringIO(finished.stdout), sep="\t").iloc[0]


LABELS = ["creative", "novel_not_creative", "not_novel_or_creative", "inconclusive"]


def answers_of(seed):
    """Answers that go somewhat with subset size, of a rater of their own."""
    rng = np.random.default_rng(seed)
    own, slope = rng.normal(), rng.normal(0.25, 0.1)

    def answers(trial, questions):
        image = trial.study_image.image
        latent = slope * image.position + 2 * (image.process == "creative") + own + rng.logistic()
        label = "inconclusive" if rng.random() < 0.1 else LABELS[int(latent < 2)]
        choices = {
            "creativity": int(np.clip(round(2 + latent), 1, 7)),
            "label": label,
            "line": float(np.clip(round(50 + 10 * latent), 0, 100)),
        }
        return {question.key: choices[question.key] for question in questions}

    return answers


def study_of(*questions, n_raters=7):
    study = factories.study(
        16, list(questions), workspace=factories.workspace(), trials_per_participant=12
    )
    rate(study, n_raters)
    return study


def rate(study, n_raters):
    for seed in range(n_raters):
        factories.rated_participant(study, seed=seed, answers=answers_of(seed))


def plan(study, **changes):
    """Fix a plan whose primary test differs from the default by `changes`."""
    content = plans.default_content(study)
    content["exclusions"]["decisions"] = changes.pop("decisions", True)
    content["seed"] = 5
    content["primary"] |= changes
    content["family"] = [{name: content["primary"][name] for name in content["family"][0]}]
    plans.draft_plan(study=study, content=content)
    plans.fix_plan(study=study, reason="So it was meant.")


# R's clmm stops at a gradient of 1e-6, some 3e-5 of an estimate away from ours or nearer.
MIXED = 1e-3


def compare(study, folder, *, r_tolerance=MIXED):
    """The stored headline, which Python's script must give, and R's to within `r_tolerance`."""
    write_export(study=study, folder=folder)
    told = analyse(study=study).result["headline"]
    assert told["estimate"] is not None
    found = by_python(folder)["headline"]
    assert not list(folder.rglob("__pycache__"))
    assert (folder / "analysis" / "musescan_stats" / "LICENSE").read_text().startswith("MIT")
    for name in ("estimate", "interval", "p", "odds_ratio"):
        wanted = told[name]
        assert found[name] == (wanted and pytest.approx(wanted, rel=1e-8)), name
    for name in ("n_raters", "n_images", "n_ratings"):
        assert found[name] == told[name]
    if told["test"]["df"] is not None:
        assert found["t"] == pytest.approx(told["test"]["statistic"], rel=1e-8)
        assert found["df"] == pytest.approx(told["test"]["df"], rel=1e-8)
    row = by_r(folder)
    assert row["method"] == f"planned {told['model']}"
    assert row["n_images"] == told["n_images"]
    assert row["estimate"] == pytest.approx(told["estimate"], rel=r_tolerance)
    if "wald_standard_error" in found:
        wald = pytest.approx(found["wald_standard_error"], rel=r_tolerance)
        assert row["standard_error"] == wald
    return told


def test_without_a_plan_it_is_the_default(db, folder):
    compare(study_of("creativity_likert", "four_labels"), folder)


def test_a_plan_says_predictor_covariate_link_and_slopes(db, folder):
    study = study_of("creativity_likert")
    for result in study.scan.results.all():
        # Elsewhere the score is a quarter of the size.
        result.score = 5 + 3 * np.sin(result.pk)
        result.save(update_fields=["score"])
    plan(study, predictor="score", covariates=["size"], link="probit", rater_slopes=False)
    told = compare(study, folder)
    assert told["predictor"] == "score"
    assert told["unit"] == "probits per SD"


def test_two_labels_make_a_binomial_model_without_the_undecided(db, folder):
    told = compare(study_of("four_labels"), folder)
    assert told["question"] == "label"


def test_whom_researchers_excluded_stays_where_the_plan_says_so(db, folder):
    study = study_of("creativity_likert")
    someone = study.participants.filter(kind=ParticipantKind.PERSON).first()
    plan(study, decisions=False)
    decide(participant=someone, verdict="excluded", reason="asleep")
    told = compare(study, folder)
    assert told["n_raters"] == 7


def test_sliders_have_a_linear_model(db, folder):
    study = factories.study(
        16, [], workspace=factories.workspace(), state="draft", trials_per_participant=12
    )
    design.add_question(
        study=study, key="line", kind="slider", text="How?", options={"low": "a", "high": "b"}
    )
    lifecycle.change_state(study=study, act="launch")
    rate(study, 7)
    assert compare(study, folder)["model"] == "lmm"


def test_rank_correlations_are_over_images_and_raters(db, folder):
    study = study_of("creativity_likert")
    plan(study, model="spearman", link=None, rater_slopes=False)
    assert compare(study, folder, r_tolerance=1e-8)["interval"] is not None


def test_choices_between_two_images_go_by_abilities(db, folder):
    study = factories.study(
        workspace=factories.workspace(), state="draft", questions=[], trials_per_participant=8
    )
    design.add_question(study=study, key="more", kind="forced_choice", text="?", options={})
    lifecycle.change_state(study=study, act="launch")
    for seed in range(9):
        rng = np.random.default_rng(seed)

        def answers(trial, questions, rng=rng):
            left, right = (
                shown.study_image.image.position for shown in trial.images.order_by("place")
            )
            return {"more": "left" if left - right + 2 * rng.logistic() > 0 else "right"}

        factories.rated_participant(study, seed=seed, answers=answers)
    assert compare(study, folder, r_tolerance=1e-8)["model"] == "rao_kupper"
