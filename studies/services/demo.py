"""The steps of the demonstration: a real model, real images, real scans, a running study.

Each step looks for what it would make and reuses it, so the whole can be run again after any
interruption. What a step makes is named after the seed.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from studies.errors import DomainError
from studies.models import (
    GenerativeModel,
    ImageSet,
    Membership,
    Process,
    Role,
    Scan,
    Study,
    Workspace,
)
from studies.questions.presets import PRESETS
from studies.services import design, files, generation, lifecycle, scans

if TYPE_CHECKING:
    from scanning.generative import CreativeDecoding

Progress = Callable[[int, int, str], None]

WORKSPACE = "Demonstration"
RESEARCHER = "researcher"
LAYER = "decoder.dense1"
PIXELS = "pixels"
N_BACKGROUND = 2000
N_TEST = 500
# As many as are tested together: enough for null groups of that size.
N_HELD_OUT = 1000
N_REPLICATES = 99
# Far from the seeds of the other sets, which follow one another from model to model.
HELD_OUT_SEED = 2**40
N_QUANTILES = 4
N_PER_STRATUM = 10
TRIALS_PER_PARTICIPANT = 40

CONSENT = """\
This study asks how people see images that a computer program has made. You will look at {n} \
small images and answer two short questions about each. It takes about {minutes} minutes.

Taking part is voluntary. You can stop at any moment, without giving a reason and without any \
disadvantage. The answers that you gave until then are kept.

We store your answers, how long each one took, and when you began and finished. We do not store \
your name, your address, or anything else that says who you are. The answers may be published \
for research.

By continuing you confirm that you are at least 18 years old and that you agree to this."""

INSTRUCTIONS = """\
You will see one image at a time. The images are small, and some are odd: that is how they are \
meant to be.

For each image, say how creative you find it, and choose the label that fits it best. There are \
no right or wrong answers; we would like to know what you think. Go by your first impression.

You can answer with mouse, finger or number keys. Every answer is saved at once. If you leave, \
come back to the same address in the same browser and you continue where you were."""

DEBRIEF = """\
All images were made by a neural network that had learned from handwritten digits and pictures \
of clothes. Half of them were made the usual way. For the other half we switched on parts of \
the network that are usually quiet. We would like to learn whether people find those images \
more creative, and whether that can be predicted from what happens inside the network."""


@dataclass(frozen=True)
class Researcher:
    """The demonstration's researcher; the password is None where somebody has changed it."""

    user: User
    workspace: Workspace
    password: str | None


def creative_decoding() -> "CreativeDecoding":
    """How the demonstration's creative images are decoded: parameters chosen by looking at
    images and detection power on another model than that of seed 0 (README, "What the
    scan finds")."""
    from scanning.generative import CreativeDecoding

    return CreativeDecoding(layer=LAYER)


@transaction.atomic
def ensure_researcher() -> Researcher:
    """The workspace and its owner, whose password is made once and kept in the data folder."""
    user, created = User.objects.get_or_create(
        username=RESEARCHER, defaults={"is_staff": True, "is_superuser": True}
    )
    path = Path(settings.DATA_DIR) / "researcher-password"
    if created:
        password = secrets.token_urlsafe(12)
        path.touch(mode=0o600)
        path.write_text(password + "\n")
        user.set_password(password)
        user.save()
    workspace, _ = Workspace.objects.get_or_create(name=WORKSPACE)
    Membership.objects.get_or_create(
        workspace=workspace, user=user, defaults={"role": Role.OWNER}
    )  # fmt: skip
    kept = path.read_text().strip() if path.exists() else None
    return Researcher(user, workspace, kept if kept and user.check_password(kept) else None)


def ensure_model(*, workspace: Workspace, seed: int, progress: Progress) -> GenerativeModel:
    """Train the VAE on the bundled digits and garments, unless that has been done."""
    name = f"Combo VAE, seed {seed}"
    model = GenerativeModel.objects.filter(workspace=workspace, name=name).first()
    if model is not None:
        if not files.path_of("weights", model.weights_sha256).exists():
            raise DomainError(
                "no_weights",
                f"The weights of “{name}” are no longer in the data folder. "
                "Start afresh with --reset, or choose another --seed.",
            )
        return model
    from scanning.generative import (
        TrainingConfig,
        decoder_layers,
        load_combo,
        save_model,
        train_vae,
    )

    data = load_combo()
    trained = train_vae(data.images, TrainingConfig(seed=seed), progress=progress)
    temporary = files.new_file("weights")
    save_model(trained.model, temporary)
    return generation.register_model(
        workspace=workspace,
        name=name,
        architecture="conv_vae",
        configuration=trained.model.config.to_dict(),
        training=trained.to_dict() | {"data": data.description, "licence": data.licence},
        layers=decoder_layers(trained.model),
        weights_sha256=files.keep("weights", temporary),
    )


@dataclass(frozen=True)
class ImageSets:
    background: ImageSet
    normal: ImageSet
    creative: ImageSet
    held_out: ImageSet


