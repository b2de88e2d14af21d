"""Results of cells in files: one JSON file each, whole or not there."""

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import scanning
from scanning._plain import plain

FORMAT = 1
_LIBRARIES = ("numpy", "numba", "scipy", "torch")
# Of the library, what no number of a cell depends on.
_PRESENTATION = ("experiments", "commands")


@dataclass(frozen=True)
class Cell:
    """One piece of the experiments, computed by itself.

    Attributes
    ----------
    kind : str
        Module of :mod:`scanning.experiments.cells` that computes it.
    data : str
    seed : int
        Of the model.
    decoding : dict or None
    """

    kind: str
    data: str
    seed: int
    decoding: tuple[tuple[str, Any], ...] | None = None

    def key(self) -> dict[str, Any]:
        """What identifies it."""
        decoding = None if self.decoding is None else dict(self.decoding)
        return {"kind": self.kind, "data": self.data, "seed": self.seed, "decoding": decoding}

    def words(self) -> str:
        """For people."""
        return " ".join(str(v) for v in (self.kind, self.data, f"seed {self.seed}"))


@dataclass(frozen=True)
class Store:
    """The folder of a run, and what all its results depend on.

    Attributes
    ----------
    folder : path
    sizes : dict
        Of :class:`Sizes`.
    sources : dict of str to dict
        For each data set, its hash and where it is.
    device : str
    """

    folder: Path
    sizes: dict[str, Any]
    sources: dict[str, dict[str, Any]]
    device: str = "cpu"

    def path(self, cell: Cell) -> Path:
        """File of the cell's result; another code, size or data set gives another name."""
        depends = {
            "format": FORMAT,
            "key": cell.key(),
            "sizes": self.sizes,
            "data": self.sources[cell.data]["sha256"],
            "code": code_version(cell.kind),
            "device": self.device,
        }
        digest = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:12]
        return self.folder / "cells" / cell.kind / f"{cell.data}-seed{cell.seed}-{digest}.json"

    def read(self, cell: Cell) -> dict[str, Any] | None:
        """The cell's entry: key, result, seconds, environment; None where it is still to do."""
        try:
            entry: dict[str, Any] = json.loads(self.path(cell).read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return entry

    def result(self, cell: Cell) -> dict[str, Any]:
        """The cell's result, which must be there."""
        entry = self.read(cell)
        if entry is None:
            raise FileNotFoundError(f"{cell.words()} has not been computed")
        result: dict[str, Any] = entry["result"]
        return result

    def compute(self, cell: Cell, work: Callable[["Store", Cell], dict[str, Any]]) -> float:
        """Compute and keep the cell unless it is kept already; the seconds that it took."""
        entry = self.read(cell)
        if entry is None:
            started, used = time.perf_counter(), time.process_time()
            result = plain(work(self, cell))
            seconds = time.perf_counter() - started
            entry = {
                "key": cell.key(),
                "seconds": round(seconds, 2),
                "processor_seconds": round(time.process_time() - used, 2),
                "environment": environment(self.device),
                "result": result,
            }
            write_atomically(self.path(cell), json.dumps(entry, allow_nan=False).encode())
        seconds_kept: float = entry["seconds"]
        return seconds_kept


def write_atomically(path: Path, data: bytes) -> None:
    """Nobody ever reads half a file under the final name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    unfinished.write_bytes(data)
    unfinished.replace(path)


@cache
def code_version(kind: str) -> str:
    """Hash of the code that a cell of this kind depends on: the library's numbers, what cells
    share, and the kind's own module; not tables, figures and words."""
    root = Path(scanning.__file__).parent
    here = root / "experiments"
    files = [
        path
        for path in sorted(root.rglob("*.py"))
        if path.relative_to(root).parts[0] not in _PRESENTATION
    ]
    files += [
        here / "making.py",
        here / "measures.py",
        here / "judging.py",
        here / "cells" / f"{kind}.py",
    ]
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def environment(device: str) -> dict[str, Any]:
    """On what something was computed."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "device": device,
        **{name: version(name) for name in _LIBRARIES},
    }


def sizes_dict(sizes: Any) -> dict[str, Any]:
    """As JSON gives them back, so that hashes agree."""
    values: dict[str, Any] = json.loads(json.dumps(asdict(sizes)))
    return values
