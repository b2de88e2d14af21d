"""One thread for many small matrix products."""

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def one_blas_thread() -> AbstractContextManager[Any]:
    """Keep BLAS on one thread for the duration of a block.

    A mixed-model fit multiplies small matrices thousands of times. Threads that wait for each
    other on every product make it twenty times slower on a busy machine than a single one.
    """
    limited: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return limited
