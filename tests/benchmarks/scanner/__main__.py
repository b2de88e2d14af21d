"""The scanner against the Adversarial Robustness Toolbox's, and against its own goals.

    python -m tests.benchmarks.scanner [--quick] [--only group,real,…] [--json FILE]

The peer is installed once from the package index, into a folder of its own under --cache; where
that cannot be done this is said, and only our side is measured. Both sides get the same p-values,
seeds are fixed, sides are called once to warm up and then by turns, and times are medians of --runs
runs. Parts, which --only chooses from:

- group: planted group scans of 500 × 3,136 and 1,000 × 6,272, from 5 random starts each;
- real: the same on layers of the demonstration's model, trained briefly, and on its pixels;
- pvalues: p-values, with fitting; images: individual scans;
- calibration: 1,000 null groups against 20 of the peer's group scans, all really made;
- reading: bytes per second of the counting pass against a plain read of the same array;
- gaps: scores below those of brute force, every gap;
- file: 500 MB of activations scanned from a file, with the peak memory of that process;
- growth: time per p-value from 10^6 to 10^8 of them;
- devices: the torch engine against numba, where torch has a CUDA device.

No figure makes the command fail; p-values or scores that differ from the peer's do.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from scanning._threads import n_threads
from tests.benchmarks.scanner import (
    calibrations,
    devices,
    gaps,
    group_scans,
    growth,
    image_scans,
    large_file,
    pvalues,
    reading,
)
from tests.benchmarks.scanner.peer import Peer, PeerUnavailable, load_peer
from tests.benchmarks.scanner.report import HEADER, Row
from tests.benchmarks.scanner.setting import Setting

PARTS: dict[str, Callable[[Setting], Iterator[Row]]] = {
    "group": group_scans.measure_planted,
    "real": group_scans.measure_real,
    "pvalues": pvalues.measure,
    "images": image_scans.measure,
    "calibration": calibrations.measure,
    "reading": reading.measure,
    "gaps": gaps.measure,
    "file": large_file.measure,
    "growth": growth.measure,
    "devices": devices.measure,
}
WITH_PEER = {"group", "real", "pvalues", "images", "calibration", "gaps"}


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    cache = home / "musescan" / "benchmarks"
    parser.add_argument("--quick", action="store_true", help="small sizes, two runs of each")
    parser.add_argument("--only", default="", help="some of " + ",".join(PARTS))
    parser.add_argument("--runs", type=int, help="of each side (5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure")
    parser.add_argument("--cache", type=Path, default=cache, help=f"for the peer ({cache})")
    options = parser.parse_args(arguments)
    chosen = {name for name in options.only.split(",") if name}
    if unknown := chosen - set(PARTS):
        parser.error(f"--only must name some of {', '.join(PARTS)}; got {', '.join(unknown)}")
    options.parts = [name for name in PARTS if name in chosen or not chosen]
    if options.runs is not None and options.runs < 1:
        parser.error(f"--runs must be at least 1; got {options.runs}")
    options.runs = options.runs or (2 if options.quick else 5)
    return options


def environment() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "threads": n_threads(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "numba")},
    }


def peer_for(parts: Sequence[str], cache: Path) -> tuple[Peer | None, str]:
    """The peer, if a part wants it, and what is said of it."""
    if not WITH_PEER & set(parts):
        return None, "no part needs the peer"
    try:
        return load_peer(cache), f"peer: adversarial-robustness-toolbox, from {cache}"
    except PeerUnavailable as error:
        return None, f"NO PEER, only our side is measured: {error}"


def main(arguments: Sequence[str] | None = None) -> int:
    options = parsed(arguments)
    machine = environment()
    peer, said = peer_for(options.parts, options.cache)
    setting = Setting(peer, options.runs, options.quick)
    print(", ".join(f"{name} {value}" for name, value in machine.items()))
    print(said)
    print(f"medians of {options.runs} runs{', small sizes' if options.quick else ''}\n")
    print(HEADER, flush=True)
    found: dict[str, list[Row]] = {}
    for part in options.parts:
        found[part] = []
        for row in PARTS[part](setting):
            found[part].append(row)
            print("\n".join(row.lines()), flush=True)
    with_goals = [row for rows in found.values() for row in rows if row.reached is not None]
    print(f"\n{sum(bool(row.reached) for row in with_goals)} of {len(with_goals)} goals reached")
    if options.json:
        report = {
            "environment": machine,
            "peer": said,
            "runs": options.runs,
            "quick": options.quick,
            "parts": {part: [row.to_dict() for row in rows] for part, rows in found.items()},
        }
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
