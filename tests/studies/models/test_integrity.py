"""Rules that the database keeps, whoever writes to it."""

import numpy as np
import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from studies.models import Event, Participant, ParticipantKind, Response, Scan, Trial
from studies.models.fields import NodeSet, pack_nodes, unpack_nodes
from tests.studies import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return factories.study(workspace=factories.workspace())


@pytest.fixture
def other_study():
    return factories.study(workspace=factories.workspace())


def refused(act):
    with pytest.raises(IntegrityError), transaction.atomic():
        act()


def test_a_trial_and_question_have_one_response(study):
    rater = factories.rated_participant(study)
    response = Response.objects.filter(trial__participant=rater).first()
    refused(
        lambda: Response.objects.create(
            trial=response.trial, question=response.question, value=1, label="1", number=1
        )
    )


def test_a_trial_position_occurs_once(study):
    first, second = factories.participant(study).trials.order_by("position")[:2]
    refused(lambda: Trial.objects.filter(pk=second.pk).update(position=first.position))


def test_a_participant_meets_an_image_once(study):
    first, second = factories.participant(study).trials.order_by("position")[:2]
    refused(lambda: Trial.objects.filter(pk=second.pk).update(study_image=first.study_image))


def test_no_trial_for_an_image_of_another_study(study, other_study):
    participant = factories.participant(study)
    strange = other_study.study_images.first()
    refused(lambda: Trial.objects.create(participant=participant, study_image=strange, position=99))
    refused(lambda: Trial.objects.filter(participant=participant).update(study_image=strange))


def test_no_response_to_a_question_of_another_study(study, other_study):
    trial = factories.participant(study).trials.first()
    question = other_study.questions.first()
    refused(
        lambda: Response.objects.create(
            trial=trial, question=question, value=1, label="1", number=1
        )
    )


def test_the_event_log_is_append_only(study):
    factories.participant(study)
    assert Event.objects.exists()
    refused(lambda: Event.objects.update(kind="forged"))
    refused(lambda: Event.objects.all().delete())


def test_simulated_raters_stay_simulated(study):
    rater = factories.participant(study, ParticipantKind.SIMULATED)
    refused(lambda: Participant.objects.filter(pk=rater.pk).update(kind="person"))


def test_states_and_kinds_are_known(study):
    participant = factories.participant(study)
    refused(lambda: Participant.objects.filter(pk=participant.pk).update(state="elsewhere"))
    refused(lambda: type(study).objects.filter(pk=study.pk).update(state="open"))


@given(st.sets(st.integers(0, 2**33)))
def test_nodes_survive_packing(nodes):
    ordered = np.array(sorted(nodes), dtype=np.int64)
    assert np.array_equal(unpack_nodes(pack_nodes(ordered)), ordered)


@pytest.mark.parametrize("nodes", [[3, 2], [1, 1], [-1, 4]])
def test_only_sorted_distinct_nodes_are_packed(nodes):
    with pytest.raises(ValueError, match="sorted, distinct and not negative"):
        pack_nodes(np.array(nodes))


def test_nodes_are_small_in_the_database():
    half = np.sort(np.random.default_rng(0).choice(12544, 6272, replace=False))
    assert len(pack_nodes(half)) < 12544 / 4
    assert NodeSet(half) == NodeSet(unpack_nodes(pack_nodes(half)))


def test_nodes_come_back_from_the_database():
    scan = factories.scan(workspace=factories.workspace())
    result = scan.results.order_by("-size").first()
    assert list(result.nodes) == list(range(result.size))
    assert np.asarray(result.nodes).dtype == np.int64


@pytest.mark.parametrize(
    "changes",
    [
        {"group_pvalue": 0},
        {"group_pvalue": 1.5},
        {"group_pvalue": None},
        {"group_n_exceeding": 20},
        {"n_replicates": 0},
        {"null_kind": "made up"},
        {"null_kind": ""},
        {"confidence": None},
        {"n_held_out": 0},
        {"group_pvalue_low": 0.9},
        {"engine": "abacus"},
    ],
)
def test_a_calibration_is_whole_or_not_there(changes):
    scan = factories.scan(workspace=factories.workspace(), calibrated=True)
    refused(lambda: Scan.objects.filter(pk=scan.pk).update(**changes))


@pytest.mark.parametrize("changes", [{"pvalue": 0}, {"pvalue": 1.01}, {"n_exceeding": None}])
def test_an_images_p_is_above_0_and_at_most_1(changes):
    scan = factories.scan(workspace=factories.workspace(), calibrated=True)
    refused(lambda: scan.results.update(**changes))
