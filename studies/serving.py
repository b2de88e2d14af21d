"""How the application is served: the one place that says how many processes and threads.

`python -m tests.benchmarks.load` measures it.
"""

import sys

WORKERS = 2
THREADS_PER_WORKER = 2


def server_command(
    port: int,
    *,
    host: str = "127.0.0.1",
    workers: int = WORKERS,
    threads: int = THREADS_PER_WORKER,
) -> list[str]:
    """The command that serves the application at `port`, under this Python."""
    options = {
        "--interface": "wsgi",
        "--host": host,
        "--port": port,
        "--workers": workers,
        "--blocking-threads": threads,
        "--log-level": "warning",
    }
    arguments = [str(word) for option in options.items() for word in option]
    return [sys.executable, "-m", "granian", *arguments, "studies.wsgi:application"]
