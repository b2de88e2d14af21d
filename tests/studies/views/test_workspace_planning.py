"""Asking for a plan in a page, what is refused there, and what a plan's page shows."""

import csv
import html
import re
from io import StringIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from studies.models import Job, JobKind, JobState, ParticipantKind, Role
from studies.services import jobs
from studies.services.planning import PlanRequest
from tests.studies import factories, planned
from tests.studies.pilots import rate

pytestmark = pytest.mark.django_db


@pytest.fixture
def lab():
    return factories.workspace()


@pytest.fixture
def editor(client, lab):
    client.force_login(factories.user(Role.EDITOR, workspace=lab))
    return client


@pytest.fixture
def viewer(lab):
    client = Client()
    client.force_login(factories.user(Role.VIEWER, workspace=lab))
    return client


@pytest.fixture
def study(lab):
    made = factories.study(n_images=8, workspace=lab, questions=["creativity_likert"])
    rate(made, 3, ParticipantKind.PILOT)
    return made


def at(name, *args):
    return reverse(f"workspace:{name}", args=args)


def sent(**changes):
    """The form as a browser sends it with small designs."""
    return {
        "key": "a key",
        "pilot": "", "raters": "", "predictor": "size", "safeguard": "60",
        "images": "8, 12", "ratings_per_image": "3", "trials": "6", "n_raters": "",
        "effects": "2.5", "rater_sd": "", "slope_sd": "0.2", "image_sd": "",
        "reliability": "", "reliability_of": "", "points": "3", "proportions": "",
        "hourly_pay": "12", "currency": "£", "seconds_per_trial": "8.5",
        "overhead_minutes": "2.5", "lost": "10", "fee": "33", "vat": "20", "vat_on": "fee",
        "n_replicates": "10", "power": "80", "alpha": "0.05", "confidence": "90",
        "slopes": "without", "link": "logit", "seed": "5", "name": "",
        **changes,
    }  # fmt: skip


def text(response):
    words = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", html.unescape(words))


def test_a_plan_is_started_and_made_as_the_form_says(editor, lab):
    response = editor.post(at("planning"), sent())
    job = Job.objects.get()
    assert (response.status_code, response.url) == (303, at("job", job.pk))
    assert (job.kind, job.name) == (JobKind.PLANNING, "8, 12 images × 3 ratings")
    jobs.perform_job(job_id=job.pk)
    page = editor.get(at("job", job.pk))
    assert at("plan", job.pk) in page.content.decode()
    job.refresh_from_db()
    cells = job.result["cells"]
    assert [cell["design"]["n_images"] for cell in cells] == [8, 12]
    assert cells[0]["model"]["slope_sd"] == 0.2
    assert (cells[0]["n_replicates"], cells[0]["rater_slopes"]) == (10, False)
    assert job.result["confidence_level"] == 0.9
    assert job.result["sources"]["rater_sd"] == "default"
    request = PlanRequest.from_dict(job.parameters["request"])
    assert request.proportions == (1.0,) * 3
    # A safeguard is one of a pilot's interval; without a pilot the field says nothing.
    assert request.safeguard is None
    cost = request.cost
    assert (cost.fee_rate, cost.lost_share, cost.overhead_seconds) == (0.33, 0.1, 150)


def test_sending_twice_makes_one_job(editor):
    addresses = {editor.post(at("planning"), sent()).url for _ in range(2)}
    assert addresses == {at("job", Job.objects.get().pk)}


