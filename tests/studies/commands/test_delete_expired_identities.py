from datetime import date
from io import StringIO

import pytest
from django.core.management import call_command

from studies.models import Identity
from tests.studies import factories

pytestmark = pytest.mark.django_db


def run():
    out = StringIO()
    call_command("delete_expired_identities", stdout=out)
    return out.getvalue()


def test_it_says_what_it_deleted_and_can_be_run_daily():
    study = factories.study(
        workspace=factories.workspace(), entry="prolific", retention_until=date(2020, 1, 1)
    )
    factories.rated_participant(study)
    assert run() == (
        f"{study.slug}: deleted 1 identity, 0 invitations, 1 session and 0 exports with "
        "identifiers (kept until 2020-01-01)\n"
    )
    assert not Identity.objects.exists()
    assert run() == "Nothing is kept beyond its date.\n"
