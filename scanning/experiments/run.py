"""The cells of a run, computed stage by stage; what is there already is not computed again."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scanning.cluster import fan_out
from scanning.experiments.cells import KINDS, compute
from scanning.experiments.making import load_source
from scanning.experiments.settings import Settings
from scanning.experiments.store import Cell, Store, environment, sizes_dict, write_atomically

Say = Callable[[str], None]


def cells_of(settings: Settings) -> list[Cell]:
    """Every cell of a run, models first, then by model."""
    both = (*settings.seeds, *settings.tuning_seeds)
    models = [Cell("model", data, seed) for data in settings.data for seed in both]
    processes = (("processes", list(settings.processes)),)
    others = []
    for data in settings.data:
        for seed in both:
            others += [
                Cell("scan", data, seed, tuple(asdict(decoding).items()))
                for decoding in settings.decodings(data)
            ]
            if seed in settings.tuning_seeds:
                continue
            others.append(Cell("overlap", data, seed, _hashable(processes)))
            others += [Cell(kind, data, seed) for kind in ("ablation", "calibration")]
            if seed == settings.seeds[0]:
                others.append(Cell("sets", data, seed, _hashable(processes)))
    return models + others


def _hashable(values: Sequence[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    return tuple((k, tuple(v) if isinstance(v, list) else v) for k, v in values)


def open_store(
    settings: Settings,
    folder: Path,
    *,
    data: str | None = None,
    pictures: str | None = None,
    device: str = "cpu",
) -> Store:
    """The folder of a run; data sets are loaded, checked and described here, before anything is
    computed."""
    from scanning.generative import describe
    from scanning.generative.training import chosen_device

    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    sizes = sizes_dict(settings.sizes)
    sources = {}
    for name in settings.data:
        place = pictures if name == "pictures" else data
        where = None if place is None else str(Path(place).resolve())
        source: dict[str, Any] = {"name": name, "place": where}
        loaded = load_source(source, folder / "cache", sizes["n_train"], sizes["picture_size"])
        sources[name] = source | describe(loaded).to_dict() | {"name": name}
    return Store(folder, sizes, sources, chosen_device(device))


def run(
    settings: Settings,
    store: Store,
    *,
    n_workers: int = 1,
    cluster: str | None = None,
    only: Sequence[str] = KINDS,
    say: Say = lambda line: None,
) -> list[Cell]:
    """Compute what is missing, models first.

    Parameters
    ----------
    settings : Settings
    store : Store
    n_workers, cluster
        As for :func:`scanning.cluster.fan_out`. The machines of a cluster must see the folder
        under the same path.
    only : sequence of str
        Kinds to compute; models that these need are computed too.
    say : callable
        Called with lines about progress.

    Returns
    -------
    list of Cell
        Those that were asked for, all computed.
    """
    wanted = [cell for cell in cells_of(settings) if cell.kind in {"model", *only}]
    stages = [[c for c in wanted if c.kind == "model"], [c for c in wanted if c.kind != "model"]]
    for number, stage in enumerate(stages, 1):
        missing = [cell for cell in stage if store.read(cell) is None]
        what = "models" if number == 1 else "scans and experiments"
        say(f"{what}: {len(stage) - len(missing)} of {len(stage)} are there")
        if missing:
            started = time.monotonic()
            fan_out(
                compute,
                missing,
                shared=[store],
                n_workers=n_workers,
                cluster=cluster,
                progress=_reporter(say, what, started),
            )
    record = {
        "settings": json.loads(json.dumps(settings.to_dict())),
        "sources": {
            name: {k: v for k, v in source.items() if k != "place"}
            for name, source in store.sources.items()
        },
        "environment": environment(store.device),
        "command": "python -m scanning.experiments " + " ".join(_shown(sys.argv[1:])),
    }
    write_atomically(store.folder / "run.json", json.dumps(record, indent=1).encode())
    return wanted


def _shown(arguments: Sequence[str]) -> list[str]:
    """Arguments without the folders of this machine."""
    return [Path(word).name if "/" in word and "://" not in word else word for word in arguments]


def _reporter(say: Say, what: str, started: float) -> Callable[[int, int, str], None]:
    def report(done: int, total: int, _message: str) -> None:
        gone = time.monotonic() - started
        left = gone / done * (total - done)
        end = time.strftime("%H:%M", time.localtime(time.time() + left))
        say(
            f"{what}: {done} of {total} after {_clock(gone)}, "
            f"about {_clock(left)} left, until {end}"
        )

    return report


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
