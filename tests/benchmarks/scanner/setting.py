"""What every part is given."""

from dataclasses import dataclass

from tests.benchmarks.scanner.peer import Peer


@dataclass(frozen=True)
class Setting:
    """The peer, where it can be had; how often to repeat; whether small sizes will do."""

    peer: Peer | None
    n_runs: int
    quick: bool
