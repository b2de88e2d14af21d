"""Whether this export is whole: ``python analysis/check_files.py``, with Python alone.

Compares every file with manifest.json. Prints what differs, and exits with 1 where anything does.
"""

import csv
import hashlib
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def fault(path, told):
    """What is wrong with the file at `path`, or None."""
    if not path.is_file():
        return "is missing"
    digest, n_bytes = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            n_bytes += len(block)
    if n_bytes != told["bytes"]:
        return f"has {n_bytes} bytes where {told['bytes']} were written"
    if digest.hexdigest() != told["sha256"]:
        return "was changed after it was written"
    if "rows" in told and path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            n_rows = sum(1 for _ in csv.reader(file)) - 1
        if n_rows != told["rows"]:
            return f"has {n_rows} rows where {told['rows']} were written"
    return None


def main():
    csv.field_size_limit(1 << 30)
    try:
        files = json.loads((ROOT / "manifest.json").read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError):
        sys.exit("manifest.json is missing or damaged: nothing can be said of the other files")
    faults = {name: fault(ROOT / name, told) for name, told in files.items()}
    for name, what in faults.items():
        if what:
            sys.stdout.write(f"{name} {what}\n")
    n_wrong = sum(what is not None for what in faults.values())
    sys.stdout.write(f"{len(files) - n_wrong} of {len(files)} files are as they were written\n")
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
