"""Musescan as in production, with a study that is ready to be taken part in."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from studies.serving import THREADS_PER_WORKER, WORKERS, server_command
from tests.benchmarks.load.postgres import Cluster
from tests.benchmarks.load.processes import free_port, run, served

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Musescan:
    """Musescan at `port`, served by process `pid`: the study's slug, its one question's key."""

    cluster: Cluster
    database: str
    port: int
    pid: int
    log: Path
    slug: str
    question: str

    def n_stored(self) -> int:
        """Answers in the database."""
        query = "SELECT count(*) FROM studies_response"
        return self.cluster.execute(query, self.database)[0][0]


@contextmanager
def musescan_server(
    cluster: Cluster,
    *,
    work: Path,
    database: str,
    n_trials: int,
    n_images: int,
    n_participants: int = 0,
    workers: int = WORKERS,
    threads: int = THREADS_PER_WORKER,
) -> Iterator[Musescan]:
    """Migrate a new database, build the study, and serve it with every middleware and check.

    The database holds `n_participants` who have finished, and `n_images` in the study.
    """
    port = free_port()
    folder = work / database
    folder.mkdir()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("MUSESCAN_")
    } | {
        "DJANGO_SETTINGS_MODULE": "studies.settings",
        "MUSESCAN_DATA_DIR": str(folder),
        "MUSESCAN_DATABASE_URL": cluster.create_database(database),
    }

    def python(*arguments: str) -> str:
        return run([sys.executable, *arguments], cwd=ROOT, env=environment)

    python("manage.py", "migrate", "-v0")
    python("manage.py", "collectstatic", "-v0", "--no-input")
    sizes = [f"--images={n_images}", f"--participants={n_participants}", f"--trials={n_trials}"]
    study = json.loads(python("-m", "tests.benchmarks.load.build_study", *sizes))
    # What autovacuum would have done by the time that a study of this size has run so far.
    cluster.execute("VACUUM ANALYZE", database)
    log = work / f"{database}.log"
    with served(
        server_command(port, workers=workers, threads=threads),
        cwd=ROOT,
        env=environment,
        address=f"http://127.0.0.1:{port}/healthz",
        log=log,
    ) as pid:
        yield Musescan(cluster, database, port, pid, log, **study)
