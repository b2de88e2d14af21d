"""The command line: activations in files in, JSON or tables out.

    python -m scanning fit background.npz --output fitted.safetensors
    python -m scanning scan test.npz --background fitted.safetensors
    python -m scanning calibrate test.npz --background fitted.safetensors --normal held_out.npz
    python -m scanning detect creative.npz --background fitted.safetensors --normal held_out.npz \
        --group-size 50
    python -m scanning info test.npz fitted.safetensors

A file holds one array (``.npy``) or one per layer (``.npz``, ``.safetensors``); images come
first, and what follows is flattened to nodes in C order. Nothing is ever unpickled. Results go
to standard output, progress to standard error. Exit code 0, or 2 after one line of error;
130 after an interruption.
"""

import json
import os
import sys
from collections.abc import Sequence

from scanning._plain import plain
from scanning.commands.parser import parser

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Returns
    -------
    int
        Exit code: 0; 2 where the input was refused, or memory or workers gave out; 130 where
        it was interrupted.
    """
    options = parser().parse_args(arguments)
    try:
        report, table = options.run(options)
    except (ValueError, OSError, ImportError, MemoryError) as error:
        line = " ".join(str(error).split()) or "there is not enough memory"
        sys.stderr.write(f"python -m scanning {options.command}: {line}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write(f"python -m scanning {options.command}: interrupted\n")
        return 130
    if options.format == "json":
        text = json.dumps(plain(report), allow_nan=False)
    else:
        text = "\n".join(table)
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output, such as `head`, has had enough. The interpreter must not
        # find the pipe broken once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
