"""Time per p-value as scans grow a hundredfold: it should stay the same."""

from collections.abc import Iterator

import numpy as np

from scanning import RankedPvalues, scan_group, scan_images
from tests.benchmarks.scanner.report import Row
from tests.benchmarks.scanner.setting import Setting
from tests.benchmarks.scanner.timing import median_seconds

SIZES = ((500, 2_000), (1_600, 6_250), (8_000, 12_500))  # 10^6, 10^7 and 10^8 p-values
N_BACKGROUND = 1_000
SCANS = {"group": lambda ranked: scan_group(ranked, n_restarts=5), "individual": scan_images}
MOST = 1.5


def measure(setting: Setting) -> Iterator[Row]:
    nanoseconds: dict[str, list[float]] = {name: [] for name in SCANS}
    sizes = SIZES[:2] if setting.quick else SIZES
    for shape in sizes:
        ranked = _ranked(shape)
        for name, scan in SCANS.items():
            n_runs = max(3, setting.n_runs)
            time = median_seconds(lambda scan=scan, ranked=ranked: scan(ranked), n_runs)
            nanoseconds[name].append(time / ranked.numbers.size * 1e9)
            yield Row(
                f"{name} scan of {ranked.numbers.size:.0e} p-values",
                nanoseconds[name][-1],
                unit=" ns",
                ours_s=time,
                note="per p-value",
            )
    for name, values in nanoseconds.items():
        yield Row(
            f"{name} scan: dearest to cheapest p-value",
            max(values) / min(values),
            MOST,
            at_least=False,
            note=f"the largest scan's costs {values[-1] / values[0]:.2f} times the smallest's",
        )


def _ranked(shape: tuple[int, int]) -> RankedPvalues:
    """A fifth of the images has p-values half as large in a tenth of the nodes."""
    n_images, n_nodes = shape
    numbers = np.random.default_rng(1).integers(0, N_BACKGROUND + 1, shape, np.uint16)
    numbers[: n_images // 5, : n_nodes // 10] //= 2
    return RankedPvalues(numbers, N_BACKGROUND)
