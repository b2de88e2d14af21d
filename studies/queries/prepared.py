"""Statements that a connection's database plans once, for what every answer does.

The ORM compiles a query anew each time that it runs: most of the cost of an answer. What is
written here is what the ORM would have sent; everywhere else it is the ORM that sends it.
"""

import re
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection

PARAMETER = re.compile(r"%\((\w+)\)s")

# Connection to PostgreSQL → names that were prepared on it; those that are closed drop out.
prepared: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


class Statement:
    """One SQL statement with named parameters, written `%(name)s`, the same on both databases.

    `types` gives each parameter's type in PostgreSQL. There, a connection prepares the
    statement when it first runs it; a name is that of one text. Not behind a pooler that hands
    out a connection for one transaction, which Django is told of by
    `DISABLE_SERVER_SIDE_CURSORS`.
    """

    def __init__(self, name: str, sql: str, types: Mapping[str, str]) -> None:
        self.name, self.sql = name, sql
        self.order = tuple(dict.fromkeys(PARAMETER.findall(sql)))
        if set(self.order) != set(types):
            raise ValueError(f"{name}: types must be given of {self.order}; got {tuple(types)}")
        places = {each: f"${i}" for i, each in enumerate(self.order, start=1)}
        numbered = PARAMETER.sub(lambda found: places[found[1]], sql).replace("%%", "%")
        listed = ", ".join(types[each] for each in self.order)
        self.prepare = f"PREPARE {name} ({listed}) AS {numbered}"
        self.execute = f"EXECUTE {name} ({', '.join(f'%({each})s' for each in self.order)})"

    def run(self, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows that it gives."""
        with connection.cursor() as cursor:
            cursor.execute(self.sql_here(), values)
            return cursor.fetchall()

    def sql_here(self) -> str:
        """What is to be executed on the connection in use: prepared, where it can be."""
        pooled = connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
        if connection.vendor != "postgresql" or pooled:
            return self.sql
        names = prepared.setdefault(connection.connection, set())
        if self.name not in names:
            with connection.cursor() as cursor:
                cursor.execute(self.prepare)
            names.add(self.name)
        return self.execute
