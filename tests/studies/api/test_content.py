"""What the API shows is what the record holds."""

import io
import zipfile

from django.urls import reverse

from studies.models import BlockKind, Response
from studies.services import design
from studies.services.decisions import decide
from studies.services.quality import set_quality_rules
from tests.studies import factories


def test_a_study_has_its_counts_and_questions(lab, viewer):
    got = viewer.get(reverse("api:study", args=[lab.study.slug])).json()
    assert (got["slug"], got["state"]) == (lab.study.slug, "running")
    assert (got["n_images"], got["n_people"], got["n_finished"], got["n_simulated"]) == (8, 1, 1, 1)
    assert [question["key"] for question in got["questions"]] == ["creativity", "label"]
    assert got["questions"][0]["options"]["points"] == 7
    assert got["scan"] == lab.scan.pk
    assert "completion_code" not in got
    assert "MUSE-1234" not in str(got)
    assert "service_settings" not in str(got)


def test_a_study_has_its_steps_with_their_items(lab, viewer):
    draft = factories.study(workspace=lab.workspace, state="draft")
    block = design.add_block(study=draft, kind=BlockKind.COMPREHENSION, position=2, title="Check")
    options = {"points": 2, "low": "Yes", "high": "No"}
    design.add_item(
        block=block, key="task", kind="likert", text="Ready?", options=options, correct=[1]
    )
    got = viewer.get(reverse("api:study", args=[draft.slug])).json()
    assert [(each["position"], each["kind"]) for each in got["blocks"]] == [
        (1, "instructions"), (2, "comprehension"), (3, "ratings"),
    ]  # fmt: skip
    assert got["blocks"][1]["title"] == "Check"
    assert got["blocks"][1]["items"] == [
        {
            "key": "task", "position": 1, "kind": "likert", "text": "Ready?", "options": options,
            "correct": [1],
        }
    ]  # fmt: skip


def test_a_study_has_its_policies_and_the_limits_in_force(lab, viewer):
    set_quality_rules(study=lab.study, rules={"max_fast_share": None, "min_response_ms": 250})
    got = viewer.get(reverse("api:study", args=[lab.study.slug])).json()
    assert got["policies"]["replace_excluded"] is True
    assert got["policies"]["ratings_target"] is None
    assert got["policies"]["trial_order"] == "random"
    assert got["quality_rules"]["max_fast_share"] is None
    assert got["quality_rules"]["min_response_ms"] == 250
    assert got["quality_rules"]["max_run_share"] == 0.5


def test_participants_come_with_how_it_ended_and_what_was_decided(lab, viewer):
    person = lab.study.participants.get(kind="person")
    decide(participant=person, verdict="excluded", reason="Too fast.")
    url = reverse("api:study-participants", args=[lab.study.slug])
    rows = viewer.get(url).json()["results"]
    assert [(row["participant"], row["kind"], row["excluded"], row["verdict"]) for row in rows] == [
        (person.public_id, "person", True, "excluded"),
        (lab.study.participants.get(kind="simulated").public_id, "simulated", False, None),
    ]
    assert (rows[0]["state"], rows[0]["outcome"], rows[0]["number"]) == ("finished", "completed", 0)
    assert (rows[0]["n_trials"], rows[0]["n_completed"], rows[0]["n_returned"]) == (4, 4, 0)
    assert "Too fast." not in str(rows)
    responses = viewer.get(reverse("api:study-responses", args=[lab.study.slug])).json()["results"]
    assert {row["participant"] for row in responses if row["excluded"]} == {person.public_id}


def test_a_comparison_has_its_images_from_left_to_right(lab, viewer):
    study = factories.study(workspace=lab.workspace, questions=["pairwise_tournament"])
    someone = factories.rated_participant(
        study, answers=lambda trial, questions: {"more_creative": "right"}
    )
    rows = viewer.get(reverse("api:study-responses", args=[study.slug])).json()["results"]
    for row, trial in zip(rows, someone.trials.order_by("position"), strict=True):
        assert row["image"] is None
        assert row["images"] == [
            each.study_image.image.public_id for each in trial.images.order_by("place")
        ]
        assert (row["value"], row["role"]) == ("right", "main")


