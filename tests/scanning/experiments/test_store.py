"""Cells in files: found again by what they depend on, whole or not there."""

import json

import pytest

from scanning.experiments import store as stores
from scanning.experiments.run import cells_of
from scanning.experiments.settings import FULL, QUICK, Settings
from scanning.experiments.store import Cell, Store, sizes_dict


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path, sizes_dict(QUICK.sizes), {"mnist": {"sha256": "a", "place": None}})


def test_a_cell_is_computed_once(store):
    calls = []

    def work(_store, cell):
        calls.append(cell)
        return {"value": float("nan"), "n": 1}

    cell = Cell("scan", "mnist", 1)
    assert store.read(cell) is None
    first = store.compute(cell, work)
    assert store.compute(cell, work) == first
    assert len(calls) == 1
    assert store.result(cell) == {"value": None, "n": 1}
    assert not list(store.folder.rglob("*.part"))


def test_damaged_results_are_computed_again(store):
    cell = Cell("scan", "mnist", 1)
    store.compute(cell, lambda _store, _cell: {"n": 1})
    store.path(cell).write_text('{"result": ')
    assert store.read(cell) is None
    store.compute(cell, lambda _store, _cell: {"n": 2})
    assert store.result(cell) == {"n": 2}
    with pytest.raises(FileNotFoundError, match="overlap mnist seed 1 has not been computed"):
        store.result(Cell("overlap", "mnist", 1))


def test_another_size_data_set_device_or_code_is_another_result(store, monkeypatch):
    cell = Cell("scan", "mnist", 1)
    paths = {store.path(cell)}
    sizes = store.sizes | {"n_test": 9}
    paths.add(Store(store.folder, sizes, store.sources).path(cell))
    paths.add(Store(store.folder, store.sizes, {"mnist": {"sha256": "b"}}).path(cell))
    paths.add(Store(store.folder, store.sizes, store.sources, "cuda").path(cell))
    paths.add(store.path(Cell("scan", "mnist", 1, (("process", "noise"),))))
    monkeypatch.setattr(stores, "code_version", lambda kind: "another")
    paths.add(store.path(cell))
    assert len(paths) == 6


def test_every_cell_of_a_run_is_another_file(tmp_path):
    sources = {name: {"sha256": name} for name in FULL.data}
    store = Store(tmp_path, sizes_dict(FULL.sizes), sources)
    cells = cells_of(FULL)
    assert len({store.path(cell) for cell in cells}) == len(cells)
    assert json.dumps([cell.key() for cell in cells])


def test_reported_seeds_are_five_and_none_was_tuned_on():
    assert len(FULL.seeds) >= 5
    assert not set(FULL.seeds) & set(FULL.tuning_seeds)
    # The demonstration's models, which parameters were chosen with and shown for.
    assert not set(FULL.seeds) & {0, 1, 2}
    with pytest.raises(ValueError, match="seeds must not be among the tuning seeds"):
        Settings(seeds=(5, 1))
    with pytest.raises(ValueError, match="seeds must be different whole numbers"):
        Settings(seeds=(5, 5))
    with pytest.raises(ValueError, match="data must be among"):
        Settings(data=("cifar",))
