"""People who take part over HTTP, whatever happens to the server; and what they were told.

Each has a connection of their own and does what a browser does: sends again, unchanged, what
was not acknowledged. What the server has acknowledged is written down, to be looked for in
the database when everything is over.
"""

import html
import http.client
import json
import random
import re
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode

HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
QUEUE = re.compile(r'<script id="trials" type="application/json">(.*?)</script>', re.DOTALL)
CODE = re.compile(r'id="completion-code">([^<]+)<')
RECEIPT = re.compile(r"<code>([\w-]+)</code>")
LABELS = ("not_novel_or_creative", "novel_not_creative", "creative", "inconclusive")

# A server or its proxy that is just restarting: the page waits and sends again.
PASSING = (500, 502, 504)
PAUSE_S = 0.2
GIVE_UP_S = 400

# How often somebody looks for their code before the end.
EARLY = 0.05


@dataclass
class Ledger:
    """What the server has told: acknowledged answers by trial, and codes by who saw them."""

    answers: dict[str, dict] = field(default_factory=dict)
    codes: dict[str, dict] = field(default_factory=dict)
    n_heard: int = 0
    n_sent_again: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hear(self) -> None:
        with self.lock:
            self.n_heard += 1

    def to_json(self) -> str:
        return json.dumps({"answers": self.answers, "codes": self.codes})


@dataclass
class Reply:
    status: int
    location: str
    text: str


class Person(threading.Thread):
    """One participant: `scripted` sends JSON as the page's script does, otherwise plain forms."""

    def __init__(
        self, port: int, slug: str, ledger: Ledger, *, seed: int, scripted: bool = True
    ) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.path = f"/s/{slug}/"
        self.ledger = ledger
        self.rng = random.Random(seed)
        self.scripted = scripted
        self.cookies: dict[str, str] = {}
        self.connection: http.client.HTTPConnection | None = None
        self.n_acknowledged = 0
        self.error: BaseException | None = None
        self.deadline = time.monotonic() + GIVE_UP_S

    def run(self) -> None:
        try:
            self.take_part()
        except Exception as error:
            self.error = error
        finally:
            self.hang_up()

    # Requests

    def hang_up(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def ask_once(self, method: str, path: str, body: str | None, kind: str) -> Reply:
        if self.connection is None:
            self.connection = http.client.HTTPConnection("localhost", self.port, timeout=60)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers |= {"Content-Type": kind, "X-CSRFToken": self.cookies.get("csrftoken", "")}
        self.connection.request(method, path, body, headers)
        with self.connection.getresponse() as response:
            text = response.read().decode()
            for line in response.headers.get_all("Set-Cookie", []):
                for name, morsel in SimpleCookie(line).items():
                    self.cookies[name] = morsel.value
            return Reply(response.status, response.headers.get("Location", ""), text)

    def ask(
        self,
        method: str,
        path: str,
        body: str | None = None,
        kind: str = "application/x-www-form-urlencoded",
    ) -> Reply:
        """The answer to a request that is sent, always the same, until there is one."""
        while True:
            try:
                reply = self.ask_once(method, path, body, kind)
            except (OSError, http.client.HTTPException):
                self.hang_up()
            else:
                if reply.status not in PASSING:
                    self.ledger.hear()
                    return reply
            if time.monotonic() > self.deadline:
                raise TimeoutError(f"{method} {path} has no answer after {GIVE_UP_S} s")
            with self.ledger.lock:
                self.ledger.n_sent_again += 1
            time.sleep(PAUSE_S * (1 + self.rng.random()))

    def page(self, path: str) -> tuple[str, str]:
        """The address to which the server leads, and the page there."""
        for _ in range(5):
            reply = self.ask("GET", path)
            if reply.status not in (302, 303):
                assert reply.status == 200, (path, reply.status, reply.text)
                return path, reply.text
            path = reply.location
        raise AssertionError(f"redirected without end, at last to {path}")

    def post_form(self, path: str, page: str, **fields: str) -> Reply:
        hidden = {name: html.unescape(value) for name, value in HIDDEN.findall(page)}
        reply = self.ask("POST", path, urlencode({**hidden, **fields}))
        assert reply.status in (302, 303), (path, reply.status, reply.text)
        return reply

    # Taking part

    def take_part(self) -> None:
        path, page = self.page(f"{self.path}consent/")
        self.post_form(path, page, agree="yes")
        while True:
            path, page = self.page(f"{self.path}trial/")
            where = path.removeprefix(self.path).strip("/")
            if where == "debrief":
                break
            if where == "step":
                self.post_form(path, page)
            elif self.scripted:
                self.rate_by_script(page)
            else:
                self.rate_by_form(path, page)
            if self.rng.random() < EARLY:
                self.try_for_the_code()
        self.note_code(page)

    def note_code(self, page: str) -> None:
        found, receipt = CODE.search(page), RECEIPT.search(page)
        if found and receipt:
            self.ledger.codes[receipt[1]] = {
                "code": found[1],
                "n_acknowledged": self.n_acknowledged,
            }

    def choices(self) -> dict[str, str]:
        return {"creativity": str(self.rng.randint(1, 7)), "label": self.rng.choice(LABELS)}

    def measured(self) -> dict:
        return {
            "onset_ms": self.rng.randint(10, 90),
            "hidden_ms": self.rng.randint(0, 5000),
            "n_hidden": self.rng.randint(0, 3),
            "n_retries": self.rng.randint(0, 2),
            "width_px": 1280,
            "height_px": 800,
            "pixel_ratio": 1.5,
            "input": self.rng.choice(["key", "touch", "mouse"]),
            "changes": [
                [300 * i, "creativity", str(self.rng.randint(1, 7))]
                for i in range(1, self.rng.randint(2, 6))
            ],
        }

    def acknowledged(self, entry: dict) -> None:
        self.ledger.answers[entry["trial"]] = entry
        self.n_acknowledged += 1

    def rate_by_script(self, page: str) -> None:
        """Go through the trials of this block as the page's script does, one after another."""
        found = QUEUE.search(page)
        assert found is not None, page
        trials = [trial["trial"] for trial in json.loads(found[1])["trials"]]
        while trials:
            entry = {
                "key": str(uuid.UUID(int=self.rng.getrandbits(128), version=4)),
                "trial": trials[0],
                "answers": self.choices(),
                "response_time_ms": self.rng.randint(300, 60_000),
                "evidence": self.measured(),
            }
            reply = self.ask("POST", f"{self.path}answers/", json.dumps(entry), "application/json")
            assert reply.status == 200, (reply.status, reply.text)
            told = json.loads(reply.text)
            assert told["saved"] is True
            assert told["trial"] == entry["trial"]
            self.acknowledged(entry)
            trials = [trial["trial"] for trial in told["trials"]]
            if told["go"] is not None:
                return
            if self.rng.random() < EARLY:
                self.try_for_the_code()

    def rate_by_form(self, path: str, page: str) -> None:
        hidden = dict(HIDDEN.findall(page))
        answers = self.choices()
        fields = {f"answer-{key}": value for key, value in answers.items()}
        self.post_form(path, page, **fields)
        self.acknowledged(
            {
                "key": hidden["key"],
                "trial": hidden["trial"],
                "answers": answers,
                "response_time_ms": None,
                "evidence": {},
            }
        )

    def try_for_the_code(self) -> None:
        """Ask for the last page, early or not; a code that it shows is written down."""
        self.note_code(self.ask("GET", f"{self.path}debrief/").text)
