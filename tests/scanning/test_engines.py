"""The torch engine gives what the compiled one gives."""

import importlib.util

import numpy as np
import pytest

from scanning import STATISTICS, Background, scan_group
from scanning import group as group_module

pytest.importorskip("torch")


def planted(n_images, n_nodes, n_background, seed):
    rng = np.random.default_rng(seed)
    background = rng.normal(size=(n_background, n_nodes))
    test = rng.normal(size=(n_images, n_nodes))
    test[: n_images // 5, : n_nodes // 10] += 1
    return Background.fit(background).pvalues(test)


def assert_same(first, second):
    assert first.score == pytest.approx(second.score, rel=1e-6)
    np.testing.assert_equal(first.alpha, second.alpha)
    np.testing.assert_array_equal(first.images, second.images)
    np.testing.assert_array_equal(first.nodes, second.nodes)
    np.testing.assert_allclose(first.restart_scores, second.restart_scores, rtol=1e-6)
    assert first.n_steps == second.n_steps


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("n_background", [9, 100, 2_000])
@pytest.mark.parametrize("shape", [(5, 7), (25, 40), (60, 30)])
def test_same_subsets_and_scores(name, n_background, shape):
    matrix = planted(*shape, n_background, seed=1)
    for alpha_max in (0.05, 0.5, 1.0):
        arguments = {"statistic": name, "alpha_max": alpha_max, "n_restarts": 4}
        assert_same(
            scan_group(matrix, engine="torch", **arguments), scan_group(matrix, **arguments)
        )


@pytest.mark.parametrize("name", STATISTICS)
def test_same_within_caps_and_with_continuous_pvalues(name):
    matrix = 1.0 - np.random.default_rng(2).random((30, 50))
    arguments = {"statistic": name, "n_restarts": 4, "max_images": 4, "max_nodes": 7}
    assert_same(scan_group(matrix, engine="torch", **arguments), scan_group(matrix, **arguments))


def test_same_in_several_blocks(monkeypatch):
    from scanning import _group_torch

    monkeypatch.setattr(_group_torch, "MAX_ENTRIES", 700)
    matrix = planted(25, 40, 500, seed=3)
    assert_same(scan_group(matrix, engine="torch"), scan_group(matrix))


@pytest.mark.parametrize("matrix", [np.ones((3, 4)), [[0.9]], [[0.25]], np.full((4, 3), 0.1)])
def test_same_on_degenerate_input(matrix):
    assert_same(scan_group(matrix, engine="torch"), scan_group(matrix))


@pytest.mark.parametrize("has_device", [False, True])
def test_auto_takes_torch_where_it_pays(monkeypatch, has_device):
    from scanning import _group_torch

    matrix = planted(25, 40, 100, seed=4)
    expected = scan_group(matrix)
    assert_same(scan_group(matrix, engine="auto"), expected)
    monkeypatch.setattr(group_module, "MIN_TORCH", 0)
    monkeypatch.setattr(_group_torch, "has_device", lambda: has_device)
    used = []

    class Spy(_group_torch.TorchEngine):
        def __init__(self, *arguments):
            used.append(True)
            monkeypatch.setattr(_group_torch, "has_device", lambda: False)
            super().__init__(*arguments)

    monkeypatch.setattr(_group_torch, "TorchEngine", Spy)
    assert_same(scan_group(matrix, engine="auto"), expected)
    assert bool(used) == has_device


def test_auto_without_torch_is_compiled(monkeypatch):
    monkeypatch.setattr(group_module, "MIN_TORCH", 0)
    monkeypatch.setattr(group_module, "find_spec", lambda name: None)
    assert importlib.util.find_spec("torch") is not None
    matrix = planted(25, 40, 100, seed=4)
    assert_same(scan_group(matrix, engine="auto"), scan_group(matrix))


def test_unknown_engine_is_refused():
    with pytest.raises(ValueError, match="engine must be one of numba, torch, auto; got 'cuda'"):
        scan_group([[0.5]], engine="cuda")
