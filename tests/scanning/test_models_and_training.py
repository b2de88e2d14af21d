"""The autoencoder: layers, files, training."""

import hashlib
import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from scanning.activations import layer_activations
from scanning.generative import (
    ConvVAE,
    ConvVAEConfig,
    TrainingConfig,
    decoder_layers,
    load_model,
    save_model,
    train_vae,
)


@pytest.mark.parametrize(
    "config",
    [
        ConvVAEConfig(),
        ConvVAEConfig(latent_dim=3, channels=3, image_size=64, dense_width=20, conv_widths=(6, 4)),
    ],
)
def test_named_layers_have_the_shapes_they_say(config):
    model = ConvVAE(config)
    shapes = decoder_layers(model)
    assert list(shapes) == ["decoder.dense1", "decoder.dense2", "decoder.conv1", "pixels"]
    hidden = [name for name in shapes if name != "pixels"]
    captured = layer_activations(
        model, torch.zeros(2, config.latent_dim), hidden, forward=model.decode
    )
    for name in hidden:
        assert captured[name].shape == (2, np.prod(shapes[name]))
        assert captured[name].min() >= 0
    images = torch.rand(2, *shapes["pixels"])
    assert model(images).shape == images.shape


def test_file_round_trip_keeps_weights_and_configuration(tmp_path):
    config = ConvVAEConfig(latent_dim=4, dense_width=10, conv_widths=(6, 4), image_size=8)
    model = ConvVAE(config)
    digest = save_model(model, tmp_path / "model.safetensors")
    assert digest == hashlib.sha256((tmp_path / "model.safetensors").read_bytes()).hexdigest()
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
    again = load_model(tmp_path / "model.safetensors")
    assert again.config == config
    assert not again.training
    latents = torch.randn(3, 4)
    assert torch.equal(again.decode(latents), model.eval().decode(latents))
    assert save_model(again, tmp_path / "copy.safetensors") == digest


def test_wrong_files_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    with pytest.raises(FileNotFoundError, match="does not exist"):
        load_model(path)
    path.write_bytes(b"\x80\x04pickle, perhaps")
    with pytest.raises(ValueError, match=r"model.safetensors is not a safetensors file"):
        load_model(path)
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match="does not hold a model of this kind"):
        load_model(path)
    metadata = {"scanning.ConvVAE/1": json.dumps(ConvVAEConfig().to_dict())}
    save_file({"weight": torch.zeros(2)}, path, metadata)
    with pytest.raises(ValueError, match="holds a damaged model"):
        load_model(path)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"latent_dim": 0}, "latent_dim must be a whole number of at least 1; got 0"),
        ({"channels": 2}, "channels must be 1 or 3; got 2"),
        ({"image_size": 30}, "image_size must be a multiple of 4; got 30"),
        ({"conv_widths": (1,)}, "conv_widths must be two numbers"),
    ],
)
def test_bad_shapes_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        ConvVAEConfig(**values)


def test_training_lowers_the_loss_and_records_itself(trained):
    assert len(trained.losses) == trained.config.epochs == 2
    assert trained.losses[-1] < trained.losses[0]
    assert trained.seed == 5
    assert not trained.model.training
    record = json.loads(json.dumps(trained.to_dict()))
    assert record["versions"]["torch"] == torch.__version__
    assert record["duration_s"] > 0
    assert TrainingConfig.from_dict(record["training"]) == trained.config
    assert ConvVAEConfig.from_dict(record["model"]) == trained.model.config


def test_training_repeats_with_the_seed_and_leaves_the_global_state(digits_and_garments):
    def weights(seed):
        config = TrainingConfig(epochs=1, batch_size=50, seed=seed, latent_dim=4)
        state = train_vae(digits_and_garments[:100], config).model.state_dict()
        return torch.cat([value.flatten() for value in state.values()])

    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = weights(3)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, weights(3))
    assert not torch.equal(first, weights(4))


def test_training_reports_progress_and_takes_colour():
    calls = []
    images = np.zeros((12, 8, 8, 3), np.uint8)
    config = TrainingConfig(epochs=2, batch_size=5, latent_dim=2)
    trained = train_vae(images, config, progress=lambda *call: calls.append(call))
    assert calls[-1][:2] == (6, 6)
    assert "epoch 2 of 2" in calls[-1][2]
    assert trained.model.config.channels == 3


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 8, 8)), "images must be uint8; got float64"),
        (np.zeros((0, 8, 8), np.uint8), "at least one image"),
        (np.zeros((8, 8), np.uint8), r"images must be \(n, H, W\)"),
        (np.zeros((2, 8, 8, 2), np.uint8), r"or \(n, H, W, C\); got shape"),
        (np.zeros((2, 8, 12), np.uint8), "square with a side that is a multiple of 4; got 8 × 12"),
        (np.zeros((2, 10, 10), np.uint8), "multiple of 4; got 10 × 10"),
    ],
)
def test_bad_images_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        train_vae(images)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1; got 0"),
        ({"learning_rate": 2.0}, r"learning_rate must be in \(0, 1\); got 2.0"),
        ({"beta": -1.0}, "beta must be at least 0; got -1.0"),
        ({"seed": -1}, "seed must be a whole number of at least 0; got -1"),
    ],
)
def test_bad_training_parameters_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        TrainingConfig(**values)
