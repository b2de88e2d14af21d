"""Memory and time of large scans.

    python -m tests.benchmarks.size

Writes 10,000 × 12,544 single-precision activations (500 MB) to a temporary folder, scans them
from there in a process of its own and prints that process's peak memory; then times group and
individual scans from 10^6 to 10^8 p-values, which should cost the same per p-value.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from scanning import Background, scan_group, scan_images
from scanning.pvalues import RankedPvalues


def scan_file(path):
    """Scan a memory-mapped file against its first 1,000 images; print the peak."""
    mapped = np.load(path, mmap_mode="r")
    start = time.perf_counter()
    ranked = Background.fit(mapped[:1_000]).ranks(
        mapped[i : i + 500] for i in range(0, 10_000, 500)
    )
    group = scan_group(ranked, n_restarts=5)
    images = scan_images(ranked)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{ranked.shape[0]} × {ranked.shape[1]}: {time.perf_counter() - start:.1f} s, "
        f"peak {peak:.2f} GB, score {group.score:.0f}, best image {images.scores.max():.0f}"
    )


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "activations.npy"
        rng = np.random.default_rng(0)
        file = np.lib.format.open_memmap(path, "w+", np.float32, (10_000, 12_544))
        for top in range(0, 10_000, 500):
            file[top : top + 500] = rng.standard_normal((500, 12_544), dtype=np.float32)
        file[8_000:, :1_254] += 1
        del file
        subprocess.run([sys.executable, "-m", "tests.benchmarks.size", str(path)], check=True)
    print(f"{'p-values':>12}{'group ns':>10}{'images ns':>11}  per p-value, medians of 3")
    for n_images, n_nodes in ((500, 2_000), (1_600, 6_250), (8_000, 12_500)):
        numbers = np.random.default_rng(1).integers(0, 1_001, (n_images, n_nodes), np.uint16)
        numbers[: n_images // 5, : n_nodes // 10] //= 2
        ranked = RankedPvalues(numbers, 1_000)
        medians = []
        for scan in (lambda r: scan_group(r, n_restarts=5), scan_images):
            times = []
            for _ in range(3):
                start = time.perf_counter()
                scan(ranked)
                times.append(time.perf_counter() - start)
            medians.append(sorted(times)[1] / numbers.size * 1e9)
        print(f"{numbers.size:>12}{medians[0]:>10.2f}{medians[1]:>11.2f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        scan_file(sys.argv[1])
    else:
        main()
