"""Progress on a terminal: one line that grows, or a few lines where nobody watches."""

import time
from typing import TextIO


class Progress:
    """Report the parts of a step: call it with (done, total, message).

    On a terminal the line is redrawn; elsewhere (a log) a line is written every ten seconds.
    """

    WIDTH = 24

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.live = stream.isatty()
        self.written_at = time.monotonic()
        self.drawn = False

    def __call__(self, done: int, total: int, message: str) -> None:
        if not self.live and time.monotonic() - self.written_at < 10:
            return
        share = done / total if total else 1.0
        bar = "█" * round(share * self.WIDTH)
        line = f"      {bar:<{self.WIDTH}} {share:4.0%}  {message}"
        self.stream.write(f"\r{line}\033[K" if self.live else f"{line}\n")
        self.stream.flush()
        self.written_at = time.monotonic()
        self.drawn = self.live

    def clear(self) -> None:
        """Take the growing line away."""
        if self.drawn:
            self.stream.write("\r\033[K")
            self.stream.flush()
            self.drawn = False
