"""Accessibility of a page by axe-core: WCAG 2.2, levels A and AA."""

from pathlib import Path

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page) -> list[str]:
    """What axe finds on `page`, a line each."""
    page.wait_for_load_state()  # where the last act leads to another page, that one is meant
    page.evaluate(AXE)  # not a script element: the page's content policy forbids those
    found = page.evaluate(
        "tags => axe.run({runOnly: {type: 'tag', values: tags}})", TAGS
    )["violations"]  # fmt: skip
    return [
        f"{page.url} {each['id']}: {each['help']} ({node['html'][:120]})"
        for each in found
        for node in each["nodes"]
    ]
