"""Normal and creative decoding do what they say."""

import dataclasses
import json

import numpy as np
import pytest

from scanning.generative import CreativeDecoding, decoder_layers, fit_activity, generate

LAYER = "decoder.dense1"
LAYERS = [LAYER, "decoder.dense2", "decoder.conv1", "pixels"]


@pytest.fixture(scope="module")
def model(trained):
    return trained.model


@pytest.fixture(scope="module")
def activity(model, digits_and_garments):
    return fit_activity(model, digits_and_garments, LAYER)


@pytest.fixture(scope="module")
def normal(model):
    return generate(model, 30, seed=3, layers=LAYERS)


def creative_of(model, activity, **parameters):
    creative = CreativeDecoding(layer=LAYER, **parameters)
    return generate(model, 30, seed=3, layers=LAYERS, creative=creative, activity=activity)


def test_normal_decoding_keeps_what_it_is_asked_for(model, normal):
    assert normal.latents.shape == (30, 32)
    assert normal.latents.dtype == np.float32
    assert normal.images.shape == (30, 28, 28)
    assert normal.images.dtype == np.uint8
    assert normal.modulated_nodes is None
    shapes = decoder_layers(model)
    assert list(normal.activations) == LAYERS
    for layer, values in normal.activations.items():
        assert values.shape == (30, np.prod(shapes[layer]))
        assert values.dtype == np.float32
    np.testing.assert_array_equal(
        np.rint(normal.activations["pixels"] * 255), normal.images.reshape(30, -1)
    )


def test_draws_do_not_depend_on_batches_or_on_n(model, activity, normal):
    for batch_size in (1, 7, 256):
        again = generate(model, 30, seed=3, layers=["pixels"], batch_size=batch_size)
        np.testing.assert_array_equal(again.latents, normal.latents)
        assert np.abs(again.images.astype(int) - normal.images).max() <= 1
    fewer = generate(model, 10, seed=3, layers=[])
    np.testing.assert_array_equal(fewer.latents, normal.latents[:10])
    assert not np.array_equal(generate(model, 10, seed=4, layers=[]).latents, fewer.latents)

    creative = CreativeDecoding(layer=LAYER)
    nodes = [
        generate(
            model, 9, seed=3, layers=[], creative=creative, activity=activity, batch_size=size
        ).modulated_nodes
        for size in (1, 4, 9)
    ]
    for a, b, c in zip(*nodes, strict=True):
        assert a.tolist() == b.tolist() == c.tolist()


def test_activity_is_the_mean_over_encodings(model, activity, digits_and_garments):
    from scanning.activations import layer_activations

    inputs = digits_and_garments[:, None].astype(np.float32) / 255
    values = layer_activations(model, inputs, [LAYER])[LAYER]
    np.testing.assert_allclose(activity.mean, values.mean(axis=0), rtol=1e-4, atol=1e-6)
    correlations = activity.standardized.T @ activity.standardized
    alive = values.std(axis=0) > 1e-3
    expected = np.corrcoef(values[:, alive].T)
    np.testing.assert_allclose(correlations[np.ix_(alive, alive)], expected, atol=1e-3)


def test_low_active_switches_on_so_many_of_the_least_active(model, activity, normal):
    made = creative_of(model, activity, n_on=(5, 9), pool_fraction=0.25, scale=1.5)
    np.testing.assert_array_equal(made.latents, normal.latents)
    pool = set(np.argsort(activity.mean, kind="stable")[:64].tolist())
    before, after = normal.activations[LAYER], made.activations[LAYER]
    counts = set()
    for i, nodes in enumerate(made.modulated_nodes):
        counts.add(len(nodes))
        assert 5 <= len(nodes) <= 9
        assert set(nodes.tolist()) <= pool
        np.testing.assert_allclose(after[i, nodes], before[i].max() * 1.5, rtol=1e-5)
        others = np.setdiff1d(np.arange(256), nodes)
        np.testing.assert_array_equal(after[i, others], before[i, others])
    assert len(counts) > 1
    assert not np.array_equal(made.images, normal.images)


def test_random_needs_no_activity_and_uses_the_whole_layer(model, normal):
    made = creative_of(model, None, selection="random", n_on=100)
    assert {len(nodes) for nodes in made.modulated_nodes} == {100}
    assert len(np.unique(np.concatenate(made.modulated_nodes))) > 250


