"""oTree from the package index, in a virtual environment of its own, with a minimal project.

One app of 20 rounds: every round is one page with one image and one Likert question, as a trial
of Musescan is. Sessions are made by oTree's own command before the server starts, so that its
participants, and the rows of all their rounds, are there already when they arrive.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.benchmarks.load.postgres import Cluster
from tests.benchmarks.load.processes import free_port, run, served

VERSION = "6.0.15"
REQUIREMENTS = [f"otree=={VERSION}", "psycopg2-binary"]

SETTINGS = """\
from os import environ

SESSION_CONFIGS = [dict(name="rate", app_sequence=["rate"], num_demo_participants=1)]
SESSION_CONFIG_DEFAULTS = dict(real_world_currency_per_point=1.00, participation_fee=0.00, doc="")
PARTICIPANT_FIELDS = []
SESSION_FIELDS = []
LANGUAGE_CODE = "en"
REAL_WORLD_CURRENCY_CODE = "USD"
USE_POINTS = True
ADMIN_USERNAME = "admin"
ADMIN_PASSWORD = environ.get("OTREE_ADMIN_PASSWORD")
SECRET_KEY = "only this machine reaches the server"
"""

APP = """\
from otree.api import *


class C(BaseConstants):
    NAME_IN_URL = "rate"
    PLAYERS_PER_GROUP = None
    NUM_ROUNDS = {n_rounds}


class Subsession(BaseSubsession):
    pass


class Group(BaseGroup):
    pass


class Player(BasePlayer):
    creativity = models.IntegerField(
        label="How creative is this image?",
        choices=[1, 2, 3, 4, 5, 6, 7],
        widget=widgets.RadioSelectHorizontal,
    )


class Trial(Page):
    form_model = "player"
    form_fields = ["creativity"]

    @staticmethod
    def vars_for_template(player):
        return dict(image="rate/%d.png" % player.round_number)


page_sequence = [Trial]
"""

PAGE = """\
{{ block title }}Image {{ player.round_number }} of {{ C.NUM_ROUNDS }}{{ endblock }}
{{ block content }}
<p><img src="{{ static image }}" width="128" height="128" alt="The image to rate"></p>
{{ formfields }}
<p>1: Not at all creative, 7: Extremely creative</p>
{{ next_button }}
{{ endblock }}
"""


@dataclass(frozen=True)
class OTree:
    """oTree at `port`, served by process `pid`: its participants' codes, as they are used up."""

    cluster: Cluster
    database: str
    port: int
    pid: int
    log: Path
    codes: Iterator[str]

    def n_stored(self) -> int:
        """Answers in the database."""
        query = "SELECT count(*) FROM rate_player WHERE creativity IS NOT NULL"
        return self.cluster.execute(query, self.database)[0][0]


def environment_for_otree(cache: Path) -> Path:
    """The folder of oTree's programs, installed under `cache` where they are not yet."""
    folder = cache / f"otree-{VERSION}-python{sys.version_info.major}.{sys.version_info.minor}"
    done = folder / "installed"
    if not done.exists():
        print(f"Installing oTree {VERSION} under {folder}", file=sys.stderr)
        run([sys.executable, "-m", "venv", "--clear", str(folder)], cwd=cache, env=os.environ)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *REQUIREMENTS]
        run(pip, cwd=cache, env=os.environ)
        done.touch()
    return folder / "bin"


def write_project(folder: Path, n_rounds: int) -> None:
    """The files of the project, and one small grey image for each round."""
    app, images = folder / "rate", folder / "_static" / "rate"
    for needed in (app, images, folder / "_templates"):
        needed.mkdir(parents=True)
    (folder / "settings.py").write_text(SETTINGS)
    (app / "__init__.py").write_text(APP.format(n_rounds=n_rounds))
    (app / "Trial.html").write_text(PAGE)
    for number in range(1, n_rounds + 1):
        Image.new("L", (8, 8), 255 * number // n_rounds).save(images / f"{number}.png")


@contextmanager
def otree_server(
    cluster: Cluster, *, cache: Path, work: Path, n_rounds: int, n_participants: int
) -> Iterator[OTree]:
    """oTree as its documentation serves it: production mode, `otree prodserver`, PostgreSQL."""
    programs = environment_for_otree(cache)
    project = work / "otree"
    project.mkdir()
    write_project(project, n_rounds)
    database, port = "otree", free_port()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("OTREE_")
    } | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "DATABASE_URL": cluster.create_database(database),
        "OTREE_PRODUCTION": "1",
        "OTREE_ADMIN_PASSWORD": "only-this-machine",
    }
    otree = str(programs / "otree")
    run([otree, "resetdb", "--noinput"], cwd=project, env=environment)
    run([otree, "create_session", "rate", str(n_participants)], cwd=project, env=environment)
    rows = cluster.execute("SELECT code FROM otree_participant ORDER BY id", database)
    log = work / "otree.log"
    with served(
        [otree, "prodserver", f"127.0.0.1:{port}"],
        cwd=project,
        env=environment,
        address=f"http://127.0.0.1:{port}/",
        log=log,
    ) as pid:
        yield OTree(cluster, database, port, pid, log, iter([code for (code,) in rows]))
