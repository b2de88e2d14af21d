"""What options mean to the library."""

import argparse
import sys
from typing import Any


def search(options: argparse.Namespace) -> dict[str, Any]:
    """The parameters of a search."""
    return {
        "statistic": options.statistic,
        "alpha_max": options.alpha_max,
        "n_restarts": options.restarts,
        "max_images": options.max_images,
        "max_nodes": options.max_nodes,
        "engine": options.engine,
        "seed": options.seed,
    }


def workers(options: argparse.Namespace) -> dict[str, Any]:
    """Where to run, and whether to say how far it is."""
    return {
        "n_workers": options.workers,
        "cluster": options.cluster,
        "progress": None if options.quiet else show_progress,
    }


def show_progress(done: int, total: int, message: str) -> None:
    """Over and over on one line of a terminal; ten lines in a log."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{message} {done}/{total}" + ("\n" if done == total else ""))
    elif done * 10 // total > (done - 1) * 10 // total:
        sys.stderr.write(f"{message} {done}/{total}\n")
