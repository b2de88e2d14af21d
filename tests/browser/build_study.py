"""Fill a fresh database for the browser: a small real model, its images, a scan, a study.

Run as a script with the server's settings; prints the study's slug.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studies.settings")
django.setup()

from scanning.generative import (  # noqa: E402
    CreativeDecoding,
    TrainingConfig,
    decoder_layers,
    fit_activity,
    generate,
    load_combo,
    save_model,
    train_vae,
)
from studies.models import Process, Role  # noqa: E402
from studies.questions.presets import PRESETS  # noqa: E402
from studies.services import design, files, generation, lifecycle, scans  # noqa: E402
from studies.services.analysis import analyse  # noqa: E402
from studies.services.simulation import simulate_raters  # noqa: E402
from tests.studies import factories  # noqa: E402

LAYER = "decoder.dense1"
COMBO_STEP = 20  # every twentieth of the bundled images


def build() -> str:
    workspace = factories.workspace("Browser lab")
    factories.user(Role.OWNER, workspace=workspace, username="ada")
    pictures = load_combo().images[::COMBO_STEP]
    trained = train_vae(pictures, TrainingConfig(epochs=2, seed=1))
    weights = files.new_file("weights")
    save_model(trained.model, weights)
    model = generation.register_model(
        workspace=workspace,
        name="Small VAE",
        architecture="conv_vae",
        configuration=trained.model.config.to_dict(),
        training=trained.to_dict(),
        layers=decoder_layers(trained.model),
        weights_sha256=files.keep("weights", weights),
    )
    creative = CreativeDecoding(layer=LAYER)
    activity = fit_activity(trained.model, pictures, LAYER)
    sets = {}
    for seed, (name, n, how) in enumerate(
        [
            ("Background", 80, None),
            ("Normal", 30, None),
            ("Creative", 30, creative),
            ("Held out", 60, None),
        ]
    ):
        made = generate(
            trained.model, n, seed=seed, layers=[LAYER, "pixels"], creative=how, activity=activity
        )
        sets[name] = generation.create_image_set(
            workspace=workspace,
            name=name,
            process=Process.CREATIVE if how else Process.NORMAL,
            images=made.images,
            latents=made.latents,
            activations=made.activations,
            model=model,
            generation={"seed": seed, "n": n, "creative": how.to_dict() if how else None},
        )
    scan = [
        scans.run_scan(
            workspace=workspace,
            name=f"Scan at {layer}",
            background=sets["Background"],
            test_sets=[sets["Normal"], sets["Creative"]],
            layer=layer,
        )
        for layer in ("pixels", LAYER)
    ][-1]
    study = factories.study(
        0,
        questions=(),
        state="draft",
        workspace=workspace,
        of=scan,
        slug="browser",
        title="How creative are these images?",
        trials_per_participant=6,
    )
    for preset in ("creativity_likert", "four_labels"):
        design.add_question(study=study, **PRESETS[preset])
    design.add_images_by_strata(study=study, n_quantiles=2, n_per_stratum=5)
    lifecycle.change_state(study=study, act="launch")
    simulate_raters(study=study, n_raters=8, seed=1)
    analyse(study=study)
    return study.slug


if __name__ == "__main__":
    print(build())
