"""A study of 100,000 responses, analysed in a process of its own: seconds, and peak memory.

``python -m tests.benchmarks.analysis`` makes a temporary database, lets 2,500 raters rate 40 of
400 images each, and runs the whole analysis: cumulative link and linear mixed models with rater
slopes, agreement, resampling, every test, and the exclusion multiverse. The goals are 60 seconds
and 1 GB.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

GOAL_S, GOAL_MB = 60, 1000
BATCH = 5000


def build(n_raters: int, n_images: int, n_ratings: int) -> None:
    """The study, its raters and their answers, with effects of size, of raters and of images."""
    import numpy as np
    from django.core.management import call_command
    from django.db import transaction
    from django.utils import timezone

    from studies.models import (
        Participant,
        ParticipantKind,
        ParticipantState,
        Response,
        ScanResult,
        Trial,
        TrialState,
    )
    from tests.studies import factories

    call_command("migrate", verbosity=0, interactive=False)
    rng = np.random.default_rng(0)
    with transaction.atomic():
        lab = factories.workspace("Benchmark")
        study = factories.study(
            n_images, workspace=lab, slug="benchmark", trials_per_participant=n_ratings
        )
        images = list(study.study_images.order_by("pk"))
        size_z = rng.normal(size=n_images)
        score_z = 0.7 * size_z + 0.7 * rng.normal(size=n_images)
        results = {row.image_id: row for row in ScanResult.objects.filter(scan=study.scan)}
        for place, image in enumerate(images):
            row = results[image.image_id]
            row.size, row.alpha = int(30 + 8 * size_z[place]) or 1, 0.25
            row.score = float(20 + 5 * score_z[place])
        ScanResult.objects.bulk_update(results.values(), ["size", "score", "alpha"], BATCH)
        now = timezone.now()
        people = Participant.objects.bulk_create(
            [
                Participant(
                    study=study,
                    kind=ParticipantKind.SIMULATED,
                    state=ParticipantState.FINISHED,
                    outcome="completed",
                    n_trials=n_ratings,
                    n_done=n_ratings,
                    seed=number,
                    consent_sha256="0" * 64,
                    consented_at=now,
                    started_at=now,
                    last_active_at=now,
                    ended_at=now + timezone.timedelta(seconds=int(rng.integers(120, 900))),
                )
                for number in range(n_raters)
            ],
            BATCH,
        )
        image_effect = 0.8 * rng.normal(size=n_images)
        question = study.questions.get()
        for first in range(0, n_raters, 250):
            trials, answers = [], []
            for person in people[first : first + 250]:
                shown = rng.permutation(n_images)[:n_ratings]
                latent = (
                    (0.3 + 0.2 * rng.normal()) * size_z[shown]
                    + rng.normal()
                    + image_effect[shown]
                    + rng.logistic(size=n_ratings)
                )
                answers += (np.digitize(latent, [-3, -2, -1, 0, 1, 2]) + 1).tolist()
                trials += [
                    Trial(
                        participant=person,
                        study_image=images[place],
                        position=position,
                        state=TrialState.COMPLETED,
                        completed_at=now,
                        response_time_ms=int(rng.integers(200, 4000)),
                    )
                    for position, place in enumerate(shown, start=1)
                ]
            made = Trial.objects.bulk_create(trials, BATCH)
            Response.objects.bulk_create(
                [
                    Response(
                        trial=trial,
                        question=question,
                        value=str(answer),
                        label=str(answer),
                        number=answer,
                        received_at=now,
                    )
                    for trial, answer in zip(made, answers, strict=True)
                ],
                BATCH,
            )


def analyse() -> None:
    """Analyse the study, and print what it took as JSON."""
    from studies.models import Study
    from studies.services import analysis

    steps: list[tuple[float, str]] = []
    started = time.perf_counter()
    run = analysis.analyse(
        study=Study.objects.get(slug="benchmark"),
        progress=lambda n_done, n_total, message: steps.append((time.perf_counter(), message)),
    )
    ended = time.perf_counter()
    ends = [moment for moment, _ in steps[1:]] + [ended]
    taken = {
        message: round(end - begun, 2) for (begun, message), end in zip(steps, ends, strict=True)
    }
    print(
        json.dumps(
            {
                "seconds": ended - started,
                "cpu_seconds": time.process_time(),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "n_ratings": run.result["n_ratings"],
                "headline": run.result["headline"]["sentence"],
                "steps": taken,
            }
        )
    )


def child(step: str, folder: str, *options: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.analysis", "--step", step, *options],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "studies.settings",
            "MUSESCAN_DATA_DIR": folder,
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return finished.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raters", type=int, default=2500)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--ratings", type=int, default=40, help="of each rater")
    parser.add_argument("--step", choices=["build", "analyse"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        import django

        django.setup()
        if options.step == "build":
            build(options.raters, options.images, options.ratings)
        else:
            analyse()
        return 0
    sizes = [f"--{name}={getattr(options, name)}" for name in ("raters", "images", "ratings")]
    with tempfile.TemporaryDirectory(prefix="musescan-benchmark-") as folder:
        started = time.perf_counter()
        child("build", folder, *sizes)
        print(f"Built in {time.perf_counter() - started:.0f} s.", flush=True)
        told = json.loads(child("analyse", folder))
    print(told["headline"])
    for message, seconds in told["steps"].items():
        print(f"  {seconds:7.2f} s  {message}")
    print(
        f"{told['n_ratings']:,} responses: {told['seconds']:.1f} s (goal {GOAL_S}), "
        f"{told['cpu_seconds']:.1f} s of processor, peak {told['peak_mb']:.0f} MB "
        f"(goal {GOAL_MB})"
    )
    return 0 if told["seconds"] < GOAL_S and told["peak_mb"] < GOAL_MB else 1


if __name__ == "__main__":
    sys.exit(main())
