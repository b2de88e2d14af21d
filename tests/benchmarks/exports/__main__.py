"""Memory and time of an export with many answers, beside the first thing one would write.

    python -m tests.benchmarks.exports [--responses 1000000] [--quick] [--postgresql]

Makes a study in a database of its own: SQLite in a temporary folder, or with --postgresql a
private cluster with default settings. Each measure is a process of its own; its memory is the
most that was resident (VmHWM), with Python, Django and all libraries in it:

- worker, command: what is loaded before anything is exported;
- job: the zip that a worker writes when “Export data” was pressed;
- folder: `manage.py export_study`;
- pandas: the peer, `pd.DataFrame(list(queryset.values())).to_csv(...)`, of the answers only: one
  table of the eleven, in one of the three forms.

Exits with 1 where a process that exports needs more than 300 MB (10^6 bytes).
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.benchmarks.load.postgres import private_cluster

ROOT = Path(__file__).resolve().parents[3]
GOAL_MB = 300
QUICK = 50_000


def step(name: str, *arguments: object, environment: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.exports.steps", name, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def line(name: str, told: dict[str, Any]) -> str:
    rows = told.get("rows")
    speed = f"{rows / told['seconds']:10,.0f}" if rows else " " * 10
    return (
        f"{name:<8} {told['peak_mb']:8,.0f} {told['seconds']:8,.1f} "
        f"{rows or 0:11,} {speed} {told.get('bytes', 0) / 1e6:9,.1f}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--responses", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} answers")
    parser.add_argument("--postgresql", action="store_true", help="in place of SQLite")
    options = parser.parse_args()
    n = QUICK if options.quick else options.responses
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="musescan-exports-")))
        environment = {
            **os.environ,
            "MUSESCAN_DATA_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "studies.settings",
        }
        environment.pop("MUSESCAN_DATABASE_URL", None)
        database = "SQLite"
        if options.postgresql:
            cluster = stack.enter_context(private_cluster())
            environment["MUSESCAN_DATABASE_URL"] = cluster.create_database("exports")
            database = f"PostgreSQL {cluster.version()}"
        migrate = [sys.executable, "manage.py", "migrate", "-v0"]
        subprocess.run(migrate, cwd=ROOT, env=environment, check=True)
        filled = step("fill", n, environment=environment)
        slug = filled["study"]
        print(f"{n:,} answers on {database}, Python {platform.python_version()}", flush=True)
        print(f"{'':<8} {'peak MB':>8} {'seconds':>8} {'rows':>11} {'rows/s':>10} {'MB out':>9}")
        found = {}
        for name, *what in (
            ("worker", "load_worker"),
            ("command", "load_command"),
            ("job", "by_job", slug),
            ("folder", "to_folder", slug, folder / "out"),
            ("pandas", "by_pandas", slug, folder / "answers.csv"),
        ):
            found[name] = step(*what, environment=environment)
            print(line(name, found[name]), flush=True)
    peer, ours = found["pandas"], found["folder"]
    print(
        f"pandas needs {peer['peak_mb'] / ours['peak_mb']:.1f} times the memory of the whole "
        f"export to a folder, and {peer['seconds'] / ours['seconds']:.2f} of its time, for one "
        "table in one form."
    )
    over = [name for name in ("job", "folder") if found[name]["peak_mb"] > GOAL_MB]
    if over:
        print(f"More than {GOAL_MB} MB: {', '.join(over)}", file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
