"""Parts of a report as HTML; whatever people wrote is escaped."""

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString

from studies.reporting import Figure, Section, Words, plain

register = template.Library()

TAGS = {"i": "i", "b": "strong", "sub": "sub", "code": "code"}


@register.filter
def marked_up(text: Words) -> SafeString:
    """Words with their marks as elements."""
    return SafeString(
        "".join(
            str(escape(part))
            if isinstance(part, str)
            else f"<{TAGS[part.style]}>{escape(part.text)}</{TAGS[part.style]}>"
            for part in text
        )
    )


@register.filter
def as_plain(text: Words) -> str:
    return plain(text)


@register.filter
def inline_svg(figure: Figure) -> SafeString:
    """The drawing itself; what it says was escaped when it was drawn."""
    return SafeString(figure.inline_svg())


@register.filter
def as_text(section: Section) -> str:
    return section.as_text()
