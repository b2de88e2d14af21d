"""How the application is served: the one place that says how many processes and threads.

`python -m tests.benchmarks.load` measures it. `python -m studies.serving PORT` serves with a
worker beside the server, as the demonstration does.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import Any, NoReturn

WORKERS = 2
THREADS_PER_WORKER = 2
LOOK_AGAIN_S = 0.5
START_AGAIN_S = 5
# A worker that is told to end ends its work first; told again, it leaves it.
PATIENCE_S = (2, 10)


def server_command(
    port: int,
    *,
    host: str = "127.0.0.1",
    workers: int = WORKERS,
    threads: int = THREADS_PER_WORKER,
) -> list[str]:
    """The command that serves the application at `port`, under this Python."""
    options = {
        "--interface": "wsgi",
        "--host": host,
        "--port": port,
        "--workers": workers,
        "--blocking-threads": threads,
        "--log-level": "warning",
    }
    arguments = [str(word) for option in options.items() for word in option]
    return [sys.executable, "-m", "granian", *arguments, "studies.wsgi:application"]


def worker_command() -> list[str]:
    """The command that does what was asked for in pages, under this Python.

    The server has checked the settings; again, the worker would load every page's libraries.
    """
    return [sys.executable, "-m", "django", "db_worker", "--skip-checks", "--verbosity", "0"]


def serving_command(port: int) -> list[str]:
    """The command that serves at `port` with a worker beside the server."""
    return [sys.executable, "-m", "studies.serving", str(port)]


def serve(port: int) -> None:
    """Server and worker until the server ends or this is told to; they end together.

    A worker that ended by itself is started again: what it was doing is not.
    """
    environment = {
        "DJANGO_SETTINGS_MODULE": "studies.settings",
        "OMP_WAIT_POLICY": "passive",
        **os.environ,
    }
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    server = start(server_command(port), environment)
    worker = start(worker_command(), environment)
    started = time.monotonic()
    try:
        while server.poll() is None:
            if worker.poll() is not None and time.monotonic() - started > START_AGAIN_S:
                worker = start(worker_command(), environment)
                started = time.monotonic()
            time.sleep(LOOK_AGAIN_S)
    except KeyboardInterrupt:
        pass
    finally:
        end(server)
        end(worker)


def start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Begin it in a group of its own."""
    # Ctrl-C goes to each process of a terminal's group. The server's own processes would get it
    # too, be told to end a second time, and stay.
    return subprocess.Popen(command, env=environment, start_new_session=True)


def leave(number: int, frame: Any) -> NoReturn:
    raise SystemExit(0)


def end(process: subprocess.Popen[bytes]) -> None:
    """Tell it to end, again if need be, and at last end it."""
    for seconds in PATIENCE_S:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
