"""What the workspace's pages share: who may see them, pagination, sorted tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import add_never_cache_headers

View = Callable[..., HttpResponseBase]


class MemberRequest(HttpRequest):
    """What a view under `workspace_page` gets: its user is signed in."""

    user: User


def workspace_page(view: View) -> View:
    """Strangers are led to sign in; nothing is kept where the next user of a browser finds it.

    A view that sets Cache-Control itself, such as an image's file, keeps what it set.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response

    return login_required(wrapper)


def page_of(request: HttpRequest, rows: Sequence[Any] | QuerySet, per_page: int) -> Page:
    """The page that the query string asks for; the nearest there is where it asks for none."""
    return Paginator(rows, per_page).get_page(request.GET.get("page"))


@dataclass(frozen=True)
class Column:
    """The head of a sortable column: what a click sorts by, and how it is sorted now."""

    label: str
    key: str
    numeric: bool
    direction: str  # "ascending", "descending" or "none", as aria-sort wants it
    next_sort: str


def sort_key(request: HttpRequest) -> tuple[str, bool]:
    """What ``?sort=key`` or ``?sort=-key`` asks for: the key, and whether downwards."""
    wanted = request.GET.get("sort", "")
    return wanted.removeprefix("-"), wanted.startswith("-")


def sorted_by_request(
    request: HttpRequest, rows: QuerySet, columns: Mapping[str, tuple[str, str | None, bool]]
) -> tuple[QuerySet, list[Column]]:
    """`rows` in the order that the query string asks for, and the columns' heads.

    `columns` is key → (label, field, whether numeric); by a column without a field the caller
    sorts. Numbers sort downwards first, because the largest are looked for; rows without a
    value come last; ties keep the rows' own order.
    """
    key, downwards = sort_key(request)
    path = columns[key][1] if key in columns else None
    if path is not None:
        field = F(path)
        order = field.desc(nulls_last=True) if downwards else field.asc(nulls_last=True)
        rows = rows.order_by(order, "pk")
    heads = []
    for name, (label, _, numeric) in columns.items():
        active = name == key
        direction = ("descending" if downwards else "ascending") if active else "none"
        flip = not downwards if active else numeric
        heads.append(Column(label, name, numeric, direction, f"-{name}" if flip else name))
    return rows, heads
