"""The scripts of an export: the study's own figures, from the exported files alone."""

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
needs_r = pytest.mark.skipif(RSCRIPT is None, reason="Rscript is not installed")


def run(*command):
    return subprocess.run(
        [str(each) for each in command], capture_output=True, text=True, timeout=120, check=False
    )


def python(folder, *options):
    # -I: neither the working folder nor the environment leads to Musescan.
    script = folder / "analysis" / "headline.py"
    return run(sys.executable, "-I", script, "--images", *options)


def r(folder, *options):
    return run(RSCRIPT, "--vanilla", folder / "analysis" / "headline.R", "--images", *options)


LANGUAGES = [pytest.param(python, id="python"), pytest.param(r, id="r", marks=needs_r)]


def figures(finished):
    """The correlations over images."""
    assert finished.returncode == 0, finished.stderr
    if finished.stdout.startswith("{"):
        return pd.DataFrame(json.loads(finished.stdout)["images"])
    found = pd.read_csv(io.StringIO(finished.stdout), sep="\t")
    return found[found["method"].isin(["spearman", "kendall"])]


def of_study(study, kind=None):
    """The associations of the results page, in the order of the scripts."""
    return pd.DataFrame(
        [
            (
                question["key"],
                each["predictor"],
                each["method_name"],
                each["estimate"],
                each["p"],
                each["n"],
            )
            for question in analyse(study=study, kind=kind).result["questions"]
            for each in question["associations"]
        ],
        columns=["question", "predictor", "method", "estimate", "p", "n_images"],
    )


def assert_same(found, told):
    keys = ["question", "predictor", "method"]
    found, told = found.sort_values(keys), told.sort_values(keys)
    assert len(told) > 0
    assert found[[*keys, "n_images"]].to_numpy().tolist() == (
        told[[*keys, "n_images"]].to_numpy().tolist()
    )
    for column in ("estimate", "p"):
        np.testing.assert_allclose(
            found[column].astype(float), told[column].astype(float), rtol=1e-8, atol=1e-10
        )


LABELS = ["creative", "novel_not_creative", "not_novel_or_creative", "inconclusive"]


def at_random(seed):
    """Answers that go somewhat with subset size, of a rater of their own."""
    rng = np.random.default_rng(seed)

    def answers(trial, questions):
        image = trial.study_image.image
        latent = image.position / 4 + 2 * (image.process == "creative") + rng.logistic()
        choices = {
            "creativity": int(np.clip(round(2 + latent), 1, 7)),
            "label": LABELS[rng.integers(4)],
        }
        return {question.key: choices[question.key] for question in questions}

    return answers


@pytest.fixture
def rated(db):
    """Two questions about 16 images by 8 people, one of whom is excluded, and 3 programs."""
    study = factories.study(
        16,
        ["creativity_likert", "four_labels"],
        workspace=factories.workspace(),
        trials_per_participant=10,
    )
    for seed in range(11):
        kind = ParticipantKind.SIMULATED if seed > 7 else ParticipantKind.PERSON
        factories.rated_participant(study, kind, seed=seed, answers=at_random(seed))
    person = study.participants.filter(kind=ParticipantKind.PERSON).first()
    decide(participant=person, verdict="excluded", reason="asleep")
    return study


@pytest.mark.parametrize("script", LANGUAGES)
def test_the_script_gives_the_figures_of_the_results_page(rated, folder, script):
    write_export(study=rated, folder=folder)
    finished = script(folder)
    assert "Raters: person." in finished.stderr
    assert_same(figures(finished), of_study(rated))


@pytest.mark.parametrize("script", LANGUAGES)
def test_simulated_raters_are_never_mixed_in_and_said_to_be_nobody(rated, folder, script):
    write_export(study=rated, folder=folder)
    finished = script(folder, "--raters", "simulated")
    assert "No person gave these ratings." in finished.stderr
    assert_same(figures(finished), of_study(rated, "simulated"))


@pytest.mark.parametrize("script", LANGUAGES)
def test_what_rich_studies_have_beside_ratings_is_not_counted(rich, folder, script):
    study, someone = rich
    decide(participant=someone, verdict="approved", reason="")
    write_export(study=study, folder=folder)
    found, told = figures(script(folder)), of_study(study)
    # All answers are the same: nothing is defined, and nothing is made up.
    assert told["estimate"].isna().all()
    assert_same(found, told)


@pytest.mark.parametrize("script", LANGUAGES)
@pytest.mark.parametrize(
    ("kind", "options", "answer"),
    [
        ("best_worst", {"k": 4, "best": "Most", "worst": "Least"}, ("q.best", "q.worst")),
        ("ranking", {"k": 4, "first": "Most", "last": "Least"}, None),
    ],
)
def test_comparisons_of_several_images_give_the_same(db, folder, script, kind, options, answer):
    study = factories.study(
        workspace=factories.workspace(), state="draft", questions=[], trials_per_participant=3
    )
    design.add_question(study=study, key="q", kind=kind, text="Which?", options=options)
    lifecycle.change_state(study=study, act="launch")
    for seed in range(4):
        rng = np.random.default_rng(seed)

        def answers(trial, questions, rng=rng):
            places = [str(place + 1) for place in rng.permutation(4)]
            if answer:
                return dict(zip(answer, places, strict=False))
            return {f"q.{place}": rank for place, rank in enumerate(places, start=1)}

        factories.rated_participant(study, seed=seed, answers=answers)
    write_export(study=study, folder=folder)
    assert_same(figures(script(folder)), of_study(study))


