"""What several commands share: settings or a clear line on standard error, and one open store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn, Protocol, TypeVar

import typer
from rich.console import Console
from sqlalchemy.engine import Connection

from bot.settings import Settings, SettingsError, read_settings
from bot.store.database import Database, StoreError
from bot.store.migrate import migrate

T = TypeVar("T")
DEMO_SETTINGS = Path(__file__).parents[2] / "deploy" / "demo" / "fawen.toml"
SettingsOption = Annotated[
    Path | None, typer.Option("--settings", help="settings file instead of ./fawen.toml", show_default=False)
]
DemoOption = Annotated[
    bool, typer.Option("--demo", help="demonstration settings: no account needed, this machine only")
]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def fail(*lines: str) -> NoReturn:
    """Say what is wrong, one line each, and end with status 2."""
    for line in lines:
        err.print(line, markup=False, style="red")
    raise typer.Exit(2)


def settings_or_fail(file: Path | None, *, demo: bool = False) -> Settings:
    """Read the settings; on faults print one line each and end."""
    try:
        return read_settings(file=DEMO_SETTINGS if demo and file is None else file)
    except SettingsError as error:
        fail(*error.faults)


@contextmanager
def reading(settings: Settings) -> Iterator[Connection]:
    """A connection for looking at the records."""
    db = Database(settings.database_url)
    try:
        migrate(db.engine)
        with db.engine.connect() as conn:
            yield conn
    finally:
        db.close()


class Write(Protocol):
    """One transaction at a time, as the running bot has them."""

    def __call__(self, fn: Callable[[Connection], T], /) -> T:
        """Run `fn(conn)` and return its result once that is committed."""


@contextmanager
def writing(settings: Settings) -> Iterator[Write]:
    """A way to change the records, also beside a running bot."""
    db = Database(settings.database_url)
    try:
        migrate(db.engine)
        yield lambda fn: asyncio.run(db.write(fn))
    except StoreError as error:
        fail(str(error))
    finally:
        db.close()
