"""What is computed, cell by cell: each kind is one module with a function ``work``."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from scanning.experiments.store import Cell, Store

# In this order: the others need the models.
KINDS = ("model", "scan", "overlap", "ablation", "calibration", "sets")


def work_of(kind: str) -> Callable[[Store, Cell], dict[str, Any]]:
    """The function that computes cells of this kind."""
    work: Callable[[Store, Cell], dict[str, Any]] = import_module(f"{__name__}.{kind}").work
    return work


def compute(cell: Cell, store: Store) -> float:
    """Compute and keep one cell; the seconds that it took.

    On one thread, so that the numbers are the same on however many processes.
    """
    from scanning.generative import one_thread

    with one_thread():
        return store.compute(cell, work_of(cell.kind))