def compared(seed, *, ties):
    """Choices that go somewhat with the images' positions."""
    rng = np.random.default_rng(seed)

    def answers(trial, questions):
        left, right = (
            shown.study_image.image.position + 4 * (shown.study_image.image.process == "creative")
            for shown in trial.images.order_by("place")
        )
        difference = (left - right) / 4 + rng.logistic()
        if ties and abs(difference) < 0.6:
            return {"more": "tie"}
        return {"more": "left" if difference > 0 else "right"}

    return answers


def paired_study(options, n_raters, ties):
    study = factories.study(
        workspace=factories.workspace(), state="draft", questions=[], trials_per_participant=8
    )
    design.add_question(study=study, key="more", kind="forced_choice", text="?", options=options)
    lifecycle.change_state(study=study, act="launch")
    for seed in range(n_raters):
        factories.rated_participant(study, seed=seed, answers=compared(seed, ties=ties))
    return study


@pytest.mark.parametrize("script", LANGUAGES)
@pytest.mark.parametrize("ties", [False, True])
def test_choices_between_two_images_give_the_same_abilities(db, folder, script, ties):
    study = paired_study({"tie": "Both"} if ties else {}, 9, ties)
    write_export(study=study, folder=folder)
    told = of_study(study)
    assert (told["n_images"] == 8).all()
    assert_same(figures(script(folder)), told)


@pytest.mark.parametrize("script", LANGUAGES)
def test_images_without_a_finite_ability_are_left_out_as_on_the_page(db, folder, script):
    """With few answers some image always wins or always loses."""
    study = paired_study({"tie": "Both"}, 2, ties=True)
    write_export(study=study, folder=folder)
    told = of_study(study)
    assert told["n_images"].max() < 8
    assert_same(figures(script(folder)), told)


@pytest.mark.parametrize("script", LANGUAGES)
def test_what_is_left_out_is_said(db, folder, script):
    study = factories.study(workspace=factories.workspace(), state="draft", questions=[])
    design.add_question(study=study, key="why", kind="text", text="Why?", options={})
    lifecycle.change_state(study=study, act="launch")
    factories.rated_participant(study, answers=lambda trial, questions: {"why": "because"})
    write_export(study=study, folder=folder)
    finished = script(folder)
    assert finished.returncode == 0
    assert "why: left out, text has no number" in finished.stderr


@pytest.mark.parametrize("script", LANGUAGES)
def test_whom_the_plan_leaves_out_is_not_counted(rated, folder, script):
    someone = rated.participants.filter(kind=ParticipantKind.PERSON, is_excluded=False).last()
    someone.trials.update(response_time_ms=50)
    before = of_study(rated)
    content = plans.default_content(rated)
    content["exclusions"]["rules"] = ["max_fast_share"]
    plans.draft_plan(study=rated, content=content)
    plans.fix_plan(study=rated, reason="They cannot have looked.")
    n_rows = write_export(study=rated, folder=folder)
    assert n_rows["exclusions"] == 1
    told = of_study(rated)
    assert list(told["estimate"]) != list(before["estimate"])
    assert_same(figures(script(folder)), told)


@pytest.mark.parametrize("script", LANGUAGES)
def test_whom_researchers_excluded_is_counted_where_the_plan_says_so(rated, folder, script):
    before = of_study(rated)
    content = plans.default_content(rated)
    content["exclusions"]["decisions"] = False
    plans.draft_plan(study=rated, content=content)
    plans.fix_plan(study=rated, reason="Sleep is no reason.")
    write_export(study=rated, folder=folder)
    told = of_study(rated)
    assert list(told["estimate"]) != list(before["estimate"])
    assert_same(figures(script(folder)), told)


@pytest.mark.parametrize("script", LANGUAGES)
def test_without_ratings_the_script_says_so(study, folder, script):
    write_export(study=study, folder=folder)
    finished = script(folder, "--raters", "pilot")
    assert finished.returncode != 0
    assert "No such ratings are in this export." in finished.stderr


def test_an_export_can_be_checked_with_python_alone(rich, folder):
    write_export(study=rich[0], folder=folder)
    check = (sys.executable, "-I", "-S", folder / "analysis" / "check_files.py")
    whole = run(*check)
    assert whole.returncode == 0, whole.stdout + whole.stderr
    (path,) = folder.glob("data/*-responses_data.csv")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    cut = run(*check)
    assert cut.returncode == 1
    assert f"{path.name} has {len(content) // 2} bytes where {len(content)} were" in cut.stdout
    path.write_bytes(content[:-3] + b"x\r\n")
    assert f"{path.name} was changed" in run(*check).stdout
    path.unlink()
    assert f"{path.name} is missing" in run(*check).stdout
    manifest = folder / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:100])
    without = run(*check)
    assert without.returncode == 1
    assert "manifest.json is missing or damaged" in without.stderr