def test_a_proposed_name_is_none_that_is_taken(editor):
    for key in "ab":
        editor.post(at("planning"), sent(key=key))
    names = Job.objects.order_by("pk").values_list("name", flat=True)
    assert list(names) == ["8, 12 images × 3 ratings", "8, 12 images × 3 ratings (2)"]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"images": ""}, "images", "required"),
        ({"images": "4,x"}, "images", "“x” is no whole number."),
        ({"images": "3"}, "images", "from 4 to 10,000"),
        ({"images": "1" * 150}, "images", "must be a whole number from 4"),
        ({"images": "9" * 5000}, "images", "at most 200 characters"),
        ({"images": "40\0"}, "images", "Null characters are not allowed"),
        ({"images": "4 5 6 7 8 9 10 11 12"}, "images", "from 1 to 8 numbers"),
        ({"images": "10000", "ratings_per_image": "1000", "trials": "1000"}, "images",
         "Images and raters must make at most 1,000,000 ratings"),
        ({"images": "10000", "ratings_per_image": "100", "trials": "1000"}, "images",
         "The largest design has 1,000,000 ratings"),
        ({"ratings_per_image": "1"}, "ratings_per_image", "from 2 to 1,000"),
        ({"trials": "60"}, "trials", "Images per person must not exceed images (8)"),
        ({"n_raters": "8"}, "n_raters", "Give the images per person or the people, not both."),
        ({"trials": "", "n_raters": "2"}, "ratings_per_image", "must not exceed raters (2)"),
        ({"effects": "nan"}, "effects", "must be a number from -3 to 3"),
        ({"effects": "inf"}, "effects", "must be a number from -3 to 3"),
        ({"effects": "1e999"}, "effects", "must be a number from -3 to 3"),
        ({"effects": "0,4"}, "effects", "Decimals have a point."),
        ({"image_sd": "nan"}, "image_sd", "Enter a number"),
        ({"image_sd": "-1"}, "image_sd", "greater than or equal to 0"),
        ({"reliability": "0.7"}, "reliability_of", "give both"),
        ({"reliability_of": "5"}, "reliability", "give both"),
        ({"reliability": "0.5", "reliability_of": "5"}, "reliability", "must be at least"),
        ({"reliability": "0.9", "reliability_of": "5", "image_sd": "1"}, "image_sd", "not both"),
        ({"proportions": "1,2"}, "proportions", "Give the points or the shares, not both."),
        ({"points": "", "proportions": "1"}, "proportions", "from 2 to 15 numbers"),
        ({"points": "", "proportions": "1,0"}, "proportions", "must be a number from 0.001"),
        ({"points": "1"}, "points", "greater than or equal to 2"),
        ({"currency": "=1+1"}, "currency", "must be letters or currency signs"),
        ({"currency": ""}, "currency", "required"),
        ({"hourly_pay": "1e400"}, "hourly_pay", "Enter a number"),
        ({"lost": "100"}, "lost", "less than or equal to 90"),
        ({"n_replicates": "1000000"}, "n_replicates", "less than or equal to 10000"),
        ({"n_replicates": "10000", "images": "100,200,300"}, "n_replicates",
         "2,105 simulated studies per design would fit"),
        ({"alpha": "0"}, "alpha", "greater than or equal to"),
        ({"seed": str(2**70)}, "seed", "less than or equal to"),
        ({"slopes": "perhaps"}, "slopes", "not one of the available choices"),
        ({"pilot": "1:creativity"}, "pilot", "not one of the available choices"),
        ({"name": "x" * 200}, "name", "at most 120 characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_at_its_field_and_nothing_is_started(editor, changes, field, words):
    response = editor.post(at("planning"), sent(**changes))
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert words in text(response)
    assert "Nothing was started" in text(response)
    assert f'id="id_{field}_error"' in response.content.decode()
    assert not Job.objects.exists()


def test_what_was_typed_is_kept_when_it_is_refused(editor):
    page = editor.post(at("planning"), sent(images="4,x", currency="CHF")).content.decode()
    assert 'value="4,x"' in page
    assert 'value="CHF"' in page
    assert 'value="a key"' in page


def as_shown(form):
    """What a browser sends of the form as it is shown."""
    values = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in values.items()}


def test_an_empty_form_is_refused_without_harm(editor):
    assert editor.post(at("planning"), {}).status_code == 422
    assert editor.post(at("planning"), {"key": "\0" * 50}).status_code == 422
    assert not Job.objects.exists()


def test_the_form_as_it_is_at_first_can_be_sent(editor):
    form = editor.get(at("planning")).context["form"]
    assert editor.post(at("planning"), as_shown(form)).status_code == 303
    assert PlanRequest.from_dict(Job.objects.get().parameters["request"]) == PlanRequest()


def test_a_study_with_ratings_is_offered_as_pilot_and_used(editor, lab, study):
    factories.study(workspace=lab, title="Without ratings")
    page = editor.get(at("planning"), {"study": study.slug})
    form = page.context["form"]
    words = f"{study.title}: How creative is this image? (likert)"
    assert form.fields["pilot"].choices[1:] == [(f"{study.pk}:creativity", words)]
    assert form["pilot"].value() == f"{study.pk}:creativity"
    assert (form["images"].value(), form["trials"].value()) == ("8", 4)
    response = editor.post(at("planning"), sent(pilot=f"{study.pk}:creativity"))
    job = Job.objects.get()
    assert (response.status_code, job.study) == (303, study)
    assert job.parameters["pilot"] == {
        "raters": "pilot", "question": "creativity", "predictor": "size",
    }  # fmt: skip
    assert job.parameters["request"]["safeguard"] == 0.6


