"""Hot statements: written in SQLAlchemy Core, compiled once per dialect, run on the driver's cursor."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Connection
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler

from bot.store.database import ConflictError, cursor_of


class Prepared:
    """A Core statement that is compiled at its first use.

    Running one through Core costs 60-90 µs of Python, on the driver 4-8 µs (measured on SQLite); a turn runs six.
    """

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, tuple[str, ...] | None, dict[str, Any]]] = {}

    def __call__(self, conn: Connection, **values: Any) -> Any:
        """Execute with named values; returns the driver's cursor. ConflictError if a row stands in the way."""
        dialect = conn.dialect
        if dialect.name not in self._compiled:
            compiled = self._statement.compile(dialect=dialect)  # type: ignore[attr-defined]
            assert isinstance(compiled, SQLCompiler)  # noqa: S101 - every statement here is SQL
            order = tuple(compiled.positiontup or ()) if compiled.positional else None
            self._compiled[dialect.name] = (str(compiled), order, dict(compiled.params))
        sql, order, defaults = self._compiled[dialect.name]
        bound = defaults | values
        parameters: Any = bound if order is None else tuple(bound[name] for name in order)
        try:
            return cursor_of(conn).execute(sql, parameters)
        except conn.dialect.loaded_dbapi.IntegrityError as error:
            raise ConflictError(str(error)) from error
