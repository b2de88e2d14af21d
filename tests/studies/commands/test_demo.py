"""The demonstration, whole and small: real data, a real model, real images, a real scan."""

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from scanning.generative import TrainingConfig, load_combo
from scanning.generative import datasets as datasets_module
from scanning.generative import training as training_module
from studies.models import (
    GenerativeModel,
    Image,
    ImageSet,
    Membership,
    Participant,
    Process,
    Response,
    Scan,
    Study,
)
from studies.services import analysis, demo, files
from studies.services.lifecycle import change_state
from tests.studies import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(monkeypatch, settings, tmp_path):
    """The same steps on a twentieth of the data; collecting static files has its own tests."""
    settings.DATA_DIR = tmp_path
    for name, value in {
        "N_BACKGROUND": 60,
        "N_TEST": 24,
        "N_HELD_OUT": 48,
        "N_REPLICATES": 19,
        "N_QUANTILES": 2,
        "N_PER_STRATUM": 3,
        "TRIALS_PER_PARTICIPANT": 6,
    }.items():
        monkeypatch.setattr(demo, name, value)
    whole = load_combo()
    part = type(whole)(
        images=whole.images[::20],
        labels=whole.labels[::20],
        name=whole.name,
        description=whole.description,
        licence=whole.licence,
    )
    monkeypatch.setattr(datasets_module, "load_combo", lambda: part)
    real = training_module.train_vae
    monkeypatch.setattr(
        training_module,
        "train_vae",
        lambda images, config, **more: real(
            images, TrainingConfig(epochs=2, seed=config.seed), **more
        ),
    )
    settings.STATIC_ROOT = tmp_path / "static"


def run(**options):
    out = StringIO()
    call_command("demo", no_serve=True, stdout=out, **options)
    return out.getvalue()


def test_everything_is_there_and_a_second_run_duplicates_nothing(small):
    first = run(simulate=3)
    counts = {
        model: model.objects.count()
        for model in (GenerativeModel, ImageSet, Image, Scan, Study, Participant, Response)
    }
    assert list(counts.values()) == [1, 4, 60 + 24 + 24 + 48, 2, 1, 3, 3 * 6 * 2]
    second = run(simulate=3)
    assert counts == {model: model.objects.count() for model in counts}
    password = re.search(r"Sign in as +researcher, password (\S+)", first)[1]
    assert f"password {password}" in second
    for out in (first, second):
        assert "/s/demo/" in out
        assert "/workspace/" in out
        assert "3 simulated raters" in out
        assert re.search(r"decoder\.dense1 +48 +256 +\d\.\d\d \[", out)
        assert re.search(r"pixels +48 +784", out)
        assert re.search(r"decoder\.dense1: \d+ of 19 null groups score as high", out)
    assert Study.objects.get().analysis_runs.count() == 1
    run(simulate=4)
    assert Participant.objects.count() == 4
    assert Study.objects.get().analysis_runs.count() == 2


def test_scans_are_calibrated_by_images_of_their_own(small):
    run()
    for scan in Scan.objects.all():
        assert (scan.n_held_out, scan.n_replicates, scan.null_kind) == (48, 19, "pooled")
        assert 0 < scan.group_pvalue <= 1
        assert not scan.results.filter(pvalue=None).exists()
        seeds = [each.generation["seed"] for each in ImageSet.objects.all()]
        assert len(set(seeds)) == 4


def test_a_demonstration_from_before_calibration_goes_on(small, monkeypatch):
    """What is there stays as it is: the study on its scan, the scan without p."""
    run()
    old = Scan.objects.get(name="decoder.dense1, seed 0")
    old.held_out.clear()
    old.results.update(pvalue=None, n_exceeding=None)
    Scan.objects.filter(pk=old.pk).update(
        n_held_out=0, confidence=None, null_kind="", n_replicates=0, calibration_seed=None,
        null_scores=[], group_n_exceeding=None, group_pvalue=None, group_pvalue_low=None,
        group_pvalue_high=None,
    )  # fmt: skip
    held_out = ImageSet.objects.get(name="Held-out normal, seed 0")
    Scan.objects.exclude(pk=old.pk).delete()
    held_out.images.all().delete()
    held_out.delete()
    for _ in range(2):
        run()
        assert Scan.objects.count() == 3
        assert ImageSet.objects.count() == 4
    old.refresh_from_db()
    assert not old.is_calibrated
    assert Study.objects.get().scan == old
    beside = Scan.objects.get(name="decoder.dense1, seed 0, calibrated")
    assert (beside.group_score, beside.is_calibrated) == (old.group_score, True)


