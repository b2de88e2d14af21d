from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from knox.models import AuthToken
from rest_framework.test import APIClient

from tests.studies import factories

pytestmark = pytest.mark.django_db


def test_the_printed_token_opens_the_api_and_is_not_stored():
    user = factories.user()
    out = StringIO()
    call_command("create_token", user.get_username(), stdout=out, stderr=StringIO())
    token = out.getvalue().strip()
    client = APIClient(headers={"Authorization": f"Token {token}"})
    assert client.get("/api/v1/studies/").status_code == 200
    stored = AuthToken.objects.get(user=user)
    assert token not in (stored.digest, stored.token_key)


def test_an_unknown_user_is_refused():
    with pytest.raises(CommandError, match="there is no 'nobody'"):
        call_command("create_token", "nobody")
    assert not AuthToken.objects.exists()


def test_a_user_who_left_gets_none():
    user = factories.user(is_active=False)
    with pytest.raises(CommandError, match="is not active"):
        call_command("create_token", user.get_username())
    assert not AuthToken.objects.exists()
