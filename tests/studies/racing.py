"""Acts that start at the same moment, each in a thread and on a connection of its own."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections

from studies.errors import DomainError


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run `acts` together; what each returned, or the DomainError that it raised.

    Any other error of an act is raised here.
    """
    start = threading.Barrier(len(acts))
    outcomes: list[Any] = [None] * len(acts)
    failed: list[Exception] = []

    def run(index: int, act: Callable[[], Any]) -> None:
        start.wait()
        try:
            outcomes[index] = act()
        except DomainError as refused:
            outcomes[index] = refused
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    if failed:
        raise failed[0]
    return outcomes
