"""Fifty people who come at the same moment, to the server as it is deployed."""

from collections import Counter

from tests.durability.conftest import Crowd

N_PEOPLE, N_IMAGES, N_TRIALS = 50, 12, 6
LIMIT = 21
N_WITH_TRIALS = N_IMAGES * LIMIT // N_TRIALS


def test_fifty_at_once_fill_every_slot_and_the_others_are_sent_off_kindly(served, tmp_path):
    earlier = len(served.log.read_text())
    crowd = Crowd.gather(
        served,
        N_PEOPLE,
        n_images=N_IMAGES,
        trials_per_participant=N_TRIALS,
        ratings_target=LIMIT - 1,
        reserve=1,
    )
    crowd.start()
    found = crowd.account(tmp_path)
    assert found["wrong"] == []
    assert found["n_participants"] == N_PEOPLE
    assert all(set(assigned) == {LIMIT} for assigned in found["assigned"].values())
    shown = Counter(seen["code"] for seen in crowd.ledger.codes.values())
    assert shown == {"MUSE-1234": N_WITH_TRIALS, "MUSE-FULL": N_PEOPLE - N_WITH_TRIALS}
    assert crowd.ledger.n_sent_again == 0
    # Nobody waited for a lock until it was too late, and nothing broke without being seen.
    assert "Traceback" not in served.log.read_text()[earlier:]
