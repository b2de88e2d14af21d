"""Work over threads: in order, errors and nesting included, after a fork and at the very end."""

import os
import subprocess
import sys
import threading

import pytest
from numba.core import config

from scanning._threads import interruptible, map_threads, n_threads


@pytest.fixture(autouse=True, params=[1, 2, 7])
def _threads(request, monkeypatch):
    monkeypatch.setattr(config, "NUMBA_NUM_THREADS", request.param)


@pytest.mark.parametrize("n_items", [0, 1, 2, 50])
def test_results_are_in_the_order_of_the_items(n_items):
    assert map_threads(lambda item: item * item, range(n_items)) == [i * i for i in range(n_items)]


def test_work_within_work_is_done_and_does_not_wait_for_itself():
    def rows(i):
        return map_threads(lambda j: (i, j), range(5))

    assert map_threads(rows, range(5)) == [[(i, j) for j in range(5)] for i in range(5)]


def test_an_error_is_raised_when_nothing_runs_any_more():
    running = set()

    def work(item):
        running.add(item)
        try:
            if item == 3:
                raise KeyError(item)
        finally:
            running.discard(item)

    with pytest.raises(KeyError, match="3"):
        map_threads(work, range(200))
    assert not running
    assert map_threads(abs, [-1, 2, -3]) == [1, 2, 3]


def test_many_lengths_of_work_need_no_more_threads():
    before = threading.active_count()
    for n_items in range(2, 60):
        map_threads(abs, range(n_items))
    assert threading.active_count() - before < n_threads()


def test_a_forked_child_starts_threads_of_its_own():
    map_threads(abs, range(20))
    child = os.fork()
    if child == 0:
        os._exit(0 if map_threads(abs, range(-9, 0)) == [*range(9, 0, -1)] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_thread_that_outlives_the_main_one_is_served():
    code = (
        "import threading, time\n"
        "from scanning._threads import map_threads\n"
        "def late():\n"
        "    threading.main_thread().join()\n"
        "    time.sleep(0.1)\n"
        "    print(sum(map_threads(abs, range(100))))\n"
        "threading.Thread(target=late).start()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "NUMBA_NUM_THREADS": "4"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "4950", "")


@pytest.mark.parametrize("cause", [KeyboardInterrupt, SystemExit])
def test_an_interruption_of_a_kernel_is_no_error_of_the_system(cause):
    @interruptible
    def kernel():
        raise SystemError("returned a result with an exception set") from cause(1)

    with pytest.raises(cause):
        kernel()


def test_other_errors_of_the_system_stay_what_they_are():
    @interruptible
    def kernel(error):
        raise SystemError from error

    for error in (None, ValueError()):
        with pytest.raises(SystemError):
            kernel(error)