def test_a_study_without_a_scan_has_images_without_results(lab, viewer):
    lab.study.scan = None
    lab.study.save()
    assert viewer.get(reverse("api:study", args=[lab.study.slug])).json()["scan"] is None
    rows = viewer.get(reverse("api:study-images", args=[lab.study.slug])).json()["results"]
    assert len(rows) == 8
    assert {row["size"] for row in rows} == {None}


def test_images_carry_their_scan_results(lab, viewer):
    rows = viewer.get(reverse("api:study-images", args=[lab.study.slug])).json()["results"]
    results = {result.image.public_id: result for result in lab.scan.results.all()}
    assert len(rows) == 8
    for row in rows:
        result = results[row["image"]]
        assert (row["score"], row["size"]) == (result.score, result.size)
        assert (row["alpha"], row["in_group"]) == (result.alpha, result.in_group)
    assert sum(row["n_people"] for row in rows) == 4


def test_a_response_is_one_long_row(lab, viewer):
    rows = viewer.get(reverse("api:study-responses", args=[lab.study.slug])).json()["results"]
    stored = Response.objects.order_by("pk").select_related("trial__participant", "question")
    for row, response in zip(rows, stored, strict=True):
        assert row["participant"] == response.trial.participant.public_id
        assert row["kind"] == response.trial.participant.kind
        assert row["trial"] == response.trial.position
        assert row["question"] == response.question.key
        assert (row["value"], row["number"]) == (response.value, response.number)
        assert row["response_time_ms"] == 1000 + response.trial.position
        assert (row["role"], row["images"], row["n_revisions"]) == ("main", [], 0)
        assert row["image"] == response.trial.study_image.image.public_id
        assert row["excluded"] is False


def test_a_scan_has_its_parameters_and_group(lab, viewer):
    got = viewer.get(reverse("api:scan", args=[lab.scan.pk])).json()
    assert (got["layer"], got["tail"], got["statistic"]) == ("decoder.2", "upper", "berk_jones")
    assert (got["alpha_max"], got["seed"], got["node_shape"]) == (0.5, 7, [4, 4, 4])
    assert got["model"] is None
    assert got["test_sets"] == [image_set.name for image_set in lab.scan.test_sets.all()]
    found = {"score": 12.5, "alpha": 0.25, "n_images": 2, "n_nodes": 16, "is_exact": False}
    assert got["group"] == found
    assert (got["engine"], got["max_images"], got["max_nodes"]) == ("numba", None, None)
    assert got["calibration"]["pvalue"] is None


def test_a_calibrated_scan_has_its_p_values(lab, viewer):
    scan = factories.scan(workspace=lab.workspace, calibrated=True)
    got = viewer.get(reverse("api:scan", args=[scan.pk])).json()["calibration"]
    assert got == {
        "held_out": [scan.held_out.get().name],
        "n_held_out": 4,
        "null": "pooled",
        "n_replicates": 19,
        "seed": 7,
        "n_exceeding": 7,
        "pvalue": 0.4,
        "low": 0.163,
        "high": 0.616,
        "confidence": 0.95,
    }
    rows = viewer.get(reverse("api:scan-results", args=[scan.pk])).json()["results"]
    assert {row["process"]: (row["pvalue"], row["n_exceeding"]) for row in rows} == {
        "normal": (0.8, 3),
        "creative": (0.2, 0),
    }


def test_nodes_are_on_a_single_result_only(lab, viewer):
    rows = viewer.get(reverse("api:scan-results", args=[lab.scan.pk])).json()["results"]
    assert len(rows) == 8
    assert all("nodes" not in row for row in rows)
    for row in rows:
        url = reverse("api:scan-result", args=[lab.scan.pk, row["image"]])
        one = viewer.get(url).json()
        assert one.pop("nodes") == list(range(row["size"]))
        assert one == row


def test_the_export_is_a_zip_that_nobody_keeps(lab, editor):
    response = editor.get(reverse("api:study-export", args=[lab.study.slug]))
    assert response["Content-Type"] == "application/zip"
    assert response["Cache-Control"] == "private, no-store"
    assert f"{lab.study.slug}-export.zip" in response["Content-Disposition"]
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    assert any(name.endswith("-responses_data.csv") for name in archive.namelist())
