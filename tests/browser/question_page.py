"""A trial page with questions of any type, served from files under the site's content policy.

It has the frame, the styles and the scripts of the types, and images that stand for others;
there is no server and no study behind it.
"""

import json
import mimetypes
from pathlib import Path
from typing import Any

from studies.questions import question_type
from tests.studies.questions.rendering import PREFIX, rendered

STATIC = Path(__file__).parents[2] / "static"
SITE = "http://questions.test"
# As in the settings, less the nonce: nothing here needs one.
POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self'; object-src 'none'"
STYLES = ("css/tokens.css", "css/base.css", "css/participant.css")
FRAME_STYLE = """
.stimulus { --native-width: 280; --native-height: 280; --below: 300px; }
.stimuli { display: flex; flex-wrap: wrap; justify-content: center; gap: 12px; width: 100%; }
.stimuli .stimulus { --free: min(200px, 100vw / 2 - 24px); width: var(--free); }
.stimuli.many .stimulus { --free: min(140px, 100vw / 3 - 20px); }
figure { margin: 0; }
figcaption { text-align: center; font-size: var(--type-small); }
"""
PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 28 28">
<rect width="28" height="28" fill="#111"/>
<path d="M6 20C10 4 18 4 22 20" stroke="#eee" stroke-width="2.5" fill="none"/></svg>"""

Asked = tuple[str, dict[str, Any]]


def page_of(questions: list[Asked]) -> str:
    """The HTML of a trial that asks `questions`, with the keys q0, q1, …"""
    kinds = [question_type(name) for name, _ in questions]
    n_images = max(
        kind.n_images(options) for kind, (_, options) in zip(kinds, questions, strict=True)
    )
    styles = dict.fromkeys(
        [*STYLES, *(kind.stylesheet for kind in kinds if kind.stylesheet), "frame.css"]
    )
    scripts = dict.fromkeys(kind.script for kind in kinds if kind.script)
    picture = '<div class="stimulus"><img src="/picture.svg" alt="An image to rate"></div>'
    if n_images > 1:
        named = "".join(
            f"<figure>{picture}<figcaption>{'ABCDEF'[index]}</figcaption></figure>"
            for index in range(n_images)
        )
        picture = f'<div class="stimuli{" many" if n_images > 2 else ""}">{named}</div>'
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>3 of 40</title>
{"".join(f'<link rel="stylesheet" href="/static/{path}">' for path in styles)}
{"".join(f'<script src="/static/{path}" defer></script>' for path in scripts)}
</head><body class="keys-on"><div class="trial">
<header><progress value="2" max="40" aria-label="Images rated"></progress>
<div class="status"><span>3 of 40</span><span>✓ Saved</span></div></header>
<main class="stage"><h1 class="visually-hidden">Image 3 of 40</h1>{picture}
<form class="questions" method="get" action="/sent">
{"".join(rendered(*asked, key=f"q{n}", text=TEXTS[asked[0]]) for n, asked in enumerate(questions))}
<button class="button">Continue</button></form></main>
<footer><a href="/stop">Stop taking part</a></footer></div></body></html>"""


TEXTS = {
    "likert": "How creative is this image?",
    "slider": "How creative is this image?",
    "categorical": "Which label fits this image best?",
    "text": "What made you choose this?",
    "forced_choice": "Which image is more creative?",
    "best_worst": "Which image is most creative, and which is least?",
    "ranking": "Put the images in order, from most to least creative",
}


def show(page, *questions: Asked) -> None:
    """Open a trial with `questions` in `page`; its console errors land in ``page.errors``."""

    def answer(route):
        path = route.request.url.removeprefix(SITE).split("?")[0]
        if path in ("/", "/sent"):
            route.fulfill(
                body=page_of(list(questions)),
                content_type="text/html",
                headers={"Content-Security-Policy": POLICY},
            )
        elif path == "/static/frame.css":
            route.fulfill(body=FRAME_STYLE, content_type="text/css")
        elif path == "/picture.svg":
            route.fulfill(body=PICTURE, content_type="image/svg+xml")
        elif path.startswith("/static/"):
            kind = mimetypes.guess_type(path)[0]
            route.fulfill(body=(STATIC / path[8:]).read_text(), content_type=kind)
        else:
            route.fulfill(status=204)

    page.route(f"{SITE}/**", answer)
    page.goto(f"{SITE}/")


def is_answered(page, number: int = 0) -> bool:
    """Whether the question at `number` holds no control that is not valid."""
    return page.locator("fieldset.question").nth(number).evaluate(
        "question => question.querySelector(':invalid') === null"
    )  # fmt: skip


def sent(page) -> dict[str, str]:
    """What the form would send, by field without its prefix."""
    fields = page.evaluate("[...new FormData(document.querySelector('form'))]")
    assert len(dict(fields)) == len(fields), json.dumps(fields)
    return {name.removeprefix(PREFIX): value for name, value in fields}


def reset(page) -> None:
    page.evaluate("document.querySelector('form').reset()")