def ensure_image_sets(*, model: GenerativeModel, seed: int, progress: Progress) -> ImageSets:
    """Generate the background, two test sets and a held-out set, unless that has been done.

    Each has a seed of its own, so no image is in two of them.
    """
    creative = creative_decoding()
    first = 3 * seed + 1
    plans = {
        "background": (Process.NORMAL, N_BACKGROUND, None, f"Background, seed {seed}", first),
        "normal": (Process.NORMAL, N_TEST, None, f"Normal test, seed {seed}", first + 1),
        "creative": (Process.CREATIVE, N_TEST, creative, f"Creative test, seed {seed}", first + 2),
        "held_out": (
            Process.NORMAL, N_HELD_OUT, None, f"Held-out normal, seed {seed}", HELD_OUT_SEED + seed,
        ),
    }  # fmt: skip
    made = {
        key: ensure_image_set(
            model=model,
            name=name,
            process=process,
            n=n,
            creative=how,
            seed=set_seed,
            progress=progress,
        )
        for key, (process, n, how, name, set_seed) in plans.items()
    }
    return ImageSets(**made)


def ensure_image_set(
    *,
    model: GenerativeModel,
    name: str,
    process: Process,
    n: int,
    creative: "CreativeDecoding | None",
    seed: int,
    progress: Progress,
) -> ImageSet:
    existing = ImageSet.objects.filter(workspace=model.workspace, name=name).first()
    if existing is not None:
        return existing
    from scanning.generative import fit_activity, generate, load_combo, load_model

    try:
        network = load_model(files.path_of("weights", model.weights_sha256))
    except ValueError as error:
        raise DomainError(
            "bad_weights",
            f"The kept weights of “{model.name}” cannot be read ({error}). "
            "Start afresh with --reset, or choose another --seed.",
        ) from error
    activity = None
    if creative is not None:
        activity = fit_activity(network, load_combo().images, creative.layer)
    made = generate(
        network,
        n,
        seed=seed,
        layers=[LAYER, PIXELS],
        creative=creative,
        activity=activity,
        progress=progress,
    )
    return generation.create_image_set(
        workspace=model.workspace,
        name=name,
        process=process,
        images=made.images,
        latents=made.latents,
        activations=made.activations,
        modulated_nodes=made.modulated_nodes,
        model=model,
        generation={
            "seed": seed,
            "n": n,
            "creative_decoding": creative.to_dict() if creative else None,
        },
        licence="Generated; the training images are named with the model",
        source=f"Generated by {model.name}",
        progress=progress,
    )


def ensure_scans(*, sets: ImageSets, seed: int, progress: Progress) -> dict[str, Scan]:
    """Scan both test sets at the modulated layer and in pixel space, unless that has been done.

    A scan that was made before there was calibration stays as it is; another is made beside it.
    """
    workspace = sets.background.workspace
    made = {}
    # The modulated layer last: the newest scan is what an image's page shows first.
    for done, layer in enumerate((PIXELS, LAYER)):
        name = f"{layer}, seed {seed}"
        scan = Scan.objects.filter(workspace=workspace, name=name).first()
        if scan is not None and not scan.is_calibrated:
            name = f"{name}, calibrated"
            scan = Scan.objects.filter(workspace=workspace, name=name).first()
        made[layer] = scan or scans.run_scan(
            workspace=workspace,
            name=name,
            background=sets.background,
            test_sets=[sets.normal, sets.creative],
            held_out=[sets.held_out],
            n_replicates=N_REPLICATES,
            layer=layer,
            seed=seed,
            progress=part_of(progress, done, layer),
        )
    return made


def part_of(progress: Progress, n_before: int, layer: str) -> Progress:
    """Progress of one of two equal parts, of which `n_before` are done."""

    def report(done: int, total: int, message: str) -> None:
        progress(n_before * total + done, 2 * total, f"{layer}: {message}")

    return report


@transaction.atomic
def ensure_study(*, scan: Scan, owner: User, seed: int) -> Study:
    """A running study of images of `scan`, unless there is one."""
    slug = "demo" if seed == 0 else f"demo-{seed}"
    existing = Study.objects.filter(slug=slug).first()
    if existing is not None:
        return existing
    minutes = 8
    study = design.create_study(
        workspace=scan.workspace,
        slug=slug,
        title="How creative are these images?",
        scan=scan,
        summary="Look at small images that a computer program has made, and say how creative "
        "you find them.",
        consent=CONSENT.format(n=TRIALS_PER_PARTICIPANT, minutes=minutes),
        instructions=INSTRUCTIONS,
        debrief=DEBRIEF,
        responsible="The person who runs this demonstration of Musescan",
        duration_minutes=minutes,
        trials_per_participant=TRIALS_PER_PARTICIPANT,
        completion_code=secrets.token_hex(4).upper(),
        seed=seed,
    )
    for preset in ("creativity_likert", "four_labels"):
        design.add_question(study=study, **PRESETS[preset])
    design.add_images_by_strata(study=study, n_quantiles=N_QUANTILES, n_per_stratum=N_PER_STRATUM)
    return lifecycle.change_state(study=study, act="launch", actor=owner)