def test_correlated_takes_the_least_correlated_with_the_active(model, activity, normal):
    made = creative_of(model, activity, selection="correlated", n_on=10, pool_fraction=0.1)
    for row, nodes in zip(normal.activations[LAYER], made.modulated_nodes, strict=True):
        active = np.argsort(-row, kind="stable")[:26]
        mean = (activity.standardized.T @ activity.standardized)[active].mean(axis=0)
        assert mean[nodes].max() <= np.sort(mean)[26] + 1e-4


def test_switching_off_silences_the_strongly_active(model, normal):
    made = creative_of(model, None, switch_off_active=True, active_fraction=0.05)
    for row, after, nodes in zip(
        normal.activations[LAYER], made.activations[LAYER], made.modulated_nodes, strict=True
    ):
        assert len(nodes) == 13
        assert (after[nodes] == 0).all()
        assert row[nodes].min() >= np.delete(row, nodes).max()


def test_noise_has_the_strength_it_says(model, normal):
    made = creative_of(model, None, selection="noise", noise_sd=0.01)
    before, after = normal.activations[LAYER], made.activations[LAYER]
    assert after.min() >= 0
    strong = before > 10 * 0.01 * before.std(axis=1, keepdims=True)
    relative = ((after - before) / before.std(axis=1, keepdims=True))[strong]
    assert relative.std() == pytest.approx(0.01, rel=0.1)


def test_later_layers_are_modulated_too(model, digits_and_garments):
    activity = fit_activity(model, digits_and_garments, "decoder.conv1")
    creative = CreativeDecoding(layer="decoder.conv1", n_on=50)
    made = generate(
        model, 4, seed=0, layers=["decoder.dense2"], creative=creative, activity=activity
    )
    plain = generate(model, 4, seed=0, layers=["decoder.dense2"])
    np.testing.assert_array_equal(
        made.activations["decoder.dense2"], plain.activations["decoder.dense2"]
    )
    assert not np.array_equal(made.images, plain.images)


def test_parameters_survive_json():
    for creative in (
        CreativeDecoding(),
        CreativeDecoding(n_on=7, selection="noise", noise_sd=0.5, switch_off_active=True),
    ):
        assert CreativeDecoding.from_dict(json.loads(json.dumps(creative.to_dict()))) == creative
    with pytest.raises(dataclasses.FrozenInstanceError):
        creative.scale = 2.0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"selection": "loud"}, "selection must be one of low_active, correlated, random, noise"),
        ({"pool_fraction": 0.0}, r"pool_fraction must be in \(0, 1\]; got 0.0"),
        ({"active_fraction": 1.1}, r"active_fraction must be in \(0, 1\]; got 1.1"),
        ({"n_on": 0}, "n_on must be a whole number of at least 1; got 0"),
        ({"n_on": (5, 4)}, "n_on must be a whole number of at least 5; got 4"),
        ({"n_on": (1, 2, 3)}, "n_on must be a number or a range of two"),
        ({"scale": 0.0}, "scale must be positive and finite; got 0.0"),
        ({"noise_sd": float("nan")}, "noise_sd must be positive and finite; got nan"),
    ],
)
def test_bad_parameters_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        CreativeDecoding(**parameters)


def test_bad_calls_are_refused(model, activity, digits_and_garments):
    def refused(message, creative=None, activity=None, n=2, seed=0, layers=()):
        with pytest.raises(ValueError, match=message):
            generate(model, n, seed=seed, layers=layers, creative=creative, activity=activity)

    refused("layers must be one of decoder.dense1, .*, pixels; got 'dense9'", layers=["dense9"])
    refused("n must be a whole number of at least 1; got 0", n=0)
    refused("seed must be a whole number of at least 0; got -1", seed=-1)
    refused("layer must be one of .*; got 'pixels'", CreativeDecoding(layer="pixels"))
    refused("activity must be that of decoder.dense1 .*; got none", CreativeDecoding(layer=LAYER))
    refused(
        "activity must be that of decoder.conv1 .*; got that of decoder.dense1",
        CreativeDecoding(layer="decoder.conv1"),
        activity,
    )
    refused(
        "n_on must be at most the 128 nodes of the pool; got 129",
        CreativeDecoding(layer=LAYER, n_on=129),
        activity,
    )
    with pytest.raises(ValueError, match="layer must be one of"):
        fit_activity(model, digits_and_garments, "pixels")
    with pytest.raises(ValueError, match=r"must have the model's shape \(1, 28, 28\)"):
        fit_activity(model, np.zeros((2, 8, 8), np.uint8), LAYER)
    with pytest.raises(ValueError, match="batch_size must be a whole number of at least 1; got 0"):
        fit_activity(model, digits_and_garments, LAYER, batch_size=0)
