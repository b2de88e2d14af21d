"""How a participant gets in, and how they answer one trial: oTree, plain pages, and by script.

A flow's `enter` brings a newcomer to their first trial; `answer` submits the trial that they see
and returns whether there is another. Both raise `FlowError` on any answer that a participant
should not get, and what `Browser` raises where there was no answer at all.
"""

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from tests.benchmarks.load.musescan_server import Musescan
from tests.benchmarks.load.otree_project import OTree
from tests.benchmarks.load.pages import Form, hidden_fields, image_paths
from tests.benchmarks.load.player import REDIRECTS, Browser

MAX_PAGES_TO_TRIAL = 20
N_POINTS = 7
RESPONSE_TIME_MS = 1234
TRIAL_FIELD = b'name="trial"'
TRIALS_SCRIPT = b'<script id="trials" type="application/json">'


class FlowError(Exception):
    """An answer that is not what a participant should get."""


def wrong(what: str, path: str, status: int, body: bytes) -> FlowError:
    excerpt = " ".join(body.decode(errors="replace").split())[:300]
    return FlowError(f"{what} {path} answered {status}: {excerpt}")


async def open_page(browser: Browser, path: str) -> None:
    await browser.open(path)
    if browser.status != 200:
        raise wrong("GET", browser.path, browser.status, browser.page)


async def submit(browser: Browser, path: str, fields: dict[str, str]) -> None:
    """Send a form, and show the page that the redirect after it leads to."""
    response = await browser.ask(path, urlencode(fields).encode())
    if response.status not in REDIRECTS:
        raise wrong("POST", path, response.status, response.body)
    await browser.follow(response, path)
    if browser.status != 200:
        raise wrong("GET", browser.path, browser.status, browser.page)


async def enrol(browser: Browser, slug: str) -> None:
    """Take part as a newcomer does: from the first page, through every form, to a trial."""
    await open_page(browser, f"/s/{slug}/")
    for _ in range(MAX_PAGES_TO_TRIAL):
        if TRIAL_FIELD in browser.page or TRIALS_SCRIPT in browser.page:
            return
        form = Form(browser.page)
        if form.found:
            await submit(browser, form.action or browser.path, form.fields)
        elif form.buttons:
            await open_page(browser, form.buttons[0])
        else:
            raise FlowError(f"{browser.path} has neither a form nor a button to go on with")
    raise FlowError(f"no trial within {MAX_PAGES_TO_TRIAL} pages; the last was {browser.path}")


@dataclass
class Flow(ABC):
    """One way of taking part in what `server` serves; with `images`, images are fetched too."""

    server: OTree | Musescan
    images: bool = False
    n_answered: int = 0

    def next_point(self) -> str:
        """The point of the scale to answer with: all of them in turn."""
        self.n_answered += 1
        return str(1 + self.n_answered % N_POINTS)

    @abstractmethod
    async def enter(self) -> Browser | None:
        """A newcomer's browser at their first trial; None where nobody else can come."""

    @abstractmethod
    async def answer(self, browser: Browser) -> bool:
        """Answer the trial that the browser shows; whether there is another."""

    async def fetch(self, browser: Browser, paths: list[str]) -> None:
        if self.images:
            for path in paths:
                response = await browser.ask(path)
                if response.status != 200:
                    raise wrong("GET", path, response.status, response.body)


class OTreeFlow(Flow):
    """oTree: POST the form, follow the redirect to the next page."""

    server: OTree

    async def enter(self) -> Browser | None:
        code = next(self.server.codes, None)
        if code is None:
            return None
        browser = Browser(self.server.port)
        await open_page(browser, f"/InitializeParticipant/{code}")
        if "/Trial/" not in browser.path:
            raise FlowError(f"participant {code} came to {browser.path}, not to a trial")
        return browser

    async def answer(self, browser: Browser) -> bool:
        answered = browser.path
        await submit(browser, answered, {"creativity": self.next_point()})
        if browser.path == answered:
            raise FlowError(f"POST {answered} led back to the same trial")
        await self.fetch(browser, image_paths(browser.page))
        return "/Trial/" in browser.path


class PagesFlow(Flow):
    """Musescan without JavaScript: POST the form, follow the 303 to the next page."""

    server: Musescan

    async def enter(self) -> Browser:
        browser = Browser(self.server.port)
        await enrol(browser, self.server.slug)
        return browser

    async def answer(self, browser: Browser) -> bool:
        fields = hidden_fields(browser.page)
        answered = fields["trial"]
        fields["response_time_ms"] = str(RESPONSE_TIME_MS)
        fields[f"answer-{self.server.question}"] = self.next_point()
        await submit(browser, browser.path, fields)
        if TRIAL_FIELD not in browser.page:
            return False
        if f'value="{answered}"'.encode() in browser.page:
            raise FlowError(f"trial {answered} came once more after it was answered")
        await self.fetch(browser, image_paths(browser.page))
        return True


@dataclass
class Script:
    """What the script of one trial page knows."""

    path: str
    csrf_token: str
    trials: list[dict[str, Any]]
    answered: set[str] = field(default_factory=set)

    def next_trial(self) -> dict[str, Any] | None:
        return next((row for row in self.trials if row["trial"] not in self.answered), None)


class ScriptedFlow(Flow):
    """Musescan with JavaScript: one request stores the answer and brings the next trial."""

    server: Musescan

    async def enter(self) -> Browser:
        browser = Browser(self.server.port)
        await enrol(browser, self.server.slug)
        start = browser.page.find(TRIALS_SCRIPT) + len(TRIALS_SCRIPT)
        if start < len(TRIALS_SCRIPT):
            raise FlowError(f"{browser.path} carries no trials for a script to show")
        embedded = json.loads(browser.page[start : browser.page.index(b"</script>", start)])
        browser.script = Script(
            path=f"/s/{self.server.slug}/answers/",
            csrf_token=hidden_fields(browser.page)["csrfmiddlewaretoken"],
            trials=embedded["trials"],
        )
        return browser

    async def answer(self, browser: Browser) -> bool:
        script = browser.script
        trial = script.next_trial()
        if trial is None:
            raise FlowError("no trial came that is not answered, and no address to go on to")
        sent = {
            "key": str(uuid4()),
            "trial": trial["trial"],
            "answers": {self.server.question: self.next_point()},
            "response_time_ms": RESPONSE_TIME_MS,
            "evidence": {},
        }
        response = await browser.ask(
            script.path,
            json.dumps(sent).encode(),
            content_type="application/json",
            headers={"X-CSRFToken": script.csrf_token},
        )
        if response.status != 200:
            raise wrong("POST", script.path, response.status, response.body)
        received = json.loads(response.body)
        if received["saved"] is not True or received["trial"] != trial["trial"]:
            raise FlowError(f"the answer to {trial['trial']} was not saved: {received}")
        script.answered.add(trial["trial"])
        script.trials = received["trials"]
        if received["go"]:
            await open_page(browser, received["go"])
            return False
        following = script.next_trial()
        if following is not None:
            await self.fetch(browser, [image["url"] for image in following["images"]])
        return True


FLOWS: dict[str, type[Flow]] = {"otree": OTreeFlow, "html": PagesFlow, "json": ScriptedFlow}
