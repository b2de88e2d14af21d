"""Programs that run beside the benchmark: started, waited for, and ended with what they started."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

START_S, STOP_S = 60, 10
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> str:
    """Run to the end; what it printed. RuntimeError with its complaint where it failed."""
    done = subprocess.run(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stdout}{done.stderr}")
    return done.stdout


def cpu_seconds(pid: int) -> float:
    """Processor time, user and system, that process `pid` and all its descendants have taken.

    Read from /proc; descendants that have ended count once their parent has waited for them.
    """
    parents, seconds = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The second field, a name in parentheses, can hold anything.
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        number = int(path.parent.name)
        parents[number] = int(fields[1])
        seconds[number] = sum(int(ticks) for ticks in fields[11:15]) / TICKS_PER_S
    family = {pid}
    while grown := {child for child, parent in parents.items() if parent in family} - family:
        family |= grown
    return sum(seconds.get(number, 0.0) for number in family)


@contextmanager
def served(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], address: str, log: Path
) -> Iterator[int]:
    """Run a server in a process group of its own until the block ends; its process id."""
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until_served(address, process, log)
        yield process.pid
    finally:
        stop(process)


def wait_until_served(address: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server at {address} stopped: {log.read_text()}")
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{address} did not answer within {START_S} s: {log.read_text()}")


def stop(process: subprocess.Popen) -> None:
    """End the process and whatever it started: kindly, then not."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
        except ProcessLookupError:
            break
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
