"""Error and coverage of the headline analyses, by simulation.

    python -m tests.benchmarks.inference
    python -m tests.benchmarks.inference --quick
    python -m tests.benchmarks.inference --replicates 1000 --workers 2 --kept FILE --markdown FILE

Under no effect the share of studies in which a 5% test rejects, under an effect the share of 95%
intervals that hold the truth, each with its 95% Monte-Carlo interval: "nominal" where 0.05 (0.95)
lies in it. Analyses in italics are not offered for the studies beside them. What was found
is in RESULTS.md; a full run takes about 35 minutes of CPU time.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

# Before numpy starts its threads; the workers inherit them.
os.environ.update({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})

import joblib

from .analyses import analyse
from .designs import Cell, cells, truths
from .report import table


def simulated(
    n_replicates: int, n_workers: int, seconds: float, kept: Path | None
) -> Iterator[dict[Cell, list]]:
    """Outcomes by cell, again and again with more replicates, the same number for every cell."""
    asked = cells()
    known = {cell: truths(cell) for cell in asked}
    done = {}
    if kept and kept.exists():
        lines = map(json.loads, kept.read_text().splitlines())
        done = {(line["cell"], line["replicate"]): line["outcome"] for line in lines}
    results: dict[Cell, list] = {cell: [] for cell in asked}
    end = time.monotonic() + seconds
    batch = 5 * n_workers
    with joblib.Parallel(n_workers) as parallel:
        for start in range(0, n_replicates, batch):
            replicates = range(start, min(start + batch, n_replicates))
            tasks = [(cell, replicate) for replicate in replicates for cell in asked]
            missing = [(cell, r) for cell, r in tasks if (str(cell), r) not in done]
            if missing and time.monotonic() > end:
                break
            found = parallel(joblib.delayed(analyse)(cell, known[cell], r) for cell, r in missing)
            new = {(str(cell), r): each for (cell, r), each in zip(missing, found, strict=True)}
            done |= new
            if kept:
                with kept.open("a") as file:
                    for (cell, r), outcome in new.items():
                        line = {"cell": cell, "replicate": r, "outcome": outcome}
                        file.write(json.dumps(line) + "\n")
            for cell, replicate in tasks:
                results[cell].append(done[str(cell), replicate])
            print(f"\r{replicates.stop} of {n_replicates} replicates", end="", file=sys.stderr)
            yield results
    print(file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--quick", action="store_true", help="40 replicates: does it run?")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--kept", type=Path, help="outcomes are kept here; a later run goes on")
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    asked = parser.parse_args()
    n_replicates = 40 if asked.quick else asked.replicates
    text = "0 replicates"
    for results in simulated(n_replicates, asked.workers, asked.seconds, asked.kept):
        text = f"{len(next(iter(results.values())))} replicates\n\n{table(results)}\n"
        if asked.markdown:
            asked.markdown.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
