"""A private PostgreSQL cluster with default settings, gone when it is done with."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2

from tests.benchmarks.load.processes import free_port

BINARIES = Path("/usr/lib/postgresql")


class Cluster:
    """A running cluster in `data`, listening at `port` of this machine."""

    def __init__(self, port: int, data: Path) -> None:
        self.port, self.data = port, data

    @property
    def pid(self) -> int:
        """The process that all of the cluster's processes descend from."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def url(self, database: str) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple]:
        """Run one statement outside a transaction; its rows, or none where it has none."""
        connection = psycopg2.connect(self.url(database))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def create_database(self, name: str, template: str = "template1") -> str:
        """Make the database `name`, a copy of `template`; its address."""
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def version(self) -> str:
        return self.execute("SHOW server_version")[0][0]


def newest_binaries() -> Path:
    """The folder with initdb and pg_ctl of the newest PostgreSQL that is installed."""
    found = [path.parent for path in BINARIES.glob("*/bin/initdb")]
    if not found:
        raise SystemExit(f"The load benchmark needs PostgreSQL: no */bin/initdb under {BINARIES}")
    return max(found, key=lambda path: [int(part) for part in path.parent.name.split(".")])


@contextmanager
def private_cluster() -> Iterator[Cluster]:
    """A cluster in a temporary folder on a free port of this machine.

    PostgreSQL refuses to run as root: there it runs as the user postgres, who owns the folder.
    """
    binaries = newest_binaries()
    as_root = os.geteuid() == 0
    prefix = ["runuser", "-u", "postgres", "--"] if as_root else []
    with tempfile.TemporaryDirectory(prefix="musescan-load-postgres-") as folder:
        if as_root:
            subprocess.run(["chown", "postgres", folder], check=True)
        data, log = f"{folder}/data", f"{folder}/log"
        cluster = Cluster(free_port(), Path(data))

        def run(*command: str) -> None:
            done = subprocess.run(
                [*prefix, *command],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            if done.returncode:
                raise RuntimeError(f"{command[0]} failed: {done.stdout}")

        run(f"{binaries}/initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8")
        options = (
            f"-c port={cluster.port} -c listen_addresses=127.0.0.1 "
            f"-c unix_socket_directories={folder}"
        )
        # pg_ctl hands its output on to the server it starts: only the log may hold it open.
        start = [f"{binaries}/pg_ctl", "-D", data, "-l", log, "-o", options, "-W", "start"]
        subprocess.run(
            [*prefix, *start], cwd=folder, check=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_for(cluster, log)
            yield cluster
        finally:
            run(f"{binaries}/pg_ctl", "-D", data, "-m", "immediate", "stop")


def wait_for(cluster: Cluster, log: str) -> None:
    for _ in range(150):
        try:
            cluster.version()
        except psycopg2.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start: {Path(log).read_text()}")
