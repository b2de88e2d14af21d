"""Tasks in processes and on a real local cluster: the same numbers as one after the other."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from scanning import RankedPvalues, scan_group, scan_images
from scanning.calibration import calibrate_group
from scanning.cluster import fan_out, scan_image_blocks, scan_layers, scan_seeds
from scanning.commands import main

PVALUES = np.random.default_rng(0).integers(1, 101, (60, 40)) / 100


def double(number, array):
    return number * 2 + array.sum()


def double_slowly(number, array):
    time.sleep(0.05)
    return double(number, array)


def fail(number):
    raise ValueError(f"no {number} today")


def die_once(number, marker):
    """Kills its process the first time that any task runs."""
    if number == 3 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


def leave_a_mark(number, folder):
    time.sleep(0.01)
    (folder / str(number)).touch()


def die(_number):
    os.kill(os.getpid(), signal.SIGKILL)


class Counted:
    """Counts how often it leaves this process."""

    times = 0

    def __reduce__(self):
        type(self).times += 1
        return Counted, ()

    def sum(self):
        return 1


def assert_same_group(found, expected):
    assert (found.score, found.alpha, found.seed) == (expected.score, expected.alpha, expected.seed)
    np.testing.assert_array_equal(found.images, expected.images)
    np.testing.assert_array_equal(found.nodes, expected.nodes)
    np.testing.assert_array_equal(found.restart_scores, expected.restart_scores)


def assert_same_images(found, expected):
    assert found.n_thresholds == expected.n_thresholds
    np.testing.assert_array_equal(found.scores, expected.scores)
    np.testing.assert_array_equal(found.sizes, expected.sizes)
    np.testing.assert_array_equal(found.alphas, expected.alphas)
    for image in range(len(expected)):
        np.testing.assert_array_equal(found.nodes(image), expected.nodes(image))


@pytest.fixture(scope="module")
def cluster():
    with local_cluster(n_workers=3) as running:
        yield running


@contextlib.contextmanager
def local_cluster(n_workers):
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    # Dask logs from threads that outlive the capture of a test's output.
    for name in [name for name in logging.root.manager.loggerDict if "distributed" in name]:
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with distributed.LocalCluster(
        n_workers=n_workers, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as running:
        yield running


def worker_pids(running):
    return [worker.pid for worker in running.workers.values()]


def killer(running):
    """A progress callback that kills one worker as soon as the first task is done."""
    killed = []

    def kill(_done, _total, _message):
        if not killed:
            killed.append(worker_pids(running)[0])
            os.kill(killed[0], signal.SIGKILL)

    return kill, killed


@pytest.mark.parametrize("n_workers", [1, 2])
def test_results_come_in_the_order_of_the_items(n_workers):
    array = np.ones(200_000)
    calls = []
    found = fan_out(
        double,
        range(7),
        shared=[array],
        n_workers=n_workers,
        progress=lambda *call: calls.append(call),
        message="doubling",
    )
    assert found == [2 * n + 200_000 for n in range(7)]
    assert calls == [(n, 7, "doubling") for n in range(1, 8)]


def test_no_items_no_results():
    assert fan_out(double, [], shared=[1]) == []


@pytest.mark.parametrize("n_workers", [1, 2])
@pytest.mark.parametrize("kind", [iter, np.array, dict.fromkeys, tuple])
def test_items_are_whatever_can_be_iterated(n_workers, kind):
    items = kind([0, 1, 2])
    assert fan_out(double, items, shared=[np.zeros(1)], n_workers=n_workers) == [0, 2, 4]


def test_a_killed_process_changes_nothing(tmp_path):
    calls = []
    found = fan_out(
        die_once,
        range(8),
        shared=[tmp_path / "killed"],
        n_workers=2,
        progress=lambda *call: calls.append(call[0]),
    )
    assert (tmp_path / "killed").exists()
    assert found == [n**2 for n in range(8)]
    assert calls == list(range(1, 9))


@pytest.mark.parametrize("n_workers", [1, 2])
def test_who_is_told_of_progress_may_stop_the_tasks(n_workers, tmp_path):
    def stop(done, _total, _message):
        if done == 2:
            raise InterruptedError("that is enough")

    with pytest.raises(InterruptedError, match="that is enough"):
        fan_out(leave_a_mark, range(40), shared=[tmp_path], n_workers=n_workers, progress=stop)
    assert len(list(tmp_path.iterdir())) < 40
    assert fan_out(double, [1], shared=[np.zeros(1)], n_workers=n_workers) == [2]


def test_processes_that_die_again_and_again_are_an_error():
    with pytest.raises(ChildProcessError, match=r"^worker processes died 3 times, .*was 2$"):
        fan_out(die, range(4), n_workers=2)


@pytest.mark.parametrize("n_workers", [1, 2])
def test_an_error_in_a_task_is_raised(n_workers):
    with pytest.raises(ValueError, match="no 1 today"):
        fan_out(fail, [1, 1], n_workers=n_workers)


@pytest.mark.parametrize("n_workers", [0, -1, 1.5, "2", None, True])
def test_n_workers_is_checked(n_workers):
    with pytest.raises(ValueError, match=r"^n_workers must be a whole number of at least 1; got"):
        fan_out(double, [1], n_workers=n_workers)


@pytest.mark.parametrize("address", ["", "localhost", 8786, b"tcp://x"])
def test_address_is_checked(address):
    with pytest.raises(ValueError, match=r"^cluster must be the address of a Dask scheduler"):
        fan_out(double, [1], cluster=address)


def test_missing_dask_is_named():
    code = (
        "import sys\n"
        "sys.modules['distributed'] = None\n"
        "from scanning.cluster import fan_out\n"
        "try:\n"
        "    fan_out(abs, [1], cluster='tcp://127.0.0.1:1')\n"
        "except ModuleNotFoundError as error:\n"
        "    print(error)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.startswith("cluster needs Dask, which")


@pytest.mark.parametrize("n_workers", [1, 2])
def test_scan_of_seeds_is_the_best_of_them(n_workers):
    found = scan_seeds(PVALUES, [5, 6, 7], n_restarts=1, n_workers=n_workers)
    scans = [scan_group(PVALUES, n_restarts=1, seed=seed) for seed in (5, 6, 7)]
    assert found.score == max(scan.score for scan in scans)
    assert_same_group(found, scan_group(PVALUES, n_restarts=1, seed=found.seed))


@pytest.mark.parametrize("n_workers", [1, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocks_of_images_give_what_one_scan_gives(n_workers, dtype):
    pvalues = PVALUES.astype(dtype)
    found = scan_image_blocks(pvalues, block_size=17, alpha_max=0.1, n_workers=n_workers)
    assert_same_images(found, scan_images(pvalues, alpha_max=0.1))


def test_ranked_pvalues_give_the_same():
    ranked = RankedPvalues(np.rint(PVALUES * 100 - 1).astype(np.uint8), n_background=99)
    assert_same_images(scan_image_blocks(ranked, block_size=17), scan_images(PVALUES))
    found = scan_seeds(ranked, [1, 2], max_images=7, max_nodes=5, n_workers=2)
    assert_same_group(found, scan_group(PVALUES, seed=found.seed, max_images=7, max_nodes=5))
    layer = scan_layers({"a": ranked}, max_images=7)["a"]
    assert_same_group(layer.group, scan_group(PVALUES, max_images=7))


def test_layers_are_scanned_one_by_one():
    layers = {"a": PVALUES, "b": PVALUES[:5, :7]}
    found = scan_layers(layers, n_restarts=2, seed=3, statistic="higher_criticism")
    assert list(found) == ["a", "b"]
    for layer, matrix in layers.items():
        assert_same_images(found[layer].images, scan_images(matrix, "higher_criticism"))
        expected = scan_group(matrix, "higher_criticism", n_restarts=2, seed=3)
        assert_same_group(found[layer].group, expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scan_seeds(PVALUES, []), "seeds must hold at least one seed; got none"),
        (lambda: scan_seeds(PVALUES, [-1]), "seeds must be a whole number of at least 0; got -1"),
        (lambda: scan_seeds([1], [1]), "pvalues must have two dimensions"),
        (lambda: scan_layers({}), "pvalues must hold at least one layer; got none"),
        (lambda: scan_layers({"x": [1]}), r"pvalues\['x'\] must have two dimensions"),
        (lambda: scan_image_blocks(PVALUES, block_size=0), "block_size must be a whole number"),
        (
            lambda: scan_image_blocks([[0.5], [0.0]], block_size=1),
            r"pvalues must be in \(0, 1\]; got 0.0 at image 1, node 0",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


def test_cluster_gives_the_same_numbers(cluster):
    address = cluster.scheduler_address
    array = np.arange(300_000)
    calls = []
    found = fan_out(
        double,
        range(100),
        shared=[array],
        cluster=address,
        progress=lambda done, total, _: calls.append((done, total)),
    )
    assert found == fan_out(double, range(100), shared=[array])
    assert calls[-1] == (100, 100)
    found = scan_seeds(PVALUES, [5, 6, 7], n_restarts=1, cluster=address)
    assert_same_group(found, scan_seeds(PVALUES, [5, 6, 7], n_restarts=1))
    blocks = scan_image_blocks(PVALUES, block_size=9, cluster=address)
    assert_same_images(blocks, scan_images(PVALUES))
    assert_same_group(scan_layers({"a": PVALUES}, cluster=address)["a"].group, scan_group(PVALUES))


def test_the_command_line_runs_on_the_cluster(cluster, tmp_path, capsys):
    rng = np.random.default_rng(1)
    for name, n_images in (("background", 50), ("normal", 60), ("test", 6)):
        np.save(tmp_path / f"{name}.npy", rng.normal(size=(n_images, 20)))
    fitted = str(tmp_path / "fitted.npz")
    assert main(["fit", str(tmp_path / "background.npy"), "--output", fitted]) == 0
    arguments = [
        "calibrate", str(tmp_path / "test.npy"), "--normal", str(tmp_path / "normal.npy"),
        "--background", fitted, "--replicates", "40", "--format", "json", "--quiet",
    ]  # fmt: skip
    capsys.readouterr()
    assert main(arguments) == 0
    expected = capsys.readouterr().out
    assert main([*arguments, "--cluster", cluster.scheduler_address]) == 0
    assert capsys.readouterr().out == expected


def test_data_goes_to_the_cluster_once(cluster):
    Counted.times = 0
    found = fan_out(double, range(50), shared=[Counted()], cluster=cluster.scheduler_address)
    assert found == [2 * n + 1 for n in range(50)]
    assert Counted.times == 1


def test_an_error_on_the_cluster_is_raised(cluster):
    with pytest.raises(ValueError, match="no 1 today"):
        fan_out(fail, [1, 1], cluster=cluster.scheduler_address)


def test_workers_that_die_again_and_again_are_an_error(monkeypatch):
    # First, so that its defaults are there before one of them is set, and stay afterwards.
    pytest.importorskip("distributed", reason="distributed is not installed")
    dask = pytest.importorskip("dask")
    monkeypatch.setattr("scanning._dask.MAX_ATTEMPTS", 1)
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        local_cluster(n_workers=1) as running,
        pytest.raises(ConnectionError, match="must keep its scheduler and workers while tasks run"),
    ):
        fan_out(die, range(2), cluster=running.scheduler_address)


@pytest.mark.parametrize("n_workers", [1, 3])
def test_a_killed_worker_changes_nothing(n_workers):
    """With one worker the shared data die with it and are sent again."""
    array = np.arange(300_000)
    with local_cluster(n_workers) as running:
        kill, killed = killer(running)
        found = fan_out(
            double_slowly,
            range(40),
            shared=[array],
            cluster=running.scheduler_address,
            progress=kill,
        )
        assert found == [double(n, array) for n in range(40)]
        assert killed


def test_calibration_is_the_same_when_a_worker_is_killed():
    with local_cluster(n_workers=2) as running:
        kill, killed = killer(running)
        found = calibrate_group(
            PVALUES[5:],
            PVALUES[:5],
            n_replicates=64,
            cluster=running.scheduler_address,
            progress=kill,
        )
        assert killed
    assert found.to_dict() == calibrate_group(PVALUES[5:], PVALUES[:5], n_replicates=64).to_dict()


def test_an_address_without_a_scheduler_is_named(monkeypatch):
    pytest.importorskip("distributed", reason="distributed is not installed")
    monkeypatch.setattr("scanning._dask.SECONDS_TO_CONNECT", 1)
    with pytest.raises(ConnectionError, match="cluster must be the address of a running Dask"):
        fan_out(double, [1], shared=[1], cluster="tcp://127.0.0.1:1")
    with pytest.raises(ConnectionError, match="cluster must be the address of a running Dask"):
        fan_out(double, [1], shared=[1], cluster="nonsense://x")
