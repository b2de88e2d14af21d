"""Crowds on PostgreSQL: everybody at once, by real threads against committed data.

More people than connections: a few dozen threads let them in as fast as the database does.
"""

import queue
import random
import threading
import uuid
from collections import Counter
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.utils import timezone

from studies import queries
from studies.errors import DomainError
from studies.models import (
    Coverage,
    Outcome,
    Participant,
    ParticipantKind,
    ParticipantState,
    StudyState,
    Trial,
)
from studies.questions import question_type
from studies.services import design, lifecycle
from studies.services.blocks import come_back, complete_block
from studies.services.leaving import withdraw_participant
from studies.services.replay import replay_assignment
from studies.services.responses import Submission, mark_unseen, record_answers
from studies.services.slots import give_back_of_silent, lock_balance, slot_limit
from studies.views.participant.access import cookie_name
from tests.studies import factories
from tests.studies.recount import miscounts

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="needs PostgreSQL: set MUSESCAN_DATABASE_URL"
    ),
]

N_THREADS = 32
N_PEOPLE = 200
TOGETHER = {"single": 1, "pair": 2, "set": 4}
QUESTIONS = {
    "single": ("likert", {"points": 7, "low": "Not at all", "high": "Extremely"}),
    "pair": ("forced_choice", {}),
    "set": ("best_worst", {"k": 4, "best": "Most creative", "worst": "Least creative"}),
}


