"""A trained model: its weights, curve, samples and reconstructions."""

from typing import Any

import numpy as np

from scanning.experiments.making import model_file, training_data
from scanning.experiments.measures import derived_seed
from scanning.experiments.pictures import grid_png
from scanning.experiments.settings import ARCHITECTURES
from scanning.experiments.store import Cell, Store, write_atomically

N_SHOWN = 32


def work(store: Store, cell: Cell) -> dict[str, Any]:
    """Train, or go on with what an interrupted training left."""
    from scanning.generative import (
        GanTrainingConfig,
        TrainingConfig,
        describe,
        generate,
        reconstruction_errors,
        reconstructions,
        save_model,
        train_gan,
        train_vae,
    )

    data = training_data(store, cell.data)
    path = model_file(store, cell.data, cell.seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = path.with_suffix(".unfinished")
    trained: Any
    if ARCHITECTURES[cell.data] == "vae":
        config = TrainingConfig(
            epochs=store.sizes["epochs"], batch_size=store.sizes["batch_size"], seed=cell.seed
        )
        trained = train_vae(data.images, config, device=store.device, checkpoint=checkpoint)
    else:
        shape = GanTrainingConfig(steps=store.sizes["gan_steps"], seed=cell.seed)
        trained = train_gan(data.images, shape, device=store.device, checkpoint=checkpoint)
    digest = save_model(trained.model, path)
    seed = derived_seed(cell.data, cell.seed, "samples")
    samples = generate(trained.model, N_SHOWN, seed=seed, layers=[]).images
    write_atomically(path.with_suffix(".samples.png"), grid_png(samples, 8))
    found = {
        **trained.to_dict(),
        "data": describe(data).to_dict(),
        "weights": path.name,
        "weights_sha256": digest,
    }
    if ARCHITECTURES[cell.data] == "vae":
        chosen = np.linspace(0, len(data) - 1, N_SHOWN // 2).astype(int)
        shown = data.images[chosen]
        again = reconstructions(trained.model, shown)
        # Each row of originals above the row of what the model makes of them.
        rows = np.stack([shown, again]).reshape(2, -1, 8, *shown.shape[1:]).swapaxes(0, 1)
        pairs = rows.reshape(-1, *shown.shape[1:])
        write_atomically(path.with_suffix(".reconstructions.png"), grid_png(pairs, 8))
        errors = reconstruction_errors(trained.model, data.images[:1_000])
        found["reconstruction_error"] = float(errors.mean())
    return found
