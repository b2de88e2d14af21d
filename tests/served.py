"""The application as it is deployed: a real granian, a database and files of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from studies.serving import server_command

ROOT = Path(__file__).parents[1]
START_S = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Served:
    """A server with the data in `folder`; its address stays the same over restarts."""

    def __init__(
        self, folder: Path, *, static: Path, database_url: str | None = None, n_workers: int = 1
    ) -> None:
        self.environment = {
            **os.environ,
            "MUSESCAN_DATA_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "studies.settings",
            "PYTHONPATH": str(ROOT),
        }
        self.environment.pop("MUSESCAN_DATABASE_URL", None)
        if database_url is not None:
            self.environment["MUSESCAN_DATABASE_URL"] = database_url
        (folder / "static").symlink_to(static)
        self.folder = folder
        self.n_workers = n_workers
        self.port = free_port()
        self.address = f"http://localhost:{self.port}"
        self.log = folder / "server.log"
        self.process: subprocess.Popen | None = None
        self.run("manage.py", "migrate", "-v0")

    def run(self, *arguments: str) -> str:
        """What a script prints that runs beside the server, on the same data."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                server_command(self.port, workers=self.n_workers),
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                # A group of its own, so that its workers can be killed with it.
                start_new_session=True,
            )
        self.wait()

    def wait(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, f"the server stopped: {self.log.read_text()}"
            try:
                with urllib.request.urlopen(f"{self.address}/healthz", timeout=START_S):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"{self.address} did not answer: {self.log.read_text()}")

    def kill(self) -> None:
        """End every process of the server at once, as a power cut or the kernel would."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(START_S)
        self.process = None

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(START_S)
            self.process = None
