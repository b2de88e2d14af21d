"""The generator: layers, files, training that resumes, creative decoding."""

import json

import numpy as np
import pytest
import torch

from scanning.activations import layer_activations
from scanning.generative import (
    ConvGenerator,
    ConvGeneratorConfig,
    CreativeDecoding,
    GanTrainingConfig,
    TrainingConfig,
    decoder_layers,
    generate,
    load_model,
    one_thread,
    prior_activity,
    save_model,
    train_gan,
    train_vae,
)

TINY = GanTrainingConfig(steps=6, batch_size=4, latent_dim=5, widths=(8, 4), seed=3)


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), dtype=np.uint8)


def weights(model):
    return torch.cat([value.flatten().double() for value in model.state_dict().values()])


@pytest.fixture(autouse=True)
def _alone():
    """Threads that wait for busy processors cost more than these small networks."""
    with one_thread():
        yield


class Stop(Exception):  # noqa: N818
    """As if the process had been ended."""


def stop_at(step):
    def progress(done, _total, _message):
        if done == step:
            raise Stop

    return progress


@pytest.mark.parametrize(
    "config", [ConvGeneratorConfig(), ConvGeneratorConfig(3, 1, 16, widths=(6, 4))]
)
def test_named_layers_have_the_shapes_they_say(config):
    model = ConvGenerator(config).eval()
    shapes = decoder_layers(model)
    assert next(iter(shapes)) == "decoder.dense1"
    assert list(shapes)[-1] == "pixels"
    hidden = [name for name in shapes if name != "pixels"]
    captured = layer_activations(model, torch.zeros(2, config.latent_dim), hidden)
    for name in hidden:
        assert captured[name].shape == (2, np.prod(shapes[name]))
        assert captured[name].min() >= 0
    assert model(torch.randn(2, config.latent_dim)).shape == (2, *shapes["pixels"])


def test_training_records_itself_and_leaves_the_global_state(pictures):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    calls = []
    trained = train_gan(pictures, TINY, progress=lambda *call: calls.append(call))
    assert torch.equal(torch.get_rng_state(), before)
    assert calls[-1][:2] == (6, 6)
    assert not trained.model.training
    assert len(trained.losses) == 6
    record = json.loads(json.dumps(trained.to_dict()))
    assert GanTrainingConfig.from_dict(record["training"]) == TINY
    assert ConvGeneratorConfig.from_dict(record["model"]) == trained.model.config


def test_training_repeats_with_its_seed_only(pictures):
    first = weights(train_gan(pictures, TINY).model)
    assert torch.equal(first, weights(train_gan(pictures, TINY).model))
    other = GanTrainingConfig.from_dict(TINY.to_dict() | {"seed": 4})
    assert not torch.equal(first, weights(train_gan(pictures, other).model))


def test_interrupted_training_ends_with_the_same_generator(pictures, tmp_path):
    path = tmp_path / "state"
    config = GanTrainingConfig.from_dict(TINY.to_dict() | {"steps": 14})
    whole = train_gan(pictures, config)
    with pytest.raises(Stop):
        train_gan(pictures, config, checkpoint=path, checkpoint_every=4, progress=stop_at(10))
    assert path.exists()
    resumed = train_gan(pictures, config, checkpoint=path, checkpoint_every=4)
    assert torch.equal(weights(whole.model), weights(resumed.model))
    assert resumed.losses == whole.losses
    assert not path.exists()


def test_interrupted_autoencoder_ends_the_same_too(pictures, tmp_path):
    path = tmp_path / "state"
    config = TrainingConfig(epochs=3, batch_size=2, latent_dim=2)  # 10 steps in an epoch
    whole = train_vae(pictures, config)
    with pytest.raises(Stop):
        train_vae(pictures, config, checkpoint=path, progress=stop_at(20))
    resumed = train_vae(pictures, config, checkpoint=path)
    assert torch.equal(weights(whole.model), weights(resumed.model))
    assert resumed.losses == whole.losses


def test_a_state_of_other_settings_or_a_damaged_one_is_not_taken_up(pictures, tmp_path):
    path = tmp_path / "state"
    with pytest.raises(Stop):
        train_gan(
            pictures,
            GanTrainingConfig.from_dict(TINY.to_dict() | {"steps": 20}),
            checkpoint=path,
            checkpoint_every=2,
            progress=stop_at(10),
        )
    afresh = weights(train_gan(pictures, TINY).model)
    assert torch.equal(weights(train_gan(pictures, TINY, checkpoint=path).model), afresh)
    path.write_bytes(b"half a file")
    assert torch.equal(weights(train_gan(pictures, TINY, checkpoint=path).model), afresh)


def test_file_round_trip(pictures, tmp_path):
    model = train_gan(pictures, TINY).model
    digest = save_model(model, tmp_path / "gan.safetensors")
    again = load_model(tmp_path / "gan.safetensors")
    assert isinstance(again, ConvGenerator)
    assert torch.equal(weights(again), weights(model))
    assert save_model(again, tmp_path / "copy.safetensors") == digest


@pytest.mark.parametrize("selection", ["low_active", "correlated", "random", "noise"])
def test_generator_decodes_creatively(pictures, selection):
    model = train_gan(pictures, TINY).model
    layer = "decoder.conv1"
    activity = prior_activity(model, layer, n=50, seed=1)
    creative = CreativeDecoding(layer=layer, selection=selection, n_on=20)
    made = generate(
        model, 6, seed=2, layers=[layer, "pixels"], creative=creative, activity=activity
    )
    plain = generate(model, 6, seed=2, layers=[layer, "pixels"])
    assert made.images.shape == (6, 16, 16, 3)
    assert not np.array_equal(made.images, plain.images)
    changed = made.activations[layer] != plain.activations[layer]
    for row, nodes in zip(changed, made.modulated_nodes, strict=True):
        assert set(np.flatnonzero(row)) <= set(nodes.tolist())


def test_bad_input_is_refused(pictures):
    with pytest.raises(ValueError, match="at least a batch of 4; got 3"):
        train_gan(pictures[:3], TINY)
    with pytest.raises(ValueError, match="image_size must be 8, 16, 32, 64 or 128; got 20"):
        train_gan(np.zeros((9, 20, 20, 3), np.uint8), TINY)
    with pytest.raises(ValueError, match="widths must be one for each map"):
        ConvGeneratorConfig(widths=(4, 4))
    with pytest.raises(ValueError, match="device must be one of cpu, cuda, auto; got 'tpu'"):
        train_gan(pictures, TINY, device="tpu")
    with pytest.raises(ValueError, match="batch_size must be a whole number of at least 2"):
        GanTrainingConfig(batch_size=1)