def at_once(acts):
    """Do all `acts` on `N_THREADS` threads that start together; what each returned or raised.

    Only a refusal is an outcome: a deadlock, a lock that is not had, or anything else fails.
    """
    waiting = queue.SimpleQueue()
    for numbered in enumerate(acts):
        waiting.put(numbered)
    outcomes, broken = [None] * len(acts), []
    start = threading.Barrier(N_THREADS)

    def work():
        start.wait()
        try:
            while True:
                index, act = waiting.get_nowait()
                try:
                    outcomes[index] = act()
                except DomainError as refused:
                    outcomes[index] = refused
        except queue.Empty:
            pass
        except Exception as error:
            broken.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(N_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    if broken:
        raise broken[0]
    return outcomes


def study_of(what, n_images=40, **fields):
    made = factories.study(
        n_images,
        questions=(),
        state=StudyState.DRAFT,
        workspace=factories.workspace(),
        **fields,
    )
    kind, options = QUESTIONS[what]
    design.add_question(study=made, key="creativity", kind=kind, text="How?", options=options)
    design.set_code(study=made, outcome=Outcome.OVER_QUOTA, code="MUSE-FULL")
    lifecycle.change_state(study=made, act="launch")
    return made


def arrive(study, seed):
    """Somebody who agrees, reads the instructions and starts."""
    enrolled = factories.enrolled(study, seed=seed)
    participant = enrolled.participant
    participant = complete_block(participant=participant, position=participant.at_block)
    return enrolled.token, participant


def loads(study):
    """How often each image is assigned, by stratum."""
    rows = Coverage.objects.filter(study=study, kind="person")
    by_stratum = {}
    for stratum, n in rows.values_list("stratum", "n_assigned"):
        by_stratum.setdefault(stratum, []).append(n)
    return by_stratum


@pytest.mark.parametrize(
    ("what", "target", "reserve"),
    [("single", None, 0), ("single", 30, 2), ("single", 1, 0), ("pair", 30, 2), ("set", 30, 2)],
)
def test_a_crowd_shares_the_images_out_evenly_and_to_the_last_slot(what, target, reserve):
    n_trials, n_images = 8, 40
    study = study_of(
        what, n_images, trials_per_participant=n_trials, ratings_target=target, reserve=reserve
    )
    arrived = at_once([partial(arrive, study, i) for i in range(N_PEOPLE)])
    assert [each for each in arrived if isinstance(each, DomainError)] == []
    assert miscounts(study) == []
    assert all(each.same for each in replay_assignment(study=study))

    wanted = N_PEOPLE * n_trials
    limit = slot_limit(study)
    capacity = wanted if limit is None else limit * n_images // TOGETHER[what]
    n_given = Trial.objects.filter(participant__study=study).count()
    assert n_given == min(wanted, capacity)

    for assigned in loads(study).values():
        assert max(assigned) - min(assigned) <= 1
        assert limit is None or max(assigned) <= limit

    states = Counter(participant.state for _, participant in arrived)
    late = [(token, person) for token, person in arrived if person.ended_at is not None]
    assert states[ParticipantState.TURNED_AWAY] == len(late)
    # Nobody is turned away while there is a slot, and whoever came in got at least one.
    assert bool(late) == (wanted > capacity)
    assert all(person.outcome == Outcome.OVER_QUOTA for _, person in late)
    assert all(person.n_trials > 0 for _, person in arrived if person.ended_at is None)
    for token, _ in late[:3]:
        shown = last_page(study, token)
        assert shown.status_code == 200
        assert b"we have all the answers that we need" in shown.content
        assert b"MUSE-FULL" in shown.content
        assert b"MUSE-1234" not in shown.content


def last_page(study, token):
    visitor = Client()
    visitor.cookies[cookie_name(study.slug)] = token
    return visitor.get(f"/s/{study.slug}/debrief/")


class Bustle:
    """What people of one study do: `acts` of many kinds, in random order, by a seed."""

    def __init__(self, study, seed):
        self.study = study
        self.seed = seed
        self.question = study.questions.get()
        self.kind = question_type(self.question.kind)

    def arrive(self, i):
        return arrive(self.study, 1000 * self.seed + i)[1]

    def fall_silent(self, people):
        """Time goes by for `people`, who have a page with a trial on it: their pages."""
        pages = [next_trial(person) for person in people]
        Participant.objects.filter(pk__in=[person.pk for person in people]).update(
            last_active_at=timezone.now() - timedelta(hours=3)
        )
        return pages

    def rate(self, participant, trial):
        rng = random.Random(trial.pk)
        latent = [rng.gauss(0, 1) for _ in range(self.kind.n_images(self.question.options))]
        answers = self.kind.simulate(self.question.key, self.question.options, latent)
        submission = Submission(trial=trial.public_id, answers=answers, key=uuid.uuid4())
        return record_answers(participant=participant, submission=submission)

    def rate_some(self, participant, n):
        """Rate up to `n` images, each as it is offered and each sent twice."""
        for _ in range(n):
            trial = next_trial(participant)
            if trial is None:
                return
            self.rate(participant, trial)
            self.rate(participant, trial)

    def skip(self, participant):
        trial = next_trial(participant)
        if trial is not None:
            mark_unseen(participant=participant, trial_id=trial.public_id)

    def acts(self):
        here = [self.arrive(i) for i in range(24)]
        silent = here[:12]
        pages = self.fall_silent(silent)
        acts = [
            *[partial(self.rate_some, person, 3) for person in here],
            *[partial(come_back, participant=person) for person in silent[:6]],
            *[partial(self.rate, *late) for late in zip(silent[6:], pages[6:], strict=True)],
            *[partial(withdraw_participant, participant=person) for person in here[10:16]],
            *[partial(self.skip, person) for person in here[14:22]],
            *[partial(self.arrive, i) for i in range(24, 48)],
        ]
        random.Random(self.seed).shuffle(acts)
        return acts


def next_trial(participant):
    return next(iter(queries.upcoming_trials(participant, 1)), None)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("what", TOGETHER)
def test_whatever_happens_at_once_the_counts_are_those_of_the_trials(what, seed):
    study = study_of(
        what, 12, trials_per_participant=6, ratings_target=16 * TOGETHER[what], seed=seed
    )
    outcomes = at_once(Bustle(study, seed).acts())
    assert miscounts(study) == []
    assert all(each.same for each in replay_assignment(study=study))
    refusals = {each.code for each in outcomes if isinstance(each, DomainError)}
    # What somebody is told who has left, was turned away, or has another trial by now.
    assert refusals <= {"withdrawn", "turned_away", "not_current", "already_finished"}
    assert study.participants.count() == 48


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("what", ["pair", "set"])
def test_late_answers_and_others_about_the_same_images_never_wait_for_each_other(what, seed):
    study = study_of(what, 8, trials_per_participant=10, seed=seed)
    bustle = Bustle(study, seed)
    people = [bustle.arrive(i) for i in range(N_THREADS)]
    late, prompt = people[: N_THREADS // 2], people[N_THREADS // 2 :]
    pages = bustle.fall_silent(late)
    with transaction.atomic():
        lock_balance(study, ParticipantKind.PERSON)
        give_back_of_silent(study, ParticipantKind.PERSON)
    acts = [
        *[partial(bustle.rate, *each) for each in zip(late, pages, strict=True)],
        *[partial(bustle.rate_some, person, 3) for person in prompt],
    ]
    random.Random(seed).shuffle(acts)
    at_once(acts)
    assert miscounts(study) == []
