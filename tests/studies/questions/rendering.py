"""A question as the trial page shows it, and what a form without a script would send."""

from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

from django.template.loader import render_to_string

from studies.questions import question_type

PREFIX = "answer-"


def rendered(
    name: str,
    options: dict[str, Any],
    *,
    key: str = "q",
    text: str = "What do you see?",
    selected: Any = "",
    error: str = "",
) -> str:
    """The HTML of a question of the type `name`."""
    kind = question_type(name)
    item = {
        "question": SimpleNamespace(key=key, text=text, options=options),
        "choices": kind.choices(options),
        "name": f"{PREFIX}{key}",
        "selected": selected,
        "error": error,
        "places": [
            {"number": number, "letter": "ABCDEF"[number - 1]}
            for number in range(1, kind.n_images(options) + 1)
        ],
    }
    return render_to_string(kind.template, {"item": item})


class Form(HTMLParser):
    """The controls of a form: `names` of those that can be sent, `sent` what they hold."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.names: set[str] = set()
        self.sent: dict[str, str] = {}
        self.text = ""
        self._list = self._area = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        name = (attributes.get("name") or "").removeprefix(PREFIX)
        if "disabled" in attributes or (tag in ("input", "select", "textarea") and not name):
            return
        if tag in ("input", "select", "textarea"):
            assert attributes["name"].startswith(PREFIX), attributes
            self.names.add(name)
        if tag == "input" and ("checked" in attributes or attributes["type"] == "number"):
            self.sent[name] = attributes["value"]
        elif tag == "select":
            self._list = name
            self.sent[name] = ""
        elif tag == "option" and "selected" in attributes:
            self.sent[self._list] = attributes["value"]
        elif tag == "textarea":
            self._area = name
            self.sent[name] = ""

    def handle_endtag(self, tag):
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data):
        if self._area:
            self.sent[self._area] += data
        else:
            self.text += data

    def having(self, **attributes: str) -> list[dict[str, str | None]]:
        """The attributes of each element that has these."""
        wanted = {name.replace("_", "-"): value for name, value in attributes.items()}
        return [found for _, found in self.elements if wanted.items() <= found.items()]


def selected_of(sent: dict[str, Any], key: str) -> Any:
    """What the page gives the template: the one value sent, or values by suffix."""
    if key in sent:
        return str(sent[key])
    return {name.removeprefix(f"{key}."): str(value) for name, value in sent.items()}