def test_what_is_made_can_be_scanned_and_analysed_again(small):
    run(simulate=3)
    study = Study.objects.get()
    assert study.state == "running"
    assert [q.key for q in study.questions.all()] == ["creativity", "label"]
    strata = set(study.study_images.values_list("stratum", flat=True))
    assert strata == {"creative q1", "creative q2", "normal q1", "normal q2"}
    creative = ImageSet.objects.get(images__process=Process.CREATIVE, images__position=0)
    assert creative.generation["creative_decoding"]["selection"] == "low_active"
    kept = files.load_array(creative.activations_sha256, "latents")
    assert kept.shape[0] == 24
    switched_on = files.load_array(creative.activations_sha256, "modulated:counts")
    assert switched_on.shape == (24,)
    assert set(switched_on) <= set(range(20, 61))
    assert analysis.analyse(study=study).result["simulated"] is True
    model = GenerativeModel.objects.get()
    path = files.path_of("weights", model.weights_sha256)
    assert files.sha256_of(path) == model.weights_sha256
    from scanning.generative import load_model

    assert load_model(path).config.to_dict() == model.configuration


def test_another_seed_makes_another_study_beside_the_first(small):
    run()
    run(seed=1)
    assert set(Study.objects.values_list("slug", flat=True)) == {"demo", "demo-1"}
    assert GenerativeModel.objects.count() == 2


def test_the_researcher_owns_the_demonstration(small):
    run()
    membership = Membership.objects.get()
    assert membership.user.username == "researcher"
    assert membership.role == "owner"
    assert Study.objects.get().workspace == membership.workspace


def test_a_changed_password_is_not_printed(small):
    run()
    user = Membership.objects.get().user
    user.set_password("something else entirely")
    user.save()
    assert "changepassword researcher" in run()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"simulate": -1}, "--simulate must not be negative; got -1"),
        ({"seed": -1}, "--seed must not be negative; got -1"),
        ({"seed": 2**31}, "--seed must be at most 2147483647; got 2147483648"),
        ({"port": 0}, "--port must be from 1 to 65535; got 0"),
    ],
)
def test_bad_options_are_refused_before_anything_is_done(small, options, words):
    with pytest.raises(CommandError, match=re.escape(words)):
        run(**options)
    assert not GenerativeModel.objects.exists()


def test_reset_does_not_delete_what_people_gave_without_being_told(small):
    study = factories.study(workspace=factories.workspace())
    factories.rated_participant(study)
    with pytest.raises(
        CommandError,
        match="by 1 person and, besides the demonstration, 1 study, 3 image sets",
    ):
        run(reset=True)
    assert Response.objects.count() == 4


def test_simulating_needs_a_running_study(small):
    run()
    change_state(study=Study.objects.get(), act="close")
    with pytest.raises(CommandError, match=r"--simulate needs a running study, and .* is closed"):
        run(simulate=1)


def test_weights_that_are_gone_are_said_before_anything_is_trained(small):
    run()
    files.path_of("weights", GenerativeModel.objects.get().weights_sha256).unlink()
    with pytest.raises(CommandError, match=r"weights .* are no longer in the data folder"):
        run()


def test_a_study_that_only_sounds_like_the_demonstration_is_not_lost(small):
    factories.study(workspace=factories.workspace(), slug="demographics-2026")
    with pytest.raises(CommandError, match="besides the demonstration, 1 study"):
        run(reset=True)


def test_reset_refuses_a_database_that_is_served(tmp_path):
    """With the command itself, on a database file that another process holds open."""
    environment = {
        **os.environ,
        "MUSESCAN_DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "studies.settings",
    }
    environment.pop("MUSESCAN_DATABASE_URL", None)

    def manage(*arguments):
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=environment,
            capture_output=True,
            text=True,
        )

    assert manage("migrate", "-v0").returncode == 0
    database = tmp_path / "musescan.sqlite3"
    with closing(sqlite3.connect(database)) as server:
        server.execute("SELECT count(*) FROM studies_study").fetchone()
        refused = manage("demo", "--reset", "--no-serve")
    assert refused.returncode == 1
    assert "found the database in use" in refused.stderr
    assert database.exists()
