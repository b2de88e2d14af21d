"""``python -m scanning.experiments``: the paper's experiments, from data to a report.

    python -m scanning.experiments --quick --output quick
    python -m scanning.experiments --output full --pictures pictures.zip --workers 2

Run again with the same options, it goes on where it stopped. Progress goes to standard error.
Exit code 0, or 2 after one line of error; 130 after an interruption.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from scanning.experiments.cells import KINDS
from scanning.experiments.settings import DATA, FULL, QUICK, Settings


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    found = argparse.ArgumentParser(
        prog="python -m scanning.experiments",
        description=(__doc__ or "").partition("\n")[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = found.add_argument
    add("--output", type=Path, default=Path("experiments"), metavar="FOLDER", help="what is made")
    add("--quick", action="store_true", help="a rough version: few seeds, small sets")
    add(
        "--data",
        metavar="FOLDER",
        help="IDX files of MNIST and Fashion-MNIST; without it 5,000 bundled images of each",
    )
    add(
        "--pictures",
        metavar="PLACE",
        help="folder or zip of colour pictures for the GAN; without it there is none",
    )
    add("--sets", nargs="+", choices=DATA, metavar="SET", help=f"of {', '.join(DATA)}")
    add("--seeds", nargs="+", type=int, metavar="SEED", help="of the models reported")
    add("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="local processes")
    add("--cluster", metavar="ADDRESS", help="a Dask scheduler, such as tcp://10.0.0.1:8786")
    add("--device", default="auto", choices=("auto", "cpu", "cuda"), help="where models train")
    add("--only", nargs="+", choices=KINDS, default=KINDS, metavar="KIND", help=", ".join(KINDS))
    return found


def settings_of(options: argparse.Namespace) -> Settings:
    """What the options ask for."""
    settings = QUICK if options.quick else FULL
    chosen = options.sets or [name for name in DATA if name != "pictures" or options.pictures]
    if "pictures" in chosen and not options.pictures:
        raise ValueError("--pictures must name a folder or zip for the set pictures")
    settings = replace(settings, data=tuple(chosen))
    return replace(settings, seeds=tuple(options.seeds)) if options.seeds else settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the experiments.

    Returns
    -------
    int
        0; 2 where something was refused or gave out; 130 where it was interrupted.
    """
    from scanning.experiments.report import write_all
    from scanning.experiments.run import open_store, run

    options = parser().parse_args(arguments)

    def say(line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    try:
        settings = settings_of(options)
        store = open_store(
            settings,
            options.output,
            data=options.data,
            pictures=options.pictures,
            device=options.device,
        )
        cells = run(
            settings,
            store,
            n_workers=options.workers,
            cluster=options.cluster,
            only=options.only,
            say=say,
        )
        if set(options.only) == set(KINDS):
            write_all(settings, store, cells)
            say(f"{options.output / 'REPORT.md'} tells what was found")
        else:
            say("computed; without --only the tables, figures and the report are made too")
    except (ValueError, OSError, ImportError, MemoryError) as error:
        say(f"python -m scanning.experiments: {' '.join(str(error).split())}")
        return 2
    except KeyboardInterrupt:
        say("python -m scanning.experiments: interrupted; run again, it goes on from here")
        return 130
    return 0
