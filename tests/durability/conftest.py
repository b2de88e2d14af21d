"""Served databases of both kinds, and crowds of people who take part in them."""

import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.durability.cluster import Cluster, binaries
from tests.durability.people import Ledger, Person
from tests.served import Served

PROGRAMS = binaries()


@pytest.fixture(scope="session")
def cluster():
    if PROGRAMS is None:
        pytest.skip("no PostgreSQL programs on the path or in /usr/lib/postgresql")
    # Not under pytest's folder, which PostgreSQL's own user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="musescan-postgres-"))
    made = Cluster(folder, PROGRAMS)
    made.start()
    yield made
    made.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def served_sqlite(tmp_path_factory, collected_static):
    made = Served(tmp_path_factory.mktemp("sqlite"), static=collected_static, n_workers=2)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def served_postgresql(tmp_path_factory, collected_static, cluster):
    made = Served(
        tmp_path_factory.mktemp("postgresql"),
        static=collected_static,
        database_url=cluster.url,
        n_workers=2,
    )
    made.start()
    yield made
    made.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def served(request):
    """A server on each kind of database."""
    return request.getfixturevalue(f"served_{request.param}")


@dataclass
class Crowd:
    """People of one study, what they have heard so far, and when they began."""

    served: Served
    slug: str
    people: list[Person]
    ledger: Ledger
    began: float

    @classmethod
    def gather(
        cls, served: Served, n_people: int, *, n_images: int, scripted=lambda i: True, **fields
    ) -> "Crowd":
        built = served.run("-m", "tests.durability.build_study", str(n_images), json.dumps(fields))
        slug, ledger = built.split()[-1], Ledger()
        people = [
            Person(served.port, slug, ledger, seed=i, scripted=scripted(i)) for i in range(n_people)
        ]
        return cls(served, slug, people, ledger, time.monotonic())

    def start(self) -> None:
        for person in self.people:
            person.start()

    def wait_for_replies(self, n: int) -> None:
        """Until `n` more requests were answered; fails where there is nobody left to ask."""
        enough = self.ledger.n_heard + n
        while self.ledger.n_heard < enough:
            assert any(person.is_alive() for person in self.people), "everybody was done before"
            time.sleep(0.002)

    def account(self, folder: Path) -> dict:
        """What there is when everybody is done, and what is wrong with it."""
        for person in self.people:
            person.join()
        errors = [person.error for person in self.people if person.error is not None]
        if errors:
            raise errors[0]
        told = folder / "ledger.json"
        told.write_text(self.ledger.to_json())
        found = json.loads(self.served.run("-m", "tests.durability.accounts", self.slug, str(told)))
        print(
            f"{len(self.people)} people, {len(self.ledger.answers)} answers acknowledged, "
            f"{self.ledger.n_sent_again} requests sent again, {len(found['wrong'])} wrong, "
            f"{time.monotonic() - self.began:.0f} s"
        )
        return found
