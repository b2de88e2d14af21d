"""Calibration by held-out normal images: recorded as the library finds it, or refused in words."""

import subprocess
import sys

import numpy as np
import pytest

from scanning import Background, calibrate_group, calibrate_images, scan_group, scan_images
from studies.errors import DomainError
from studies.models import Image, Process, Scan, ScanResult
from studies.services import files
from studies.services.exports.scan import describe_scan
from studies.services.scans import pvalue_interval, run_scan
from tests.studies import factories

pytestmark = pytest.mark.django_db
N_TESTED = 10


@pytest.fixture
def lab():
    return factories.workspace()


@pytest.fixture
def sets(lab):
    return {
        "background": factories.kept_set(60, workspace=lab, seed=1),
        "normal": factories.kept_set(5, workspace=lab, seed=2),
        "creative": factories.kept_set(
            5, workspace=lab, seed=3, shift=3.0, process=Process.CREATIVE
        ),
        "held_out": factories.kept_set(30, workspace=lab, seed=4),
    }


def scan_of(lab, sets, **changes):
    asked = {
        "name": "scan",
        "background": sets["background"],
        "test_sets": [sets["normal"], sets["creative"]],
        "held_out": [sets["held_out"]],
        "layer": factories.LAYER,
        "n_restarts": 2,
        "n_replicates": 19,
        "seed": 4,
    }
    return run_scan(workspace=lab, **asked | changes)


def pvalues(sets, *names):
    arrays = {
        name: files.load_array(each.activations_sha256, f"layer:{factories.LAYER}")
        for name, each in sets.items()
    }
    background = Background.fit(arrays["background"])
    return background.pvalues(np.concatenate([arrays[name] for name in names]))


def test_what_is_recorded_is_what_the_library_finds(lab, sets):
    scan = scan_of(lab, sets)
    test, normal = pvalues(sets, "normal", "creative"), pvalues(sets, "held_out")
    group = calibrate_group(normal, test, null="pooled", n_replicates=19, n_restarts=2, seed=4)
    images = calibrate_images(normal, test)
    assert (scan.null_kind, scan.n_held_out, scan.n_replicates) == ("pooled", 30, 19)
    assert (scan.calibration_seed, scan.confidence) == (4, 0.95)
    assert scan.null_scores == pytest.approx(list(group.null_scores))
    assert (scan.group_pvalue, scan.group_n_exceeding) == (group.pvalue, group.n_exceeding)
    assert (scan.group_pvalue_low, scan.group_pvalue_high) == pytest.approx(group.interval)
    assert scan.group_score == pytest.approx(group.score)
    assert list(scan.held_out.all()) == [sets["held_out"]]
    rows = list(scan.results.order_by("image__image_set", "image__position"))
    assert [row.pvalue for row in rows] == list(images.pvalues)
    assert [row.n_exceeding for row in rows] == list(images.n_exceeding)
    for row, interval in zip(rows, images.intervals, strict=True):
        assert pvalue_interval(row) == pytest.approx(tuple(interval))


def test_where_it_is_asked_for_null_groups_are_held_out_images_alone(lab, sets):
    sets["held_out"] = factories.kept_set(10 * N_TESTED, workspace=lab, seed=5)
    scan = scan_of(lab, sets, null="held-out")
    test, normal = pvalues(sets, "normal", "creative"), pvalues(sets, "held_out")
    group = calibrate_group(
        normal, scan_group(test, n_restarts=2, seed=4), group_size=N_TESTED, n_replicates=19,
        n_restarts=2, seed=4,
    )  # fmt: skip
    assert scan.null_kind == "held-out"
    assert (scan.group_pvalue, scan.null_scores) == (
        group.pvalue,
        pytest.approx(list(group.null_scores)),
    )


def test_with_too_few_for_the_group_images_alone_are_calibrated(lab, sets):
    sets["normal"] = factories.kept_set(40, workspace=lab, seed=6)
    scan = scan_of(lab, sets)
    assert scan.is_calibrated
    assert (scan.null_kind, scan.group_pvalue, scan.null_scores) == ("", None, [])
    assert not scan.results.filter(pvalue=None).exists()
    assert describe_scan(scan)["calibration"]["group"] is None


def test_several_held_out_sets_count_together(lab, sets):
    second = factories.kept_set(70, workspace=lab, seed=7)
    scan = scan_of(lab, sets, held_out=[sets["held_out"], second])
    assert (scan.n_held_out, scan.null_kind) == (100, "pooled")


def test_a_planted_anomaly_is_unusual_and_normal_images_are_not(lab, sets):
    scan = scan_of(lab, sets)
    creative = scan.results.filter(image__process=Process.CREATIVE)
    assert all(row.pvalue < 0.05 for row in creative)
    assert scan.group_pvalue == 1 / 20


def test_without_held_out_sets_nothing_is_calibrated(lab, sets):
    scan = scan_of(lab, sets, held_out=[])
    assert not scan.is_calibrated
    assert (scan.confidence, scan.group_pvalue, scan.calibration_seed) == (None, None, None)
    assert not scan.results.exclude(pvalue=None).exists()
    assert pvalue_interval(scan.results.first()) is None
    assert describe_scan(scan)["calibration"] is None


def test_caps_and_engine_are_kept_and_held(lab, sets):
    scan = scan_of(lab, sets, max_images=2, max_nodes=3)
    assert (scan.max_images, scan.max_nodes, scan.engine) == (2, 3, "numba")
    assert scan.group_n_images <= 2
    assert scan.group_n_nodes <= 3


