"""Numbers, times and pictures as the workspace writes them."""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from studies import wording
from studies.models import Image

register = template.Library()

register.filter("interval", wording.interval)
register.filter("number", wording.number)
register.filter("p_value", wording.p_value)


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """How long ago, with the exact time on hover."""
    if moment is None:
        return "–"
    now = timezone.now()
    words = (
        "just now"
        if now - moment < timedelta(minutes=1)
        else f"{timesince(moment, now, depth=1)} ago"
    )
    exact = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        exact.isoformat(timespec="seconds"),
        exact.strftime("%Y-%m-%d %H:%M:%S %Z"),
        words,
    )


@register.filter
def duration(length: timedelta | int | None) -> str:
    """A time span, or milliseconds, in its two largest units."""
    if length is None:
        return "–"
    milliseconds = length if isinstance(length, int) else length.total_seconds() * 1000
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = round(milliseconds / 1000)
    if milliseconds < 10_000:
        return f"{milliseconds / 1000:.1f} s"
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    if seconds < 86_400:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    return f"{seconds // 86_400} d {seconds % 86_400 // 3600} h"


@register.filter
def shape(sizes: list[int]) -> str:
    """The shape of a layer: 64 × 7 × 7."""
    return " × ".join(map(str, sizes))


@register.filter
def words(name: Any) -> str:
    """A parameter's name or value for reading: low_active → low active."""
    return str(name).replace("_", " ")


@register.filter
def percent(part: float, whole: float) -> int:
    return round(100 * part / whole) if whole else 0


def displayed_size(width: int, height: int, box: int) -> tuple[int, int]:
    """Pixels on the page: a whole multiple that fits a square `box`, else shrunk to it."""
    longest = max(width, height)
    if longest <= box:
        return width * (box // longest), height * (box // longest)
    return max(1, round(width * box / longest)), max(1, round(height * box / longest))


@register.simple_tag
def picture(image: Image, box: int, alt: str | None = None) -> SafeString:
    """An image on its mat, whole and never recoloured."""
    width, height = displayed_size(image.width, image.height, box)
    small = max(image.width, image.height) <= box
    return format_html(
        '<span class="mat"><img src="{}" width="{}" height="{}" alt="{}" loading="lazy"{}></span>',
        reverse("workspace:image-file", args=[image.public_id]),
        width,
        height,
        f"{image.get_process_display()} image" if alt is None else alt,
        SafeString(' class="pixelated"') if small else "",
    )


@register.filter
def add_one(value: float) -> float:
    """Room for half a unit of line width on both sides of a drawing."""
    return value + 1


@register.filter
def p_only(p: float | None) -> str:
    """A p-value under a heading that says what it is."""
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


@register.filter
def grouped(value: float | None, digits: int = 0) -> str:
    """A number with its thousands apart; a dash where there is none."""
    return "–" if value is None else f"{value:,.{digits}f}"
