"""The command line, run as users run it: in a process of its own."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from scanning import Background, calibrate_group, scan_group, scan_images
from scanning.commands import main

RNG = np.random.default_rng(0)
SHAPE = (3, 2, 4)  # channels, height, width


def normal(n_images):
    activations = RNG.normal(size=(n_images, *SHAPE)) + RNG.normal(size=(n_images, 1, 1, 1))
    return activations.astype(np.float32)


BACKGROUND, HELD_OUT, TEST = normal(60), normal(60), normal(6)
CREATIVE = normal(20)
CREATIVE[:, 0] += 3.0


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, array in (
        ("background", BACKGROUND),
        ("held_out", HELD_OUT),
        ("test", TEST),
        ("creative", CREATIVE),
    ):
        layers = {"first": array, "pixels": array[:, 0]}
        np.save(f"{name}.npy", array)
        np.savez(f"{name}.npz", **layers)
        save_file(
            {key: np.ascontiguousarray(held) for key, held in layers.items()}, f"{name}.safetensors"
        )
    return tmp_path


def run(*arguments):
    """Exit code, standard output and standard error."""
    root = os.fspath(Path(__file__).parents[2])
    found = subprocess.run(
        [sys.executable, "-m", "scanning", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": root},
    )
    return found.returncode, found.stdout, found.stderr


def in_process(capsys, *arguments):
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("suffix", ["npy", "npz", "safetensors"])
@pytest.mark.parametrize("fitted", ["fitted.npz", "fitted.safetensors"])
def test_scan_gives_what_the_library_gives(folder, capsys, suffix, fitted):
    code, _, errors = in_process(capsys, "fit", f"background.{suffix}", "--output", fitted)
    assert (code, errors) == (0, "")
    code, out, errors = in_process(
        capsys, "scan", f"test.{suffix}", "--background", fitted, "--format", "json",
        "--tail", "two-sided", "--seed", "4", "--restarts", "3", "--alpha-max", "0.3", "--nodes",
        "--quiet",
    )  # fmt: skip
    assert (code, errors) == (0, "")
    layers = json.loads(out)["layers"]
    assert list(layers) == (["activations"] if suffix == "npy" else ["first", "pixels"])
    for layer, found in layers.items():
        background, test = (
            (BACKGROUND, TEST) if layer != "pixels" else (BACKGROUND[:, 0], TEST[:, 0])
        )
        pvalues = Background.fit(background.reshape(60, -1)).pvalues(
            test.reshape(6, -1), "two-sided"
        )
        group = scan_group(pvalues, alpha_max=0.3, n_restarts=3, seed=4)
        images = scan_images(pvalues, alpha_max=0.3)
        assert found["group"]["score"] == group.score
        assert found["group"]["nodes"] == group.nodes.tolist()
        assert found["images"]["scores"] == images.scores.tolist()
        assert found["images"]["nodes"] == [images.nodes(i).tolist() for i in range(6)]


def test_a_whole_session_in_processes(folder):
    code, out, errors = run("fit", "background.npz", "--output", "fitted.safetensors")
    assert (code, errors) == (0, "")
    assert out.splitlines()[0].split() == ["layer", "background", "images", "nodes"]

    common = ["--background", "fitted.safetensors", "--layer", "first"]
    code, out, errors = run("scan", "test.npz", *common)
    assert code == 0
    assert out.startswith("first: group score ")
    assert len(out.splitlines()) == 8
    assert errors.splitlines()[-1] == "scanning layers 2/2"

    arguments = ["test.npz", *common, "--normal", "held_out.npz", "--replicates", "19"]
    code, out, errors = run("calibrate", *arguments, "--format", "json", "--workers", "2")
    assert code == 0
    assert errors.splitlines()[-1] == "scanning null groups 19/19"
    found = json.loads(out)["layers"]["first"]
    background = Background.fit(BACKGROUND.reshape(60, -1))
    expected = calibrate_group(
        background.pvalues(HELD_OUT.reshape(60, -1)),
        background.pvalues(TEST.reshape(6, -1)),
        n_replicates=19,
    )
    assert found["group"] == expected.to_dict()
    assert len(found["images"]["pvalues"]) == 6
    code, out, _ = run("calibrate", *arguments, "--null", "pooled")
    assert code == 0
    assert ", p = " in out

    code, out, errors = run("info", "test.npz", "fitted.safetensors", "--format", "json")
    assert (code, errors) == (0, "")
    files = json.loads(out)["files"]
    assert files["test.npz"]["first"]["shape"] == [6, *SHAPE]
    assert files["fitted.safetensors"]["background:pixels"]["kind"] == "background"


def test_detect_finds_planted_channels(folder, capsys):
    np.save("true.npy", np.arange(8))
    in_process(capsys, "fit", "background.npy", "--output", "fitted.npz")
    arguments = [
        "detect", "creative.npy", "--background", "fitted.npz", "--normal", "held_out.npy",
        "--group-size", "10", "--share", "0.4", "--replicates", "5", "--bootstrap", "50",
        "--true-nodes", "true.npy",
    ]  # fmt: skip
    code, out, errors = in_process(capsys, *arguments, "--format", "json")
    assert code == 0
    assert "scanning groups 5/5" in errors
    found = json.loads(out)["layers"]["activations"]
    assert found["groups"]["auc"]["value"] > 0.9
    assert found["images"]["node_recall"]["value"] > 0.8
    channels = found["overlap"]["channels_a"]
    assert channels[0] > 0.8 > max(channels[1:])
    code, out, _ = in_process(capsys, *arguments, "--quiet")
    assert code == 0
    assert "groups auc" in out
    assert "Jaccard" in out


def test_several_files_are_one_background(folder, capsys):
    np.save("first_half.npy", BACKGROUND[:30])
    np.save("second_half.npy", BACKGROUND[30:])
    files = ["first_half.npy", "second_half.npy"]
    assert in_process(capsys, "fit", *files, "--output", "halves.npz")[0] == 0
    assert in_process(capsys, "fit", "background.npy", "--output", "whole.npz")[0] == 0
    with np.load("halves.npz") as halves, np.load("whole.npz") as whole:
        name = "background:activations"
        np.testing.assert_array_equal(halves[name], whole[name])


def test_nan_becomes_null_in_json(folder, capsys):
    np.save("low.npy", np.full((2, *SHAPE), -99.0))
    in_process(capsys, "fit", "background.npy", "--output", "fitted.npz")
    code, out, _ = in_process(
        capsys, "scan", "low.npy", "--background", "fitted.npz", "--format", "json"
    )
    assert code == 0
    assert json.loads(out)["layers"]["activations"]["images"]["alphas"] == [None, None]


def test_column_order_and_half_precision_are_read_as_they_are(folder, capsys):
    np.save("columns.npy", np.asfortranarray(BACKGROUND))
    for background in ("background", "columns"):
        for output in ("fitted.npz", "fitted.safetensors"):
            code, *_ = in_process(capsys, "fit", f"{background}.npy", "--output", output)
            assert code == 0
            found = in_process(capsys, "scan", "test.npy", "--background", output, "--quiet")
            assert found[0] == 0
            if (background, output) == ("background", "fitted.npz"):
                expected = found
            assert found == expected
    np.save("half.npy", TEST.astype(np.float16))
    np.save("rounded.npy", TEST.astype(np.float16).astype(np.float32))
    half, rounded = (
        in_process(capsys, "scan", f"{name}.npy", "--background", "fitted.npz", "--quiet")
        for name in ("half", "rounded")
    )
    assert half == rounded


def test_who_has_read_enough_may_stop(folder):
    in_shell = subprocess.run(
        f"{sys.executable} -m scanning info background.npz | true; echo ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.fspath(Path(__file__).parents[2])},
    )
    assert (in_shell.stdout.strip(), in_shell.stderr) == ("0", "")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 2, "there is not enough memory"),
        (ChildProcessError("worker processes died"), 2, "worker processes died"),
        (ConnectionError("cluster has\nno workers"), 2, "cluster has no workers"),
    ],
)
def test_what_stops_a_command_is_one_line(folder, capsys, monkeypatch, error, code, line):
    in_process(capsys, "fit", "background.npy", "--output", "fitted.npz")

    def stop(*_arguments, **_options):
        raise error

    monkeypatch.setattr("scanning.commands.scan.scan_layers", stop)
    found = in_process(capsys, "scan", "test.npy", "--background", "fitted.npz")
    assert found == (code, "", f"python -m scanning scan: {line}\n")


def test_a_background_does_not_replace_what_it_is_made_from(folder, capsys):
    before = (folder / "background.npz").read_bytes()
    code, _, errors = in_process(
        capsys, "fit", "held_out.npz", "background.npz", "--output", "./background.npz"
    )
    assert code == 2
    assert "output must not be one of the files that are read" in errors
    assert (folder / "background.npz").read_bytes() == before


BAD = [
    (["scan", "missing.npy"], "No such file"),
    (["scan", "damaged.npz"], "damaged.npz must hold plain arrays; "),
    (["scan", "short.npy"], "short.npy must hold plain arrays; "),
    (["scan", "empty.npy"], "empty.npy must hold plain arrays; "),
    (["info", "other.npz"], "other.npz must hold plain arrays; readme is none"),
    (["scan", "complex.npy"], "test must hold real numbers; got dtype complex128"),
    (["scan", "none.npy"], "none.npy must hold images × nodes; got an array of shape (0, 24)"),
    (["fit", "test.npy", "--output", "nowhere/x.npz"], "No such file"),
    (["fit", "test.npy", "--output", "nowhere/x.safetensors"], "x.safetensors cannot be written; "),
    (
        ["detect", "one.npy", "--normal", "held_out.npy", "--group-size", "2"],
        "one.npy must hold at least two images; got 1",
    ),
    (["scan", "words.npy"], "words.npy must hold plain arrays; it is no .npy file"),
    (
        ["calibrate", "test.npy", "--normal", "./test.npy"],
        "normal must hold other images than those tested; both are ./test.npy",
    ),
    (["scan", "test.csv"], "files must end in .npy, .npz, .safetensors; got test.csv"),
    (["scan", "test.npz"], "the files must share a layer"),
    (["scan", "test.npy", "--layer", "x"], "layer must be in every file; 'x' is not"),
    (["scan", "test.npy", "--background", "test.npz"], "background must be a file written by fit"),
    (["scan", "test.npy", "--alpha-max", "2"], "alpha_max must be in (0, 1]; got 2.0"),
    (["scan", "test.npy", "--seed", "-1"], "seed must be a whole number of at least 0; got -1"),
    (["scan", "test.npy", "--workers", "0"], "n_workers must be a whole number of at least 1"),
    (["scan", "test.npy", "--cluster", "here"], "cluster must be the address of a Dask scheduler"),
    (["scan", "wide.npy"], "must have the 24 nodes of the background"),
    (["scan", "nan.npy"], "must be finite; got nan at image 0, node 0"),
    (["scan", "flat.npy"], "flat.npy must hold images × nodes; got an array of shape (5,)"),
    (["scan", "object.npy"], "object.npy must hold plain arrays; "),
    (["scan", "broken.npz"], "broken.npz must be an .npz file; "),
    (["scan", "broken.safetensors"], "broken.safetensors must be a .safetensors file; "),
    (["calibrate", "test.npy", "--normal", "few.npy"], "null must hold at least 19 images; got 6"),
    (
        ["calibrate", "test.npy", "--normal", "few.npy", "--null", "held-out"],
        "normal_pvalues must hold at least 60",
    ),
    (
        ["fit", "test.npy", "--output", "x.npy"],
        "output must end in .npz or .safetensors; got x.npy",
    ),
    (["fit", "nan.npy", "--output", "x.npz"], "layer activations: activations must be finite"),
    (
        ["fit", "test.npy", "wide.npy", "--output", "x.npz"],
        "must have the same nodes; got [24, 25]",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_input_is_one_line_and_exit_code_2(folder, capsys, arguments, message):
    in_process(capsys, "fit", "background.npy", "--output", "fitted.npz")
    np.save("wide.npy", np.ones((5, 25)))
    np.save("flat.npy", np.ones(5))
    np.save("nan.npy", np.full((5, 24), np.nan))
    np.save("one.npy", TEST[:1])
    np.save("few.npy", HELD_OUT[:6])
    (folder / "words.npy").write_text("0.1 0.2 0.3 0.4")
    np.save("none.npy", np.empty((0, 24)))
    np.save("complex.npy", np.ones((5, 24), complex))
    (folder / "short.npy").write_bytes((folder / "test.npy").read_bytes()[:200])
    (folder / "empty.npy").touch()
    np.savez_compressed("damaged.npz", activations=RNG.normal(size=(60, 24)))
    damaged = bytearray((folder / "damaged.npz").read_bytes())
    damaged[3_000:3_050] = bytes(50)
    (folder / "damaged.npz").write_bytes(damaged)
    with zipfile.ZipFile("other.npz", "w") as archive:
        archive.writestr("readme", "no array")
    np.save("object.npy", np.array([[None]]), allow_pickle=True)
    for suffix in ("npz", "safetensors"):
        (folder / f"broken.{suffix}").write_bytes(b"not an archive")
    if arguments[0] not in ("fit", "info") and "--background" not in arguments:
        arguments = [*arguments, "--background", "fitted.npz"]
        arguments = [*arguments, "--quiet"]
    code, out, errors = in_process(capsys, *arguments)
    assert (code, out) == (2, "")
    assert errors.startswith(f"python -m scanning {arguments[0]}: ")
    assert message in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [[], ["scan"], ["nothing"], ["scan", "x.npy", "--background", "y.npz", "--tail", "both"]],
)
def test_bad_options_are_one_line_and_exit_code_2(arguments):
    code, out, errors = run(*arguments)
    assert (code, out) == (2, "")
    assert errors.startswith("python -m scanning")
    assert errors.count("\n") == 1


def test_a_pickle_is_never_loaded(folder):
    np.save("object.npy", np.array([[print]]), allow_pickle=True)
    np.savez("object.npz", first=np.array([[print]]), allow_pickle=True)
    for name in ("object.npy", "object.npz"):
        code, _, errors = run("info", name)
        assert code == 2
        assert f"{name} must hold plain arrays; " in errors


def test_the_command_line_loads_neither_django_nor_torch():
    code = (
        "import sys\nimport scanning.commands\n"
        "print([m for m in ('django', 'torch', 'dask', 'joblib') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
