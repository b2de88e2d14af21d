"""Putting a study together, launching and closing it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.errors import DomainError
from studies.models import Coverage, ParticipantKind, StudyState
from studies.questions.presets import PRESETS
from studies.services import design
from studies.services.lifecycle import change_state
from tests.studies import factories


@given(st.lists(st.integers(0, 20), min_size=1, max_size=60), st.integers(1, 6))
def test_quantiles_are_equally_large_and_in_order(sizes, n):
    quantiles = design.size_quantiles(np.array(sizes), n)
    counts = np.bincount(quantiles, minlength=n + 1)[1:]
    assert counts.max() - counts.min() <= 1
    for low, high in zip(range(1, n), range(2, n + 1), strict=True):
        below, above = np.array(sizes)[quantiles == low], np.array(sizes)[quantiles == high]
        if len(below) and len(above):
            assert below.max() <= above.min()


@pytest.fixture
def draft(db):
    workspace = factories.workspace()
    scan = factories.scan(24, workspace=workspace)
    return factories.study(0, workspace=workspace, of=scan, state=StudyState.DRAFT, seed=3,
                           trials_per_participant=4)  # fmt: skip


def test_images_are_drawn_by_process_and_quantile(draft):
    images = design.add_images_by_strata(study=draft, n_quantiles=3, n_per_stratum=2)
    assert sorted(image.stratum for image in images) == sorted(
        f"{process} q{q}" for process in ("normal", "creative") for q in (1, 2, 3) for _ in "12"
    )
    assert Coverage.objects.count() == len(images) * len(ParticipantKind.values)
    by_size = {
        result.image_id: result.size for result in draft.scan.results.select_related("image")
    }
    for process in ("normal", "creative"):
        largest = {
            q: max(by_size[i.image_id] for i in images if i.stratum == f"{process} q{q}")
            for q in (1, 2, 3)
        }
        assert largest[1] <= largest[2] <= largest[3]


def test_a_stratum_that_is_too_small_is_named(draft):
    with pytest.raises(DomainError, match="must hold at least 9 images; it holds 4"):
        design.add_images_by_strata(study=draft, n_quantiles=3, n_per_stratum=9)
    assert not draft.study_images.exists()


@pytest.mark.django_db
def test_a_running_study_cannot_be_changed():
    study = factories.study(workspace=factories.workspace())
    with pytest.raises(DomainError, match="only a draft can be changed"):
        design.add_question(study=study, **PRESETS["four_labels"])
    with pytest.raises(DomainError, match="only a draft can be changed"):
        design.add_images_by_strata(study=study, n_quantiles=1, n_per_stratum=1)


def test_questions_take_places_in_turn_and_keys_once(draft):
    draft.questions.all().delete()
    first = design.add_question(study=draft, **PRESETS["creativity_likert"])
    second = design.add_question(study=draft, **PRESETS["four_labels"])
    assert (first.position, second.position) == (1, 2)
    with pytest.raises(DomainError, match="not saved"):
        design.add_question(study=draft, **PRESETS["four_labels"])
    assert draft.questions.count() == 2


def test_a_bad_question_is_refused_with_the_rule(draft):
    broken = PRESETS["creativity_likert"] | {"key": "other", "options": {"points": 1}}
    with pytest.raises(DomainError, match="points must be from 2 to 11; got 1"):
        design.add_question(study=draft, **broken)


def test_launch_says_everything_that_is_missing(draft):
    draft.questions.all().delete()
    with pytest.raises(DomainError, match="needs a question and images"):
        change_state(study=draft, act="launch")
    draft.refresh_from_db()
    assert draft.state == StudyState.DRAFT


def test_launch_needs_an_image_for_each_trial(draft):
    design.add_images_by_strata(study=draft, n_quantiles=1, n_per_stratum=1)
    with pytest.raises(DomainError, match=r"4 images, one for each trial.*there are 2"):
        change_state(study=draft, act="launch")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "act"),
    [
        (StudyState.RUNNING, "launch"),
        (StudyState.RUNNING, "resume"),
        (StudyState.PAUSED, "pause"),
        (StudyState.CLOSED, "resume"),
        (StudyState.CLOSED, "close"),
        (StudyState.DRAFT, "close"),
    ],
)
def test_acts_that_a_state_does_not_allow_change_nothing(state, act):
    study = factories.study(workspace=factories.workspace(), state=state)
    n_events = study.events.count()
    with pytest.raises(DomainError):
        change_state(study=study, act=act)
    study.refresh_from_db()
    assert study.state == state
    assert study.events.count() == n_events


@pytest.mark.django_db
def test_a_study_can_pause_resume_and_close_and_the_log_tells():
    workspace = factories.workspace()
    researcher = factories.user("editor", workspace=workspace)
    study = factories.study(workspace=workspace, state=StudyState.DRAFT)
    for act in ("launch", "pause", "resume", "close"):
        change_state(study=study, act=act, actor=researcher)
    assert study.closed_at >= study.launched_at
    events = study.events.order_by("pk").values_list("kind", "actor__username")
    assert list(events) == [
        (kind, researcher.username)
        for kind in (
            "plan_fixed", "study_running", "study_paused", "study_running", "study_closed"
        )
    ]  # fmt: skip
