"""A file of 500 MB, scanned in a process of its own: time and peak memory.

    python -m tests.benchmarks.scanner.large_file FILE.npy

is that process: it prints its figures as JSON.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from scanning import Background, scan_group, scan_images
from tests.benchmarks.scanner.report import Row
from tests.benchmarks.scanner.setting import Setting

SHAPE, QUICK_SHAPE = (10_000, 12_544), (2_000, 12_544)
N_BACKGROUND, BATCH = 1_000, 500
MOST_GB = 1.5


def measure(setting: Setting) -> Iterator[Row]:
    shape = QUICK_SHAPE if setting.quick else SHAPE
    with tempfile.TemporaryDirectory(prefix="musescan-scanner-") as folder:
        path = Path(folder) / "activations.npy"
        _write(path, shape)
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.scanner.large_file", str(path)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        found = json.loads(done.stdout)
        megabytes = path.stat().st_size / 1e6
    yield Row(
        f"fit, rank, scan {shape[0]} × {shape[1]}, {megabytes:.0f} MB: peak",
        found["peak_gb"],
        MOST_GB,
        at_least=False,
        unit=" GB",
        ours_s=found["seconds"],
        note=f"group score {found['score']:.0f}, best image {found['best_image']:.0f}",
    )


def _write(path: Path, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    file = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    for top in range(0, shape[0], BATCH):
        file[top : top + BATCH] = rng.standard_normal((BATCH, shape[1]), dtype=np.float32)
    file[shape[0] * 4 // 5 :, : shape[1] // 10] += 1
    file.flush()


def scan_file(path: Path) -> dict[str, float]:
    """Scan a mapped file against its first images."""
    start = time.perf_counter()
    mapped = np.load(path, mmap_mode="r")
    ranked = Background.fit(mapped[:N_BACKGROUND]).ranks(
        mapped[top : top + BATCH] for top in range(0, len(mapped), BATCH)
    )
    group = scan_group(ranked, n_restarts=5)
    images = scan_images(ranked)
    return {
        "seconds": time.perf_counter() - start,
        "peak_gb": _peak_bytes() / 1e9,
        "score": group.score,
        "best_image": float(images.scores.max()),
    }


def _peak_bytes() -> int:
    """Peak of this process's memory; getrusage's would begin with that of its parent."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    print(json.dumps(scan_file(Path(sys.argv[1]))))
