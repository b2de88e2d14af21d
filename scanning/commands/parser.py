"""The options of every command."""

import argparse
from typing import Any, NoReturn

from scanning.calibration import NULLS
from scanning.commands.calibrate import calibrate
from scanning.commands.detect import detect
from scanning.commands.fit import fit
from scanning.commands.info import info
from scanning.commands.scan import scan
from scanning.group import ENGINES
from scanning.pvalues import TAILS
from scanning.statistics import STATISTICS


class _Formatter(argparse.ArgumentDefaultsHelpFormatter):
    """Says each option's default, where it has one."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False:
            return action.help
        return super()._get_help_string(action)


class _Parser(argparse.ArgumentParser):
    """Refuses bad options in one line, as everything else is refused."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=_Formatter, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def parser() -> argparse.ArgumentParser:
    """Each command's options say what runs it: `run`, which returns a report and a table."""
    whole = _Parser(
        prog="python -m scanning",
        description="Subset scanning of activations in .npy, .npz or .safetensors files.",
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")

    output = _Parser(add_help=False)
    output.add_argument(
        "--format", choices=("table", "json"), default="table", help="of the output"
    )
    layers = _Parser(add_help=False)
    layers.add_argument(
        "--layer", action="append", help="a layer to use; may be repeated (default: all shared)"
    )
    search = _Parser(add_help=False)
    search.add_argument("--background", required=True, metavar="FILE", help="written by fit")
    search.add_argument("--tail", choices=TAILS, default="upper", help="extreme activations")
    search.add_argument(
        "--statistic", choices=tuple(STATISTICS), default="berk_jones", help="score"
    )
    search.add_argument("--alpha-max", type=float, default=0.5, help="largest threshold")
    search.add_argument("--restarts", type=int, default=10, help="random starts of a group scan")
    search.add_argument("--max-images", type=int, help="largest subset of images (default: any)")
    search.add_argument("--max-nodes", type=int, help="largest subset of nodes (default: any)")
    search.add_argument("--engine", choices=ENGINES, default="numba", help="of the group scan")
    search.add_argument("--seed", type=int, default=0, help="of all that is random")
    search.add_argument("--workers", type=int, default=1, help="local processes")
    search.add_argument("--cluster", metavar="tcp://…", help="a Dask scheduler to run on")
    search.add_argument("--quiet", action="store_true", help="no progress on standard error")
    normal = _Parser(add_help=False)
    normal.add_argument(
        "--normal", required=True, metavar="FILE", help="normal images outside the background"
    )
    normal.add_argument("--confidence", type=float, default=0.95, help="of intervals")

    command = commands.add_parser("fit", parents=[output, layers], help=fit.__doc__)
    command.add_argument("activations", nargs="+", metavar="FILE", help="images are put together")
    command.add_argument("--output", required=True, metavar="FILE", help=".npz or .safetensors")
    command.set_defaults(run=fit)

    command = commands.add_parser("scan", parents=[output, layers, search], help=scan.__doc__)
    command.add_argument("test", metavar="FILE", help="activations of the images to scan")
    command.add_argument("--nodes", action="store_true", help="each image's nodes, in JSON")
    command.set_defaults(run=scan)

    command = commands.add_parser(
        "calibrate", parents=[output, layers, search, normal], help=calibrate.__doc__
    )
    command.add_argument("test", metavar="FILE", help="activations of the images in question")
    command.add_argument("--replicates", type=int, default=999, help="null groups")
    command.add_argument(
        "--null",
        choices=NULLS,
        default="auto",
        help="where null groups are drawn from: pooled, a permutation test, is exact and what "
        "auto takes",
    )
    command.set_defaults(run=calibrate)

    command = commands.add_parser(
        "detect", parents=[output, layers, search, normal], help=detect.__doc__
    )
    command.add_argument("creative", metavar="FILE", help="activations of creative images")
    command.add_argument("--group-size", type=int, required=True, help="images in a group")
    command.add_argument("--share", type=float, default=0.2, help="creative images in a group")
    command.add_argument("--replicates", type=int, default=100, help="groups of either kind")
    command.add_argument("--bootstrap", type=int, default=999, help="resamples")
    command.add_argument(
        "--true-nodes", metavar="FILE", help=".npy of node indices, or a mask (images, nodes)"
    )
    command.set_defaults(run=detect)

    command = commands.add_parser("info", parents=[output], help=info.__doc__)
    command.add_argument("files", nargs="+", metavar="FILE", help="activations, or written by fit")
    command.set_defaults(run=info)
    return whole