def test_several_processes_find_the_same(lab, sets, settings):
    first = scan_of(lab, sets, name="here")
    settings.SCAN_WORKERS = 2
    second = scan_of(lab, sets, name="in two processes")
    assert first.null_scores == second.null_scores
    scores = [
        list(each.results.order_by("image").values_list("score", "size", "pvalue"))
        for each in (first, second)
    ]
    assert scores[0] == scores[1]


def test_progress_covers_the_whole_and_may_stop_it(lab, sets):
    told = []
    scan_of(lab, sets, progress=lambda *each: told.append(each))
    assert {total for _, total, _ in told} == {4 + 19}
    assert [done for done, _, _ in told] == sorted({done for done, _, _ in told})
    assert told[-1][:2] == (23, 23)

    def stop(done, total, message):
        if done > 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan_of(lab, sets, name="another", progress=stop)
    assert Scan.objects.count() == 1


def refused(lab, sets, code, words, **changes):
    before = (Scan.objects.count(), ScanResult.objects.count())
    with pytest.raises(DomainError, match=words) as caught:
        scan_of(lab, sets, **changes)
    assert caught.value.code == code
    assert (Scan.objects.count(), ScanResult.objects.count()) == before


def test_the_background_is_not_held_out(lab, sets):
    refused(
        lab, sets, "held_out_is_background", "other images than the background",
        held_out=[sets["background"]],
    )  # fmt: skip


def test_tested_images_are_not_held_out_under_whatever_name(lab, sets):
    again = factories.kept_set(5, workspace=lab, seed=2, name="the same again")
    for held_out in (sets["normal"], again):
        refused(lab, sets, "held_out_is_tested", "other images than those", held_out=[held_out])


def test_held_out_images_are_normal(lab, sets):
    creative = factories.kept_set(30, workspace=lab, process=Process.CREATIVE)
    refused(lab, sets, "held_out_not_normal", "normal images only", held_out=[creative])


def test_held_out_images_are_of_the_model(lab, sets):
    other = factories.kept_set(30, workspace=lab, model=factories.model(workspace=lab))
    refused(lab, sets, "held_out_other_model", "from the background’s model", held_out=[other])


def test_held_out_images_keep_the_layer(lab, sets):
    other = factories.kept_set(30, workspace=lab, layers=["pixels"])
    refused(lab, sets, "unknown_layer", r"keeps \(pixels\).*in common: no layer", held_out=[other])


def test_held_out_images_are_of_the_workspace(lab, sets):
    other = factories.kept_set(30, workspace=factories.workspace())
    refused(lab, sets, "other_workspace", "must belong to workspace", held_out=[other])


def test_too_few_held_out_images_are_refused(lab, sets):
    few = factories.kept_set(18, workspace=lab)
    refused(lab, sets, "too_few_held_out", "at least 19 held-out images; got 18", held_out=[few])


def test_a_null_that_cannot_be_is_refused(lab, sets):
    refused(lab, sets, "too_few_held_out", "at least 100 held-out images; got 30", null="held-out")
    refused(lab, sets, "unknown_null", "null must be one of held-out, pooled", null="permuted")
    refused(lab, sets, "bad_scan_parameter", "n_replicates", n_replicates=5)


def test_a_name_that_is_taken_is_refused_before_anything_is_computed(lab, sets):
    scan_of(lab, sets)
    steps = []
    refused(
        lab, sets, "name_taken", "already a scan called", progress=lambda *each: steps.append(1)
    )
    assert not steps


def test_a_cluster_that_does_not_answer_is_said(lab, sets, settings, monkeypatch):
    monkeypatch.setattr("scanning._dask.SECONDS_TO_CONNECT", 0.5)
    settings.CLUSTER = "tcp://127.0.0.1:9"
    refused(lab, sets, "cluster_unreachable", "MUSESCAN_CLUSTER: .*tcp://127.0.0.1:9")
    settings.CLUSTER = "127.0.0.1:9"
    refused(lab, sets, "bad_scan_parameter", "cluster must be the address of a Dask scheduler")


def test_a_cluster_finds_the_same(lab, sets, settings):
    distributed = pytest.importorskip("distributed")
    first = scan_of(lab, sets, name="here")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        settings.CLUSTER = cluster.scheduler_address
        second = scan_of(lab, sets, name="on a cluster")
    assert first.null_scores == second.null_scores
    assert first.group_pvalue == second.group_pvalue


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [("SCAN_WORKERS", "none", "whole number"), ("SCAN_WORKERS", "0", "at least 1; got '0'")],
)
def test_a_setting_that_cannot_be_is_said(variable, value, words, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", "import studies.settings"],
        env={"MUSESCAN_DATA_DIR": str(tmp_path), f"MUSESCAN_{variable}": value},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert f"MUSESCAN_{variable} must be a whole number" in done.stderr
    assert words in done.stderr


def test_results_come_in_batches(lab, sets, monkeypatch):
    monkeypatch.setattr("studies.services.scans.BATCH", 4)
    scan = scan_of(lab, sets)
    assert scan.results.count() == N_TESTED == Image.objects.filter(scan_results__scan=scan).count()
    assert list(scan_images(pvalues(sets, "normal", "creative")).scores) == pytest.approx(
        list(
            scan.results.order_by("image__image_set", "image__position").values_list(
                "score", flat=True
            )
        )
    )