def test_ratings_that_the_pilot_lacks_are_said_at_their_field(editor, study):
    refused = editor.post(at("planning"), sent(pilot=f"{study.pk}:creativity", raters="simulated"))
    assert list(refused.context["form"].errors) == ["raters"]
    assert "has no ratings by simulated raters" in text(refused)


def test_pilots_of_other_workspaces_are_not_offered(editor):
    other = factories.study(n_images=8, workspace=factories.workspace())
    rate(other, 2)
    assert other.title not in editor.get(at("planning")).content.decode()
    assert editor.get(at("planning"), {"study": other.slug}).status_code == 404
    assert editor.post(at("planning"), sent(pilot=f"{other.pk}:creativity")).status_code == 422
    assert not Job.objects.exists()


def test_who_only_looks_at_a_study_does_not_plan_from_it(client, lab, study):
    person = factories.user(Role.VIEWER, workspace=lab)
    factories.workspace().memberships.create(user=person, role=Role.EDITOR)
    client.force_login(person)
    assert study.title not in client.get(at("planning")).content.decode()
    assert client.post(at("planning"), sent(pilot=f"{study.pk}:creativity")).status_code == 422


def test_of_several_workspaces_one_is_chosen(client, lab):
    person = factories.user(Role.EDITOR, workspace=lab)
    other = factories.workspace()
    other.memberships.create(user=person, role=Role.OWNER)
    seen = factories.workspace()
    seen.memberships.create(user=person, role=Role.VIEWER)
    client.force_login(person)
    assert client.post(at("planning"), sent(workspace=other.pk)).status_code == 303
    assert Job.objects.get().workspace == other
    refused = client.post(at("planning"), sent(workspace=seen.pk, key="b"))
    assert list(refused.context["form"].errors) == ["workspace"]


def test_viewers_read_plans_and_start_none(viewer, lab):
    job = planned.plan_job(workspace=lab)
    page = viewer.get(at("planning"))
    assert job.name in text(page)
    assert "Simulate studies" not in page.content.decode()
    assert "run again" not in text(viewer.get(at("plan", job.pk)))
    assert viewer.post(at("planning"), sent()).status_code == 403
    assert Job.objects.count() == 1


def test_members_of_nothing_start_nothing(client):
    client.force_login(factories.user())
    assert client.get(at("planning")).status_code == 200
    assert client.post(at("planning"), sent()).status_code == 403


def test_a_plan_shows_answer_designs_assumptions_and_how_to_have_it_again(viewer, lab):
    job = planned.plan_job(workspace=lab)
    page = text(viewer.get(at("plan", job.pk)))
    for words in (
        job.result["answers"][0]["sentence"],
        job.result["answers"][1]["sentence"],
        "no person took part",
        "Effect 2.50 log odds per SD",
        "No effect",
        "2.50, 0.00 log odds per SD (odds ratio 12.18, 1.00)",
        "The same numbers on the command line",
        "python manage.py plan_study --images=8,12",
    ):
        assert re.sub(r"\s+", " ", words) in page
    assert "The pilot’s raters are simulated" not in page


def test_simulated_pilots_are_said_loudly_and_what_was_left_out_why(viewer, lab, study):
    estimates = {
        "simulated": True, "warnings": ["One caution."], "n_ratings": 40, "n_images": 8,
        "n_raters": 5, "effect": 0.5, "interval": [0.1, 0.9],
    }  # fmt: skip
    pilot = {
        "study": study.slug, "raters": "simulated", "question": "creativity",
        "predictor": "size", "estimates": estimates,
    }  # fmt: skip
    left_out = ["8 images, 30 ratings each: ratings_per_image must not exceed n_raters (8)"]
    result = {**planned.record(), "pilot": pilot, "left_out": left_out}
    page = text(viewer.get(at("plan", planned.plan_job(workspace=lab, result=result).pk)))
    assert "The pilot’s raters are simulated" in page
    assert "One caution." in page
    assert "40 ratings of 8 images by 5 simulated raters; effect 0.50 [0.10, 0.90]" in page
    assert "Designs left out" in page
    assert "ratings per image must not exceed raters (8)." in page


