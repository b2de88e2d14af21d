"""A tiny run from data to report: interrupted, resumed, on one process and on two."""

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from scanning._plain import plain
from scanning.experiments import command
from scanning.experiments.cells import work_of
from scanning.experiments.report import write_all
from scanning.experiments.run import cells_of, open_store, run
from scanning.experiments.settings import Settings, Sizes
from scanning.generative import load_model, one_thread

TINY = Settings(
    name="tiny",
    seeds=(11, 12),
    tuning_seeds=(1,),
    data=("combo", "pictures"),
    sizes=Sizes(
        n_train=60,
        epochs=1,
        gan_steps=2,
        classifier_epochs=1,
        n_background=40,
        n_test=20,
        group_size=6,
        group_shares=(0.5,),
        n_groups=3,
        n_restarts=1,
        n_draws=10,
        n_overlap=5,
        n_permutations=9,
        n_null=19,
        n_observed=3,
        picture_size=32,
    ),
    processes=("low_active", "noise"),
    shares=(),
    scales=(),
    vary_layers=False,
)


class Stop(Exception):  # noqa: N818
    """As if the run had been ended."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "noise.zip"
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(64):
            file = io.BytesIO()
            values = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
            Image.fromarray(values).save(file, "PNG")
            archive.writestr(f"{number:02}.png", file.getvalue())
    return path


def without_time(result):
    return {name: value for name, value in result.items() if name != "duration_s"}


def test_a_run_resumes_and_does_not_depend_on_processes(tmp_path, pictures):
    store = open_store(TINY, tmp_path / "run", pictures=str(pictures))
    lines = []

    def interrupt(line):
        lines.append(line)
        if "scans and experiments: 3 of" in line:
            raise Stop

    with pytest.raises(Stop):
        run(TINY, store, say=interrupt)
    kept = {cell: store.read(cell) for cell in cells_of(TINY)}
    assert sum(entry is not None for entry in kept.values()) == 6 + 3
    assert any("left, until" in line for line in lines)

    # The rest on two processes; what was there is not touched.
    lines.clear()
    cells = run(TINY, store, n_workers=2, say=lines.append)
    assert lines[0] == "models: 6 of 6 are there"
    assert lines[1].startswith("scans and experiments: 3 of")
    for cell, entry in kept.items():
        if entry is not None:
            assert store.read(cell) == entry

    # What other processes found, this one finds too.
    for kind in ("model", "scan", "calibration"):
        cell = [c for c in cells if c.kind == kind][-1]
        elsewhere = replace(store, folder=tmp_path / "again")
        if kind != "model":
            (tmp_path / "again" / "models").mkdir(parents=True, exist_ok=True)
            for file in (store.folder / "models").iterdir():
                (tmp_path / "again" / "models" / file.name).write_bytes(file.read_bytes())
        with one_thread():
            again = json.loads(json.dumps(plain(work_of(kind)(elsewhere, cell))))
        assert without_time(again) == without_time(store.result(cell)), kind

    check_folder(store, write_all(TINY, store, cells))


def check_folder(store, results):
    folder = store.folder
    assert json.loads((folder / "results.json").read_text())["claims"].keys() == set("1234")
    assert "not tested" in results["claims"]["4"]["verdict"]
    report = (folder / "REPORT.md").read_text()
    for number in "1234":
        assert f"**Claim {number}: " in report
    assert str(folder.parent) not in report
    figures = sorted(path.stem for path in (folder / "figures").glob("*.svg"))
    assert {"detection-images", "sizes", "node-overlap", "calibration", "ablation-size"} <= set(
        figures
    )
    for name in figures:
        assert f"figures/{name}.png" in report
        with Image.open(folder / "figures" / f"{name}.png") as image:
            assert image.width > 300
    for table in ("headline", "claim-1", "claim-2", "claim-3", "detection", "novelty", "models"):
        lines = (folder / "tables" / f"{table}.csv").read_text().splitlines()
        assert len(lines) > 1
        assert (folder / "tables" / f"{table}.md").exists()
    # As a workspace would take it in: weights, images, activations, scans.
    index = json.loads((folder / "sets" / "pictures-seed11" / "index.json").read_text())
    assert [entry["process"] for entry in index["sets"]] == ["normal", "low_active", "noise"]
    arrays = load_file(folder / "sets" / "pictures-seed11" / "low_active.safetensors")
    assert arrays["images"].shape == (20, 32, 32, 3)
    assert arrays["modulated:counts"].sum() == len(arrays["modulated:nodes"])
    weights = list((folder / "models").glob("*.safetensors"))
    assert len(weights) == 6
    assert load_model(weights[0]).latent_dim


def test_the_command_says_what_is_wrong_in_one_line(tmp_path, capsys):
    output = ["--output", str(tmp_path / "run")]
    assert command.main([*output, "--sets", "pictures"]) == 2
    assert "--pictures must name a folder or zip" in capsys.readouterr().err
    assert command.main([*output, "--quick", "--data", str(tmp_path)]) == 2
    assert "must hold mnist-train-images" in capsys.readouterr().err
    assert command.main([*output, "--quick", "--seeds", "1"]) == 2
    assert "seeds must not be among the tuning seeds" in capsys.readouterr().err
