"""What the server told its participants, compared with what its database holds.

Run as a script with the server's settings: a study's slug and the ledger of what was told, a
JSON file. Prints what differs and what there is, as JSON.
"""

import json
import os
import sys
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studies.settings")
django.setup()

from studies.models import Coverage, ParticipantState, Study, Trial, TrialState  # noqa: E402
from tests.studies.recount import miscounts  # noqa: E402


def losses(study: Study, told: dict) -> list[str]:
    """What was acknowledged and is not in the database exactly so."""
    wrong = []
    trials = {
        trial.public_id: trial
        for trial in Trial.objects.filter(participant__study=study).prefetch_related(
            "responses__question"
        )
    }
    for public_id, entry in told["answers"].items():
        trial = trials[public_id]
        held = {
            "key": str(trial.submission),
            "trial": trial.public_id,
            "answers": {each.question.key: str(each.value) for each in trial.responses.all()},
            "response_time_ms": trial.response_time_ms,
            "evidence": trial.evidence,
        }
        if trial.state != TrialState.COMPLETED or held != entry:
            wrong.append(f"acknowledged {entry}; the database holds {trial.state} {held}")
    return wrong


def inventions(study: Study, told: dict) -> list[str]:
    """What the database holds and nobody was told, once everybody has heard of everything."""
    completed = Trial.objects.filter(participant__study=study, state=TrialState.COMPLETED)
    return [
        f"trial {public_id} is completed, which nobody was told"
        for public_id in completed.values_list("public_id", flat=True)
        if public_id not in told["answers"]
    ]


def unearned_codes(study: Study, told: dict) -> list[str]:
    """Codes of completion that were shown to somebody who was asked for more."""
    code = study.codes.get(outcome="completed").code
    wrong = []
    for receipt, seen in told["codes"].items():
        if seen["code"] != code:
            continue
        person = study.participants.get(public_id=receipt)
        n = person.trials.filter(state=TrialState.COMPLETED).count()
        open_trials = person.trials.exclude(state=TrialState.COMPLETED).count()
        unfinished = person.state != ParticipantState.FINISHED
        if unfinished or open_trials or seen["n_acknowledged"] != n:
            wrong.append(f"{person} is {person.state} with {n} of their trials, and saw a code")
    return wrong


def assigned(study: Study) -> dict[str, list[int]]:
    """How often each image is assigned to people, by stratum."""
    by_stratum: dict[str, list[int]] = {}
    for row in Coverage.objects.filter(study=study, kind="person"):
        by_stratum.setdefault(row.stratum, []).append(row.n_assigned)
    return by_stratum


def account(slug: str, told: dict) -> dict:
    study = Study.objects.get(slug=slug)
    return {
        "wrong": [
            *losses(study, told),
            *inventions(study, told),
            *unearned_codes(study, told),
            *miscounts(study),
        ],
        "assigned": assigned(study),
        "n_participants": study.participants.count(),
        "n_finished": study.participants.filter(state=ParticipantState.FINISHED).count(),
        "n_turned_away": study.participants.filter(state=ParticipantState.TURNED_AWAY).count(),
    }


if __name__ == "__main__":
    print(json.dumps(account(sys.argv[1], json.loads(Path(sys.argv[2]).read_text()))))
