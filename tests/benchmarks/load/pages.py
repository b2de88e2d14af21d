"""What a participant's browser reads in a page: its form, its links, its images.

`Form` is for pages on the way in and takes its time; `hidden_fields` and `image_paths` are for
trial pages, where every microsecond is the servers'.
"""

import re
from html import unescape
from html.parser import HTMLParser

HIDDEN = re.compile(rb'<input\b(?=[^>]*\btype="hidden")[^>]*>')
NAME = re.compile(rb'\bname="([^"]*)"')
VALUE = re.compile(rb'\bvalue="([^"]*)"')
IMAGE = re.compile(rb'<img\b[^>]*\bsrc="([^"]*)"')


def text(raw: bytes) -> str:
    decoded = raw.decode()
    return unescape(decoded) if "&" in decoded else decoded


def hidden_fields(page: bytes) -> dict[str, str]:
    """The hidden fields of a page with one form, by name."""
    fields = {}
    for match in HIDDEN.finditer(page):
        name, value = NAME.search(match[0]), VALUE.search(match[0])
        if name is not None:
            fields[text(name[1])] = text(value[1]) if value else ""
    return fields


def image_paths(page: bytes) -> list[str]:
    return [text(match[1]) for match in IMAGE.finditer(page)]


class Form(HTMLParser):
    """The first form of a page that is sent by POST, filled in by somebody who agrees.

    `fields` holds hidden fields, what is preselected, the first button, every required checkbox,
    the first of every group of radio buttons and options, and "1" in required texts. `buttons`
    holds the addresses of links that look like buttons, for pages without a form.
    """

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found = self.inside = self.button = False
        self.action = ""
        self.fields: dict[str, str] = {}
        self.buttons: list[str] = []
        self.select: str | None = None
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "button" in given.get("class", "").split():
            self.buttons.append(given["href"])
        elif tag == "form" and not self.found and given.get("method", "").lower() == "post":
            self.found = self.inside = True
            self.action = given.get("action", "")
        elif self.inside:
            self.fill(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self.select = None

    def fill(self, tag: str, given: dict[str, str]) -> None:
        name, value = given.get("name", ""), given.get("value", "")
        kind = given.get("type", "submit" if tag == "button" else "text")
        if tag == "option" and self.select:
            if "selected" in given or (value and not self.fields.get(self.select)):
                self.fields[self.select] = value
        elif tag == "select":
            self.select = name
        elif not name or "disabled" in given:
            return
        elif kind == "submit":
            if not self.button:
                self.button = True
                self.fields[name] = value
        elif kind == "checkbox":
            if "required" in given or "checked" in given:
                self.fields[name] = value or "on"
        elif kind == "radio":
            if "checked" in given or name not in self.fields:
                self.fields[name] = value
        elif tag in {"input", "textarea"}:
            self.fields[name] = value or ("1" if "required" in given else "")
