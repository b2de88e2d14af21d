"""Everything is closed unless it is opened here on purpose: every address, as a stranger."""

import re

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.studies import factories

pytestmark = pytest.mark.django_db

# What a stranger may see: name of the address → why.
OPEN = {
    "home": "leads to sign-in",
    "healthz": "for whoever watches the server",
    "workspace:sign-in": "where one comes in",
    "workspace:sign-out": "does nothing to who is not in",
    "participant:landing": "the first page of a study",
    "participant:consent": "read before anything is stored",
    "participant:declined": "nothing is stored",
    "admin:login": "where a superuser comes in",
    "admin:logout": "does nothing to who is not in",
}


def addresses(patterns, route="", names=()):
    for pattern in patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            space = [pattern.namespace] if pattern.namespace else []
            yield from addresses(pattern.url_patterns, here, [*names, *space])
        elif isinstance(pattern, URLPattern):
            yield ":".join([*names, pattern.name or "unnamed"]), here


EVERY = dict(sorted({(name, route) for name, route in addresses(get_resolver().url_patterns)}))

KINDS = {"slug": "art", "int": "1", "str": "x", "path": "x", "uuid": "x"}


def filled(route: str) -> str:
    """The route as an address, with something in every place."""
    route = re.sub(r"<(?:(\w+):)?\w+>", lambda m: KINDS.get(m[1] or "str", "x"), route)
    route = re.sub(r"\(\?P<\w+>[^)]*\)", "x", route)
    return "/" + re.sub(r"[\^$\\]|\.\*", "", route)


def test_the_list_of_open_addresses_names_none_that_is_gone():
    assert set(OPEN) <= set(EVERY)


@pytest.mark.parametrize("name", [name for name in EVERY if name not in OPEN])
def test_a_stranger_finds_every_other_address_closed(name):
    study = factories.study(workspace=factories.workspace(), slug="art")
    before = [each.objects.count() for each in (type(study), factories.Participant)]
    client = Client(raise_request_exception=False)
    for ask in (client.get, client.post):
        response = ask(filled(EVERY[name]))
        closed = response.status_code in {401, 403, 404, 405}
        to_entrance = response.status_code in {301, 302, 303} and re.search(
            r"sign-in|/admin/login|^/s/art/$|^/api/v1/", response["Location"]
        )
        assert closed or to_entrance, (name, response.status_code)
    assert [each.objects.count() for each in (type(study), factories.Participant)] == before
