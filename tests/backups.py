"""What the tests of backup and restore share: records, a command line, a running bot."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from bot.commands.cli import app
from bot.store import tables
from bot.store.database import Database
from bot.store.migrate import migrate

ROOT = Path(__file__).parents[1]
Run = Callable[..., Result]
Rows = dict[str, list[tuple[Any, ...]]]


def add(conn: sa.Connection, number: int) -> None:
    """One citizen with one consultation and one message: the three tables always have equal counts."""
    citizen, matter = f"citizen-{number:06}", f"matter-{number:06}"
    conn.execute(
        sa.insert(tables.citizens).values(
            id=citizen, channel="web", address=citizen, subscribed=number % 2 == 0, township="城关镇", state="{}", created_at=1, seen_at=1
        )
    )  # fmt: skip
    conn.execute(
        sa.insert(tables.consultations).values(
            id=matter, citizen_id=citizen, channel="web", kind="legal", category="劳动", entry_id="e", entry_version="1",
            verdict="answer", confidence=0.5, outcome="answered", handled_by="bot", township="", urgent=True, messages=1,
            opened_at=1, last_at=1, closed_at=None,
        )
    )  # fmt: skip
    conn.execute(
        sa.insert(tables.inbox).values(
            id=f"message-{number:06}", channel="web", key=str(number), citizen_id=citizen, consultation_id=matter, kind="text",
            text="拖欠工资怎么办？🙏" * 20, tap="", flow="ask", verdict="answer", entry_id="e", entry_version="1", confidence=0.5,
            reply="{}", sent_at=1, received_at=1,
        )
    )  # fmt: skip


def fill(url: str, numbers: range) -> None:
    db = Database(url)
    try:
        migrate(db.engine)
        for number in numbers:
            asyncio.run(db.write(partial(add, number=number)))
    finally:
        db.close()


def rows_of(url: str) -> Rows:
    """Everything in the database but the note of its last backup, which that backup cannot hold."""
    engine = sa.create_engine(url)
    try:
        with engine.connect() as conn:
            return {
                table.name: [
                    tuple(row)
                    for row in conn.execute(sa.select(table).order_by(*table.primary_key))
                    if (table.name, row[0]) != ("meta", "backup")
                ]
                for table in tables.metadata.sorted_tables
            }
    finally:
        engine.dispose()


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def _ours() -> list[str]:
    """The suite's own variables, which would count as settings."""
    return [name for name in os.environ if name.startswith("FAWEN_")]


def environ(**settings: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _ours()} | settings


def command_line(monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run(url, "backup", path)`: a command in this process."""

    def invoke(url: str, *args: object, answer: str = "") -> Result:
        for name in _ours():
            monkeypatch.delenv(name)
        monkeypatch.setenv("FAWEN_DATABASE_URL", url)
        return CliRunner().invoke(app, [str(arg) for arg in args], input=answer)

    return invoke


@contextmanager
def running_bot(url: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m bot serve` as a process of its own, once it says that it is up."""
    # The rows are of 1970: nothing of them is to be erased because of their age.
    forever = {"FAWEN_PRIVACY__KEEP_DAYS": "36500", "FAWEN_PRIVACY__MEDIA_DAYS": "36500"}
    env = environ(FAWEN_DATABASE_URL=url, FAWEN_HTTP__PORT="0", **forever)
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "serve"], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        try:
            announced = process.stdout.readline()
            while "法问已启动" not in announced:
                assert announced, "it ended before it served"
                announced = process.stdout.readline()
            # An answer over HTTP also shows that its event loop is listening to signals.
            with urllib.request.urlopen(announced.split()[-1] + "readyz") as answer:
                assert answer.status == 200
            yield process
        finally:
            process.kill()


def one_line(result: Result, *words: str) -> None:
    assert result.exit_code == 2, result.output
    assert len(result.stderr.strip().splitlines()) == 1
    for word in words:
        assert word in result.stderr
