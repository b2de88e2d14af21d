"""The torch engine on a CUDA device against the compiled kernels."""

from collections.abc import Iterator

import numpy as np

from scanning import RankedPvalues, scan_group
from tests.benchmarks.scanner.report import Row
from tests.benchmarks.scanner.setting import Setting
from tests.benchmarks.scanner.timing import by_turns

SIZES = ((500, 3_136), (4_000, 12_544), (10_000, 12_544))
N_BACKGROUND = 1_000


def measure(setting: Setting) -> Iterator[Row]:
    import torch

    if not torch.cuda.is_available():
        yield Row("torch engine against numba", None, note="torch has no CUDA device here")
        return
    for shape in SIZES[:1] if setting.quick else SIZES:
        numbers = np.random.default_rng(1).integers(0, N_BACKGROUND + 1, shape, np.uint16)
        numbers[: shape[0] // 5, : shape[1] // 10] //= 2
        ranked = RankedPvalues(numbers, N_BACKGROUND)
        of_numba, of_torch = by_turns(
            *(
                lambda engine=engine, ranked=ranked: (
                    scan_group(ranked, n_restarts=5, engine=engine).score
                )
                for engine in ("numba", "torch")
            ),
            n_runs=setting.n_runs,
        )
        yield Row(
            f"numba's time / torch's, {shape[0]} × {shape[1]}",
            of_numba.median / of_torch.median,
            ours_s=of_torch.median,
            note=(
                f"numba {of_numba.median:.4f} s; scores {of_numba.results[0]:.6g} "
                f"and {of_torch.results[0]:.6g}; {torch.cuda.get_device_name()}"
            ),
        )
