"""Many reads of one state of the data, however long they take and whoever writes meanwhile."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

T = TypeVar("T")

END: Any = object()


def in_snapshot(items: Generator[T, None, None]) -> Generator[T, None, None]:
    """`items`, all of whose reads see one state of the data: that when the first was asked for.

    1. They are read over a connection of their own, in one transaction that cannot write:
       REPEATABLE READ on PostgreSQL; on SQLite one that keeps to the log as it was. Neither
       makes a writer wait. The log of SQLite cannot be folded into its file meanwhile and
       grows; PostgreSQL keeps rows that were replaced.
    2. Between two items the thread has its usual connection back: whoever takes the items may
       read what is new and write.

    Inside another transaction, which sees what it sees, this is a RuntimeError. Tests are let
    off: their own transaction, or a database in memory, is all that there is.
    """
    usual = connections[DEFAULT_DB_ALIAS]
    if usual.in_atomic_block or is_in_memory(usual):
        with transaction.atomic(durable=True):
            pass
        yield from items
        return
    reader = reading_connection(usual)
    transactions = ExitStack()
    try:
        with held(reader):
            transactions.enter_context(transaction.atomic())
            begin(reader)
        while True:
            with held(reader):
                item = next(items, END)
            if item is END:
                return
            yield item
    finally:
        with held(reader):
            items.close()
            transactions.close()
        reader.close()


def is_in_memory(connection: BaseDatabaseWrapper) -> bool:
    return connection.vendor == "sqlite" and connection.is_in_memory_db()  # type: ignore[attr-defined]


def reading_connection(usual: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    """Another connection to the same database, for one long transaction that reads."""
    settings = {
        **usual.settings_dict,
        # A pooler lends a connection for a transaction; its cursors need not outlive it.
        "DISABLE_SERVER_SIDE_CURSORS": False,
    }
    if usual.vendor == "sqlite":
        # The usual mode takes the lock of writers when a transaction begins.
        settings["OPTIONS"] = {**settings["OPTIONS"], "transaction_mode": "DEFERRED"}
    return type(usual)(settings, DEFAULT_DB_ALIAS)


def begin(reader: BaseDatabaseWrapper) -> None:
    """Fix the state that the transaction sees, and see to it that it changes nothing."""
    with reader.cursor() as cursor:
        if reader.vendor == "postgresql":
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        else:
            cursor.execute("PRAGMA query_only = ON")
        # Both databases take the snapshot with the first read.
        cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
        cursor.fetchall()


@contextmanager
def held(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Let this thread use `connection`, and then again what it used before."""
    before = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = connection
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = before
