"""Backup and restore of PostgreSQL, with a real server and its own programs."""

from __future__ import annotations

import os
import shutil
import signal
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.backups import Run, command_line, fill, one_line, rows_of, running_bot, sqlite_url
from tests.support import missing


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run(url, "backup", path)`: the command in this process."""
    return command_line(monkeypatch)


@pytest.fixture
def server(postgres_url: str) -> str:
    """A database of ten citizens, where the client programs are installed, too."""
    if shutil.which("pg_dump") is None or shutil.which("pg_restore") is None:
        missing("pg_dump and pg_restore are not installed")
    fill(postgres_url, range(10))
    return postgres_url


def test_there_and_back(server: str, tmp_path: Path, run: Run) -> None:
    before, copy = rows_of(server), tmp_path / "copy.dump"
    result = run(server, "backup", copy)
    assert result.exit_code == 0, result.stderr
    assert "市民 10、咨询 10、消息 10" in result.stdout
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    fill(server, range(10, 15))
    newer = rows_of(server)
    result = run(server, "restore", copy, answer="y\n")
    assert result.exit_code == 0, result.stderr
    assert rows_of(server) == before
    (kept,) = tmp_path.glob("*.before-restore-*.dump")
    assert run(server, "restore", kept, "--yes").exit_code == 0
    assert rows_of(server) == newer


def test_refuses_while_a_bot_runs(server: str, tmp_path: Path, run: Run) -> None:
    copy = tmp_path / "copy.dump"
    with running_bot(server) as bot:
        assert run(server, "backup", copy).exit_code == 0
        one_line(run(server, "restore", copy, "--yes"), "个连接在用这个数据库", "systemctl stop fawen")
        bot.send_signal(signal.SIGTERM)
        assert bot.wait(30) == 0
    assert run(server, "restore", copy, "--yes").exit_code == 0


def test_tables_unknown_to_the_backup_stop_the_restore(server: str, tmp_path: Path, run: Run) -> None:
    copy = tmp_path / "copy.dump"
    assert run(server, "backup", copy).exit_code == 0
    engine = sa.create_engine(server)
    with engine.begin() as conn:
        conn.execute(sa.text("CREATE TABLE newer (id int)"))
    engine.dispose()
    one_line(run(server, "restore", copy, "--yes"), "newer", "createdb")


@pytest.mark.parametrize("content", [b"", b"no backup", b"PGDMP and then nonsense"])
def test_bad_backup(server: str, tmp_path: Path, run: Run, content: bytes) -> None:
    copy = tmp_path / "copy.dump"
    copy.write_bytes(content)
    one_line(run(server, "restore", copy, "--yes"), "现有数据没有改动")
    assert len(rows_of(server)["inbox"]) == 10


def test_password_is_not_on_the_command_line(
    server: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = tmp_path / "heard"
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in ("pg_dump", "pg_restore"):
        spy = folder / program
        spy.write_text(f'#!/bin/sh\necho "$@ password=$PGPASSWORD" >> "{heard}"\nexec "{shutil.which(program)}" "$@"\n')
        spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    with_password = sa.make_url(server).set(password="p@ss/word").render_as_string(hide_password=False)
    assert run(with_password, "backup", tmp_path / "copy.dump").exit_code == 0
    assert run(with_password, "restore", tmp_path / "copy.dump", "--yes").exit_code == 0
    for line in heard.read_text().splitlines():
        arguments, _, password = line.partition(" password=")
        assert "p@ss" not in arguments
        assert "%40" not in arguments
        assert password == "p@ss/word"


def test_without_its_programs(server: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    one_line(run(server, "backup", tmp_path / "copy.dump"), "没有 pg_dump", "postgresql-client")


def test_out_of_reach(tmp_path: Path, run: Run) -> None:
    url = f"postgresql+psycopg://user:secret@/name?host={tmp_path}"
    result = run(url, "backup", tmp_path / "copy.dump")
    one_line(result, "数据库连不上")
    assert "secret" not in result.output


def test_an_sqlite_backup_moves_into_an_empty_postgresql(postgres_url: str, tmp_path: Path, run: Run) -> None:
    old, saved = sqlite_url(tmp_path / "fawen.db"), tmp_path / "saved.db"
    fill(old, range(10))
    assert run(old, "backup", saved).exit_code == 0
    result = run(postgres_url, "restore", saved, "--yes")
    assert result.exit_code == 0, result.stderr
    assert "市民 10、咨询 10、消息 10" in result.stdout
    assert rows_of(postgres_url) == rows_of(old)
    one_line(run(postgres_url, "restore", saved, "--yes"), "不是空的")
    assert rows_of(postgres_url) == rows_of(old)


def test_a_postgresql_backup_does_not_go_into_sqlite(tmp_path: Path, run: Run) -> None:
    copy = tmp_path / "copy.dump"
    copy.write_bytes(b"PGDMP...........")
    one_line(run(sqlite_url(tmp_path / "fawen.db"), "restore", copy, "--yes"), "PostgreSQL 的备份")
