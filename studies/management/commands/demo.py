"""``python manage.py demo``: from nothing to a running study in the browser."""

import os
import resource
import shutil
import socket
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.urls import reverse

from studies import queries, wording
from studies.errors import DomainError
from studies.management.progress import Progress
from studies.models import Scan, Study, StudyState
from studies.services import demo
from studies.services.analysis import analyse
from studies.services.detection import detection_power
from studies.services.simulation import simulate_raters
from studies.serving import serving_command

N_STEPS = 8
MOST = 2**31 - 1


class Command(BaseCommand):
    help = (
        "Train a model, generate images normally and creatively, scan them, make a running "
        "study of them, and serve it. Run again, it goes on with what is there."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--simulate",
            type=int,
            default=0,
            metavar="N",
            help="let N simulated raters take part, marked as simulated for ever",
        )
        parser.add_argument("--no-serve", action="store_true", help="prepare, but do not serve")
        parser.add_argument("--port", type=int, default=8000, help="where to serve (8000)")
        parser.add_argument(
            "--seed", type=int, default=0, help="another seed makes another model and study (0)"
        )
        parser.add_argument(
            "--reset", action="store_true", help="delete the data folder's content first"
        )
        parser.add_argument(
            "--no-input", action="store_true", help="with --reset, never ask before deleting"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.refuse_bad_options(options)
        self.progress = Progress(sys.stdout if self.stdout.isatty() else self.stdout)  # type: ignore[arg-type]
        self.n_step = 0
        started = time.monotonic()
        if options["reset"]:
            self.reset(ask=not options["no_input"])
        try:
            study, scans, researcher = self.prepare(options["seed"], options["simulate"])
        except DomainError as error:
            raise CommandError(error.detail) from error
        self.summarise(study, scans, researcher, time.monotonic() - started, options["port"])
        if not options["no_serve"]:
            self.serve(options["port"])

    def refuse_bad_options(self, options: dict[str, Any]) -> None:
        """Refuse what cannot work before anything is done."""
        for name in ("simulate", "seed"):
            if options[name] < 0:
                raise CommandError(f"--{name} must not be negative; got {options[name]}")
            if options[name] > MOST:
                raise CommandError(f"--{name} must be at most {MOST}; got {options[name]}")
        port = options["port"]
        if not 1 <= port <= 65535:
            raise CommandError(f"--port must be from 1 to 65535; got {port}")
        if not options["no_serve"]:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    raise CommandError(
                        f"--port {port} is taken; name another one, or use --no-serve"
                    ) from None

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Announce a step and say how long it took."""
        self.n_step += 1
        self.stdout.write(f"[{self.n_step}/{N_STEPS}] {title}")
        self.stdout.flush()
        started = time.monotonic()
        yield
        self.progress.clear()
        seconds = time.monotonic() - started
        if seconds >= 1:
            self.stdout.write(f"      {seconds:.0f} s")

    def prepare(self, seed: int, n_raters: int) -> tuple[Study, dict[str, Scan], demo.Researcher]:
        with self.step("Database and static files"):
            self.progress(0, 2, "bringing the database up to date")
            call_command("migrate", verbosity=0, interactive=False)
            self.progress(1, 2, "collecting and compressing static files")
            call_command("collectstatic", verbosity=0, interactive=False)
            researcher = demo.ensure_researcher()
        workspace = researcher.workspace
        with self.step("Training a variational autoencoder on 10,000 digits and garments"):
            model = demo.ensure_model(workspace=workspace, seed=seed, progress=self.progress)
        with self.step("Generating images, normally and creatively"):
            sets = demo.ensure_image_sets(model=model, seed=seed, progress=self.progress)
        with self.step("Scanning them, one by one and as a group"):
            scans = demo.ensure_scans(sets=sets, seed=seed, progress=self.progress)
        with self.step("Making the study"):
            study = demo.ensure_study(
                scan=scans[demo.LAYER], owner=researcher.user, seed=seed
            )  # fmt: skip
        with self.step(f"Simulated raters: {n_raters or 'none asked for'}"):
            if n_raters and study.state != StudyState.RUNNING:
                raise CommandError(
                    f"--simulate needs a running study, and “{study.title}” is {study.state}"
                )
            simulate_raters(study=study, n_raters=n_raters, seed=seed, progress=self.progress)
        kinds = queries.kinds_with_ratings(study)
        with self.step(f"Analysing ratings: {', '.join(kinds) or 'none yet'}"):
            for kind in kinds:
                analyse(study=study, kind=kind, progress=self.progress)
        return study, scans, researcher

    def summarise(
        self,
        study: Study,
        scans: dict[str, Scan],
        researcher: demo.Researcher,
        seconds: float,
        port: int,
    ) -> None:
        """What was made and found, and where to go."""
        self.n_step = N_STEPS
        self.stdout.write(f"[{N_STEPS}/{N_STEPS}] Summary\n\n")
        self.stdout.write(
            f"  {'Layer':<16}{'images':>8}{'nodes':>8}   {'AUC of score':<22}{'AUC of size':<22}"
            f"{'p of group':<12}group subset"
        )
        for layer, scan in scans.items():
            score, size = detection_power(scan=scan)
            self.stdout.write(
                f"  {layer:<16}{scan.n_images:>8,}{scan.n_nodes:>8,}   "
                f"{estimate(score):<22}{estimate(size):<22}"
                f"{scan.group_pvalue:<12.3f}"
                f"{scan.group_n_images:,} images × {scan.group_n_nodes:,} nodes, "
                f"{queries.n_creative_in_group(scan):,} of them creative"
            )
        self.stdout.write(
            "  AUC: creative against normal images, with 95 % interval; 0.5 is chance."
        )
        for layer, scan in scans.items():
            self.stdout.write(f"  {layer}: {calibration(scan)}")
        self.stdout.write("\n")
        flow = queries.participant_flow(study)
        simulated = wording.count(sum(flow["simulated"].values()), "simulated rater")
        people = wording.count(sum(flow["person"].values()), "person", "people")
        self.stdout.write(
            f"  Study “{study.title}”: {study.state}, "
            f"{wording.count(study.study_images.count(), 'image')}, {people}, {simulated}"
        )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        peak_mb = peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
        self.stdout.write(f"  Took {seconds:.0f} s and at most {peak_mb:,.0f} MB of memory\n\n")
        base = f"http://localhost:{port}"
        results = reverse("workspace:results", args=[study.slug])
        self.stdout.write(
            f"  Take part   {base}{reverse('participant:landing', args=[study.slug])}"
        )
        self.stdout.write(f"  Workspace   {base}{reverse('workspace:studies')}")
        self.stdout.write(f"  Results     {base}{results}")
        password = researcher.password or (
            "changed since it was made; set another with: "
            f"python manage.py changepassword {demo.RESEARCHER}"
        )
        self.stdout.write(f"  Sign in as  {demo.RESEARCHER}, password {password}\n")
        self.stdout.flush()

    def reset(self, *, ask: bool) -> None:
        """Delete the database and the files, after saying what that deletes."""
        call_command("migrate", verbosity=0, interactive=False)
        lost = queries.irreplaceable(demo.WORKSPACE, demo.RESEARCHER)
        if any(lost.values()) and ask:
            what = (
                f"--reset would delete {wording.count(lost['ratings'], 'rating')} by "
                f"{wording.count(lost['people'], 'person', 'people')} and, besides the "
                f"demonstration, {wording.count(lost['studies'], 'study', 'studies')}, "
                f"{wording.count(lost['image_sets'], 'image set')} and "
                f"{wording.count(lost['users'], 'user')}"
            )
            if not sys.stdin.isatty():
                raise CommandError(
                    f"{what}. Nothing was deleted. Export them first (manage.py export_study), "
                    "or add --no-input to delete them."
                )
            if input(f"{what}. Type “delete” to go on: ").strip() != "delete":
                raise CommandError("Nothing was deleted.")
        if connection.vendor == "sqlite":
            self.refuse_while_in_use()
            name = Path(connection.settings_dict["NAME"])
            connection.close()
            for suffix in ("", "-wal", "-shm"):
                name.with_name(name.name + suffix).unlink(missing_ok=True)
        else:
            call_command("flush", verbosity=0, interactive=False)
        shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)

    def refuse_while_in_use(self) -> None:
        """Stop unless ours is the only connection: leaving WAL needs the database alone."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA busy_timeout = 1000")
                cursor.execute("PRAGMA journal_mode = DELETE")
                alone = cursor.fetchone()[0] == "delete"
        except OperationalError:
            alone = False
        if not alone:
            raise CommandError(
                "--reset found the database in use, by a server most likely. Stop it first. "
                "Nothing was deleted."
            )

    def serve(self, port: int) -> None:
        """Become the server and its worker: what training held in memory is given back."""
        self.stdout.write("  Serving, with a worker for scans; stop with Ctrl-C\n")
        self.stdout.flush()
        connection.close()
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studies.settings")
        os.execv(sys.executable, serving_command(port))  # noqa: S606


def estimate(result: dict[str, Any]) -> str:
    """An estimate with its interval."""
    return f"{wording.number(result['estimate'])} {wording.interval(result['interval'])}"


def calibration(scan: Scan) -> str:
    """What the scan's p-values stand on, and how many images of each process have a small one."""
    unusual = ", ".join(
        f"{row['n_unusual']:,} of {row['n']:,} {row['process']}"
        for row in queries.group_by_process(scan)
    )
    return (
        f"{scan.group_n_exceeding:,} of {scan.n_replicates:,} null groups score as high; "
        f"p ≤ 0.05 by {scan.n_held_out:,} held-out images for {unusual} images"
    )
