"""A private PostgreSQL cluster that can be killed and started again."""

import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path

import psutil
import psycopg2

from tests.served import START_S, free_port


def binaries() -> Path | None:
    """The folder with the newest PostgreSQL's programs, or None where there is none."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name)
    )
    if folders and (folders[-1] / "initdb").exists():
        return folders[-1]
    found = shutil.which("initdb")
    return Path(found).parent if found else None


class Cluster:
    """PostgreSQL with its data in `folder`, as durable as it comes, on a port of its own."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.programs = programs
        # PostgreSQL refuses to run as root, and its own user owns its cluster.
        self.owner: dict = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            self.owner = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            os.chown(folder, user.pw_uid, user.pw_gid)
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self.process: subprocess.Popen | None = None
        subprocess.run(
            [programs / "initdb", "-D", self.data, "--auth=trust", "--username=postgres"],
            check=True,
            capture_output=True,
            cwd=folder,
            **self.owner,
        )

    def start(self) -> None:
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [
                    *[self.programs / "postgres", "-D", self.data, "-p", str(self.port)],
                    *["-h", "127.0.0.1", "-k", self.folder],
                ],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self.owner,
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            assert self.process.poll() is None, (self.folder / "log").read_text()
            try:
                psycopg2.connect(self.url).close()
            except psycopg2.OperationalError:
                # Recovering from the last kill.
                time.sleep(0.02)
            else:
                return
        raise AssertionError((self.folder / "log").read_text())

    def kill(self) -> None:
        """End every process of the cluster at once, as a power cut or the kernel would."""
        assert self.process is not None
        children = psutil.Process(self.process.pid).children(recursive=True)
        # The first one starts no others once it is gone.
        for process in [psutil.Process(self.process.pid), *children]:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        self.process.wait(START_S)
        psutil.wait_procs(children, START_S)
        self.process = None

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(START_S)
            self.process = None
