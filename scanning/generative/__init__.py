"""Generative models to scan: data, a variational autoencoder, a generator, and creative decoding.

Names load when they are first used, so that the loaders of `datasets` work without torch.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "capture": "..activations",
    "layer_activations": "..activations",
    "layer_names": "..activations",
    "ConvVAE": ".models",
    "ConvVAEConfig": ".models",
    "decoder_layers": ".models",
    "ConvGenerator": ".gan",
    "ConvGeneratorConfig": ".gan",
    "load_model": ".weights",
    "save_model": ".weights",
    "TrainedModel": ".training",
    "TrainingConfig": ".training",
    "train_vae": ".training",
    "one_thread": ".training",
    "TrainedGan": ".gan_training",
    "GanTrainingConfig": ".gan_training",
    "train_gan": ".gan_training",
    "CreativeDecoding": ".decoding",
    "Generated": ".decoding",
    "LayerActivity": ".activity",
    "fit_activity": ".activity",
    "prior_activity": ".activity",
    "generate": ".decoding",
    "ImageData": ".datasets",
    "load_array": ".datasets",
    "load_combo": ".datasets",
    "load_folder": ".datasets",
    "load_idx": ".datasets",
    "load_labels": ".datasets",
    "Description": ".sources",
    "describe": ".sources",
    "load_named": ".sources",
    "load_pictures": ".sources",
    "Classifier": ".classifier",
    "train_classifier": ".classifier",
    "Judges": ".novelty",
    "PrincipalComponents": ".novelty",
    "nearest_distances": ".novelty",
    "reconstruction_errors": ".novelty",
    "reconstructions": ".novelty",
    "ImageError": ".images",
    "read_image": ".images",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)
