"""The server with its worker beside it, as the demonstration starts them: real processes."""

import os
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from studies.serving import serving_command, worker_command
from tests.served import ROOT, Served

WAIT_S = 60
ASK_FOR_A_SCAN = """
import django
django.setup()
from studies import tasks
from studies.models import Role
from studies.services.scans import ScanRequest
from tests.studies import factories
lab = factories.workspace()
asked = ScanRequest(
    workspace=lab, name="by a worker", background=factories.kept_set(40, workspace=lab),
    test_sets=[factories.kept_set(6, workspace=lab)],
    held_out=[factories.kept_set(30, workspace=lab)],
    layer=factories.LAYER, n_replicates={n_replicates},
)
tasks.start_scan(asked=asked, key="a key", asked_by=factories.user(Role.EDITOR, workspace=lab))
"""
TELL = """
import django
django.setup()
from studies.models import Job
job = Job.objects.latest("pk")
print(job.state, job.n_done, job.scan and job.scan.group_pvalue is not None)
"""


@pytest.fixture
def data(tmp_path, collected_static):
    return Served(tmp_path, static=collected_static)


def ask_for_a_scan(data, n_replicates=19):
    data.run("-c", ASK_FOR_A_SCAN.format(n_replicates=n_replicates))


def told(data):
    state, n_done, calibrated = data.run("-c", TELL).split()
    return state, int(n_done), calibrated


def until(data, is_so):
    deadline = time.monotonic() + WAIT_S
    while not is_so(told(data)):
        assert time.monotonic() < deadline, told(data)
        time.sleep(0.2)


def start(data, command):
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=data.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def running(column, number):
    """The processes whose parent ("ppid") or group ("pgid") it is, without those that ended."""
    listed = subprocess.run(
        ["ps", "-e", "-o", f"{column}=,pid=,stat="], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    return [int(pid) for each, pid, state in rows if int(each) == number and state[0] != "Z"]


@pytest.mark.parametrize("ctrl_c", [False, True])
def test_server_and_worker_start_and_end_together(data, ctrl_c):
    serving = start(data, serving_command(data.port))
    try:
        data.process = serving
        data.wait()
        ask_for_a_scan(data)
        until(data, lambda now: now[0] == "finished")
        assert told(data)[2] == "True"
        groups = running("ppid", serving.pid)
        assert len(groups) == 2
    finally:
        # A terminal sends Ctrl-C to every process of the group.
        os.killpg(serving.pid, signal.SIGINT) if ctrl_c else serving.terminate()
        assert serving.wait(WAIT_S) == 0
    assert not [pid for group in groups for pid in running("pgid", group)]
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{data.address}/healthz")


def test_a_worker_that_is_killed_leaves_nothing_but_a_job_that_is_silent(data):
    ask_for_a_scan(data, n_replicates=100_000)
    worker = start(data, worker_command())
    until(data, lambda now: now[0] == "running" and now[1] > 5)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait(WAIT_S)
    state, n_done, made = told(data)
    assert (state, made) == ("running", "None")
    time.sleep(0.5)
    assert told(data)[1] == n_done


def test_a_worker_that_is_told_to_end_twice_stops_its_job(data):
    ask_for_a_scan(data, n_replicates=100_000)
    worker = start(data, worker_command())
    until(data, lambda now: now[0] == "running" and now[1] > 5)
    worker.terminate()
    time.sleep(0.5)
    assert worker.poll() is None, "told once, it goes on with its work"
    worker.terminate()
    worker.wait(WAIT_S)
    assert told(data)[0] == "stopped"
    assert not running("pgid", worker.pid)


def test_both_run_under_this_python():
    assert serving_command(80)[0] == worker_command()[0] == sys.executable
