"""``info``: what files hold."""

import argparse
from typing import Any

import numpy as np

from scanning.commands.files import names, read
from scanning.commands.layers import FITTED
from scanning.commands.output import table


def info(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """What the files hold."""
    report: dict[str, Any] = {"files": {}}
    rows = []
    for path in options.files:
        arrays = {}
        for name in names(path):
            array = read(path, name)
            n_bad = 0
            if array.dtype.kind == "f":
                n_bad = array.size - int(np.isfinite(array).sum())
            arrays[name] = {
                "kind": "background" if name.startswith(FITTED) else "activations",
                "shape": list(array.shape),
                "dtype": str(array.dtype),
                "n_not_finite": n_bad,
            }
            rows.append((path, name, "×".join(map(str, array.shape)), array.dtype, n_bad))
        report["files"][path] = arrays
    return report, table(("file", "array", "shape", "type", "not finite"), rows)