@pytest.mark.parametrize("extension", ["svg", "png", "pdf", "json"])
def test_curves_are_files_and_specifications(viewer, lab, extension):
    job = planned.plan_job(workspace=lab)
    response = viewer.get(at("plan-figure", job.pk, extension))
    begins = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF", "json": b"{"}[extension]
    assert response.content.startswith(begins)


def test_on_a_phone_panels_stand_one_below_the_other(viewer, lab):
    where = at("plan-figure", planned.plan_job(workspace=lab).pk, "json")

    def panels(px):
        return viewer.get(where, {"px": px}).json()["vconcat"][0]

    assert "vconcat" in panels("328")
    for px in ("900", "-1", "x", "9" * 5000, ""):
        assert "hconcat" in panels(px)


def test_downloads_have_the_figures_of_the_page(viewer, lab):
    job = planned.plan_job(workspace=lab)
    told = viewer.get(at("plan-file", job.pk, "json"))
    assert told.json() == job.result
    assert f'filename="plan-{job.pk}.json"' in told["Content-Disposition"]
    table = viewer.get(at("plan-file", job.pk, "csv")).content.decode()
    rows = list(csv.DictReader(StringIO(table)))
    assert [float(row["rejections"]) for row in rows] == [
        cell["rejections"]["estimate"] for cell in job.result["cells"]
    ]
    assert {row["simulated"] for row in rows} == {"true"}


def test_the_form_is_filled_as_it_was_and_gives_the_same_plan(editor, study):
    given = sent(
        pilot=f"{study.pk}:creativity", raters="pilot", predictor="score", effects="0.1, -0.25",
        reliability="0.8", reliability_of="7", power="87.5", lost="12.3",
    )  # fmt: skip
    editor.post(at("planning"), given)
    first = Job.objects.get()
    form = editor.get(at("planning"), {"again": first.pk}).context["form"]
    again = as_shown(form) | {"key": "again"}
    assert editor.post(at("planning"), again).status_code == 303
    assert Job.objects.latest("pk").parameters == first.parameters


@pytest.mark.parametrize("again", ["0", "x", "9" * 5000, "-1", "1\0"])
def test_plans_that_are_not_there_fill_nothing(editor, again):
    assert editor.get(at("planning"), {"again": again}).status_code in (200, 404)


def test_only_finished_plans_have_a_page(editor, lab):
    scan = factories.job(JobState.FINISHED, workspace=lab)
    waiting = factories.job(workspace=lab, kind=JobKind.PLANNING, parameters={})
    for name, more in (("plan", ()), ("plan-file", ("csv",)), ("plan-figure", ("svg",))):
        assert editor.get(at(name, scan.pk, *more)).status_code == 404
    assert editor.get(at("planning"), {"again": scan.pk}).status_code == 404
    assert editor.get(at("plan", waiting.pk)).url == at("job", waiting.pk)
    assert editor.get(at("plan-file", waiting.pk, "csv")).status_code == 404


def test_a_plan_that_failed_says_why_and_leads_back_to_its_form(editor, lab):
    job = factories.job(
        JobState.FAILED, workspace=lab, kind=JobKind.PLANNING, error="the pilot says nothing"
    )
    page = editor.get(at("job", job.pk)).content.decode()
    assert "the pilot says nothing" in page
    assert f"{at('planning')}?again={job.pk}" in page


def test_studies_lead_to_planning(viewer, study):
    assert at("planning") in viewer.get(at("studies")).content.decode()
    where = f"{at('planning')}?study={study.slug}"
    assert where in viewer.get(at("study", study.slug)).content.decode()


def test_the_number_of_queries_does_not_grow(editor, lab):
    counts = []
    for _ in range(2):
        for _ in range(2):
            made = factories.study(n_images=4, workspace=lab)
            rate(made, 1)
            job = planned.plan_job(workspace=lab, study=made)
        found = []
        for address in (at("planning"), at("plan", job.pk)):
            editor.get(address)
            with CaptureQueriesContext(connection) as queries:
                assert editor.get(address).status_code == 200
            found.append(len(queries))
        counts.append(found)
    assert counts[0] == counts[1]
