"""Capture of activations from any torch module."""

import numpy as np
import pytest
import torch
from torch import nn

from scanning.activations import capture, layer_activations, layer_names


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Dropout(), nn.Linear(48, 2)
    )


@pytest.fixture
def inputs():
    return np.random.default_rng(0).random((7, 1, 6, 6), dtype=np.float32)


def n_hooks(network):
    return sum(len(module._forward_hooks) for module in network.modules())


def test_equal_those_computed_by_hand_whatever_the_batches(network, inputs):
    expected = network[1](network[0](torch.from_numpy(inputs))).detach().numpy().reshape(7, -1)
    for batch_size in (1, 3, 100):
        found = layer_activations(network, inputs, ["1"], batch_size=batch_size)["1"]
        assert found.dtype == np.float32
        assert found.shape == (7, 3 * 4 * 4)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_several_layers_and_another_forward(network, inputs):
    found = layer_activations(
        network, inputs, ["0", "1"], forward=lambda x: network[1](network[0](x))
    )
    np.testing.assert_array_equal(found["1"], np.maximum(found["0"], 0))
    with pytest.raises(ValueError, match="layers must run during the forward pass; 4 did not"):
        layer_activations(network, inputs, ["4"], forward=network[0])


def test_mode_is_evaluation_during_and_restored_after(network, inputs):
    network.train()
    first = layer_activations(network, inputs, ["4"])["4"]
    np.testing.assert_array_equal(first, layer_activations(network, inputs, ["4"])["4"])
    assert network.training


def test_hooks_are_removed_also_after_an_error(network, inputs):
    layer_activations(network, inputs, ["0", "4"])
    assert n_hooks(network) == 0
    with pytest.raises(RuntimeError):
        layer_activations(network, inputs[:, :, :4], ["0"])
    assert n_hooks(network) == 0
    with capture(network, ["0"]):
        assert n_hooks(network) == 1
    assert n_hooks(network) == 0


def test_unknown_layer_lists_those_there_are(network, inputs):
    assert layer_names(network) == ["0", "1", "2", "3", "4"]
    with pytest.raises(ValueError, match="layers must be among 0, 1, 2, 3, 4; got 'conv9'"):
        layer_activations(network, inputs, ["0", "conv9"])
    assert n_hooks(network) == 0


def test_odd_layers_and_no_inputs_are_refused(inputs):
    lstm = nn.LSTM(6, 2)
    model = nn.Sequential(nn.Flatten(0, 2), lstm)
    with pytest.raises(ValueError, match="layer 1 must put out one tensor of images"):
        layer_activations(model, inputs, ["1"])
    with pytest.raises(ValueError, match=r"at least one image; got shape \(0, 3\)"):
        layer_activations(lstm, np.empty((0, 3)), [])


def test_a_layer_that_runs_twice_is_refused_rather_than_mixed(inputs):
    shared = nn.ReLU()
    model = nn.Sequential(nn.Flatten(), shared, shared)
    with pytest.raises(ValueError, match="one row per input; 1 gave 14 rows for 7"):
        layer_activations(model, inputs, ["0", "1"], batch_size=4)


@pytest.mark.parametrize("batch_size", [0, -1, 1.5, None])
def test_a_bad_batch_size_is_named(network, inputs, batch_size):
    with pytest.raises(ValueError, match=r"^batch_size must be a whole number of at least 1; got "):
        layer_activations(network, inputs, ["0"], batch_size=batch_size)


def test_progress_reaches_the_end(network, inputs):
    calls = []
    layer_activations(
        network, inputs, ["1"], batch_size=3, progress=lambda *call: calls.append(call[:2])
    )
    assert calls == [(3, 7), (6, 7), (7, 7)]
