"""What was acknowledged is kept, and nobody is counted twice, whatever is killed and when."""

import random

from tests.durability.conftest import Crowd

N_PEOPLE, N_TRIALS, N_KILLS = 50, 14, 20
# Replies to one person: consent (2), instructions (2), the last page, and their answers.
N_REPLIES = N_PEOPLE * (N_TRIALS + 5)


def scripted(i: int) -> bool:
    """All but every fifth person, who goes without JavaScript."""
    return i % 5 != 0


def arriving(served):
    return Crowd.gather(
        served, N_PEOPLE, n_images=40, scripted=scripted, trials_per_participant=N_TRIALS
    )


def live_through(crowd, kill, tmp_path) -> None:
    """Kill `N_KILLS` times while everybody takes part, then call everything to account."""
    rng = random.Random(N_KILLS)
    crowd.start()
    for _ in range(N_KILLS):
        # As much as there is left of the time they need, and a little more or less.
        crowd.wait_for_replies(rng.randint(1, 2 * N_REPLIES // (N_KILLS + 4)))
        kill()
    found = crowd.account(tmp_path)
    assert found["wrong"] == []
    assert found["n_participants"] == found["n_finished"] == N_PEOPLE
    assert len(crowd.ledger.codes) == N_PEOPLE
    assert len(crowd.ledger.answers) == N_PEOPLE * N_TRIALS


def test_a_killed_server_loses_nothing_that_it_acknowledged(served, tmp_path):
    def kill():
        served.kill()
        served.start()

    live_through(arriving(served), kill, tmp_path)
    assert "is locked" not in served.log.read_text()


def test_a_killed_postgresql_loses_nothing_that_was_acknowledged(
    served_postgresql, cluster, tmp_path
):
    def kill():
        cluster.kill()
        cluster.start()

    live_through(arriving(served_postgresql), kill, tmp_path)
