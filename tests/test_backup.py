"""Backup and restore with real files, real servers and a real running bot."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.store import tables
from bot.store.database import Database
from bot.store.migrate import migrate
from tests.support import missing

ROOT = Path(__file__).parents[1]
Run = Callable[..., Result]
Rows = dict[str, list[tuple[Any, ...]]]


def _add(conn: sa.Connection, number: int) -> None:
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


def _fill(url: str, numbers: range) -> None:
    db = Database(url)
    try:
        migrate(db.engine)
        for number in numbers:
            db.submit(partial(_add, number=number)).result()
    finally:
        db.close()


def _rows(url: str) -> Rows:
    """Everything in the database."""
    engine = sa.create_engine(url)
    try:
        with engine.connect() as conn:
            return {
                table.name: [tuple(row) for row in conn.execute(sa.select(table).order_by(*table.primary_key))]
                for table in tables.metadata.sorted_tables
            }
    finally:
        engine.dispose()


def _url(path: Path) -> str:
    return f"sqlite:///{path}"


def _ours() -> list[str]:
    """The suite's own variables, which would count as settings."""
    return [name for name in os.environ if name.startswith("FAWEN_")]


def _environ(**settings: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _ours()} | settings


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run(url, "backup", path)`: the command in this process."""

    def invoke(url: str, *args: object, answer: str = "") -> Result:
        for name in _ours():
            monkeypatch.delenv(name)
        monkeypatch.setenv("FAWEN_DATABASE_URL", url)
        return CliRunner().invoke(app, [str(arg) for arg in args], input=answer)

    return invoke


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database of ten citizens."""
    path = tmp_path / "data" / "fawen.db"
    _fill(_url(path), range(10))
    return path


@pytest.fixture
def saved(file: Path, tmp_path: Path, run: Run) -> Path:
    """Its backup."""
    path = tmp_path / "saved.db"
    assert run(_url(file), "backup", path).exit_code == 0
    return path


@contextmanager
def _bot(url: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m bot serve` as a process of its own, once it says that it is up."""
    env = _environ(FAWEN_DATABASE_URL=url, FAWEN_HTTP__PORT="0")
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "serve"], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        try:
            announced = process.stdout.readline()
            assert "法问已启动" in announced
            # An answer over HTTP also shows that its event loop is listening to signals.
            with urllib.request.urlopen(announced.split()[-1] + "readyz") as answer:
                assert answer.status == 200
            yield process
        finally:
            process.kill()


def _one_line(result: Result, *words: str) -> None:
    assert result.exit_code == 2, result.output
    assert len(result.stderr.strip().splitlines()) == 1
    for word in words:
        assert word in result.stderr


def test_a_backup_made_while_others_write_is_one_moment(tmp_path: Path, run: Run) -> None:
    path, copy = tmp_path / "fawen.db", tmp_path / "copy.db"
    _fill(_url(path), range(200))
    halfway, enough = threading.Event(), threading.Event()

    def write() -> None:
        db = Database(_url(path))
        number = 200
        while not enough.is_set():
            db.submit(partial(_add, number=number)).result()
            number += 1
            if number == 220:
                halfway.set()
        db.close()

    writer = threading.Thread(target=write)
    writer.start()
    assert halfway.wait(30)
    result = run(_url(path), "backup", copy)
    enough.set()
    writer.join()
    assert result.exit_code == 0, result.stderr
    kept, live = _rows(_url(copy)), _rows(_url(path))
    counts = {len(kept[name]) for name in ("citizens", "consultations", "inbox")}
    assert len(counts) == 1, "a moment between two transactions"
    assert 220 <= counts.pop() <= len(live["inbox"])
    assert kept["inbox"] == live["inbox"][: len(kept["inbox"])]


def test_a_backup_says_what_is_in_it_and_is_private(file: Path, tmp_path: Path, run: Run) -> None:
    copy = tmp_path / "copy.db"
    result = run(_url(file), "backup", copy)
    assert "市民 10、咨询 10、消息 10" in result.stdout
    assert "KB" in result.stdout
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "data"], "no temporary files stay"


def test_a_folder_gets_dated_files_and_keeps_the_newest(file: Path, tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    others = ["fawen-20200101-000000.db.bak", "fawen-special.db", "letter.txt", "fawen-20200101-000000.dump"]
    for name in [*others, "fawen-20200101-000000.db", "fawen-20200102-000000.db", "fawen-20200103-000000.db"]:
        (folder / name).touch()
    result = run(_url(file), "backup", folder, "--keep", 2)
    assert result.exit_code == 0, result.stderr
    names = {path.name for path in folder.iterdir()} - set(others)
    assert len(names) == 2
    assert "fawen-20200103-000000.db" in names
    assert set(others) <= {path.name for path in folder.iterdir()}


def test_a_restore_brings_back_the_same_rows_and_keeps_the_old_ones(file: Path, saved: Path, run: Run) -> None:
    before = _rows(_url(file))
    _fill(_url(file), range(10, 15))
    newer = _rows(_url(file))
    result = run(_url(file), "restore", saved, answer="y\n")
    assert result.exit_code == 0, result.stderr
    assert "现在的全部数据" in result.stdout
    assert _rows(_url(file)) == before
    (kept,) = file.parent.glob("fawen.db.before-restore-*")
    assert _rows(_url(kept)) == newer
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_without_a_yes_nothing_happens(file: Path, saved: Path, run: Run, answer: str) -> None:
    _fill(_url(file), range(10, 12))
    before = _rows(_url(file))
    _one_line(run(_url(file), "restore", saved, answer=answer), "您没有确认")
    assert _rows(_url(file)) == before
    assert [path.name for path in file.parent.iterdir()] == ["fawen.db"]


def test_a_restore_where_no_database_is_yet(tmp_path: Path, file: Path, saved: Path, run: Run) -> None:
    new = tmp_path / "new.db"
    assert run(_url(new), "restore", saved, "--yes").exit_code == 0
    assert _rows(_url(new)) == _rows(_url(file))
    assert stat.S_IMODE(new.stat().st_mode) == 0o600


def test_a_running_bot_is_backed_up_but_never_restored_into(file: Path, saved: Path, tmp_path: Path, run: Run) -> None:
    with _bot(_url(file)) as bot:
        assert run(_url(file), "backup", tmp_path / "while-running.db").exit_code == 0
        _one_line(run(_url(file), "restore", saved, "--yes"), "法问正在使用", "systemctl stop fawen")
        # What follows is only in the write-ahead log when the bot dies without closing anything.
        with closing(sqlite3.connect(file)) as conn:
            conn.execute("UPDATE citizens SET township = 'after the backup'")
            conn.commit()
            bot.send_signal(signal.SIGKILL)
            bot.wait()
    assert run(_url(file), "restore", saved, "--yes").exit_code == 0
    assert {row[4] for row in _rows(_url(file))["citizens"]} == {"城关镇"}


def test_after_an_unclean_end_the_log_does_not_leak_into_the_restored_file(file: Path, saved: Path, run: Run) -> None:
    script = (
        "import os, sqlite3, sys\n"
        "conn = sqlite3.connect(sys.argv[1])\n"
        "conn.execute('PRAGMA journal_mode = WAL')\n"
        "conn.execute(\"UPDATE citizens SET township = 'only in the log'\")\n"
        "conn.commit()\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(file)], check=True)
    assert file.with_name("fawen.db-wal").stat().st_size > 0
    before = _rows(_url(saved))
    assert run(_url(file), "restore", saved, "--yes").exit_code == 0
    assert _rows(_url(file)) == before
    (kept,) = file.parent.glob("fawen.db.before-restore-*")
    assert {row[4] for row in _rows(_url(kept))["citizens"]} == {"only in the log"}


def test_a_restored_database_serves(file: Path, saved: Path, run: Run) -> None:
    assert run(_url(file), "restore", saved, "--yes").exit_code == 0
    before = _rows(_url(file))
    with _bot(_url(file)) as bot:
        bot.send_signal(signal.SIGTERM)
        assert bot.wait(30) == 0
    assert _rows(_url(file))["inbox"] == before["inbox"]


def _overwrite(path: Path, at: int, content: bytes) -> None:
    with path.open("rb+") as opened:
        opened.seek(at)
        opened.write(content)


def test_a_ruined_database_steps_aside(file: Path, saved: Path, run: Run) -> None:
    before = _rows(_url(file))
    _overwrite(file, 0, b"ruined" * 50)
    ruined = file.read_bytes()
    assert run(_url(file), "restore", saved, "--yes").exit_code == 0
    assert _rows(_url(file)) == before
    (kept,) = file.parent.glob("fawen.db.before-restore-*")
    assert kept.read_bytes() == ruined


def test_a_ruined_schema_is_replaced_too(file: Path, saved: Path, run: Run) -> None:
    before = _rows(_url(file))
    _overwrite(file, 100, b"\xff" * 3000)
    assert run(_url(file), "restore", saved, "--yes").exit_code == 0
    assert _rows(_url(file)) == before
    assert list(file.parent.glob("fawen.db.before-restore-*"))


def test_a_ruined_database_that_a_process_has_open_is_left_alone(file: Path, saved: Path, run: Run) -> None:
    script = (
        "import sqlite3, sys\n"
        "conn = sqlite3.connect(sys.argv[1])\n"
        "conn.execute('PRAGMA journal_mode = WAL')\n"
        "conn.execute('SELECT * FROM citizens').fetchall()\n"
        "print('open', flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        _overwrite(file, 0, b"ruined" * 50)
        ruined = file.read_bytes()
        _one_line(run(_url(file), "restore", saved, "--yes"), "法问正在使用")
        assert file.read_bytes() == ruined
        holder.kill()


def _truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _scribbled(path: Path) -> None:
    _overwrite(path, path.stat().st_size // 2, os.urandom(8192))


def _text(path: Path) -> None:
    path.write_text("这不是备份", encoding="utf-8")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TABLE recipes (name)")


def _from_the_future(path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
        conn.commit()


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (_truncated, "损坏"),
        (_scribbled, "损坏"),
        (_text, "不是法问的备份"),
        (_empty, "不是法问的备份"),
        (_foreign, "别的程序的数据库"),
        (_from_the_future, "请先更新法问"),
        (Path.unlink, "没有这个备份文件"),
    ],
)
def test_a_bad_backup_is_refused(file: Path, saved: Path, run: Run, spoil: Callable[[Path], None], word: str) -> None:
    before = _rows(_url(file))
    spoil(saved)
    _one_line(run(_url(file), "restore", saved, "--yes"), "现有数据没有改动", word)
    assert _rows(_url(file)) == before
    assert [path.name for path in file.parent.iterdir()] == ["fawen.db"]


def test_a_damaged_database_is_not_saved_as_a_backup(file: Path, tmp_path: Path, run: Run) -> None:
    _scribbled(file)
    _one_line(run(_url(file), "backup", tmp_path / "copy.db"), "备份没有成功", "损坏")
    assert not (tmp_path / "copy.db").exists()


def test_the_live_database_is_no_backup_and_no_target(file: Path, run: Run, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    os.link(file, link)
    _one_line(run(_url(file), "restore", file, "--yes"), "就是正在用的数据库")
    _one_line(run(_url(file), "restore", link, "--yes"), "就是正在用的数据库")
    for name in ("fawen.db", "fawen.db-wal"):
        _one_line(run(_url(file), "backup", file.with_name(name), "--overwrite"), "正在用的数据库")


def test_an_existing_file_is_only_replaced_on_request(file: Path, saved: Path, run: Run) -> None:
    _fill(_url(file), range(10, 11))
    _one_line(run(_url(file), "backup", saved), "--overwrite")
    assert len(_rows(_url(saved))["inbox"]) == 10
    assert run(_url(file), "backup", saved, "--overwrite").exit_code == 0
    assert len(_rows(_url(saved))["inbox"]) == 11


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (["{tmp}/nowhere/copy.db"], "没有文件夹"),
        (["/proc/copy.db"], "没有"),
        (["{tmp}/copy.db", "--keep", "3"], "--keep"),
    ],
)
def test_a_backup_that_cannot_be_written(file: Path, tmp_path: Path, run: Run, args: list[str], word: str) -> None:
    _one_line(run(_url(file), "backup", *[arg.format(tmp=tmp_path) for arg in args]), "备份没有成功", word)


def test_no_database_is_made_by_a_backup(tmp_path: Path, run: Run) -> None:
    _one_line(run(_url(tmp_path / "typo.db"), "backup", tmp_path / "copy.db"), "没有数据库文件")
    _one_line(run("sqlite:///:memory:", "backup", tmp_path / "copy.db"), "没有数据库文件")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line_and_leaves_nothing_behind(file: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    alone = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    mount = f"mount -t tmpfs -o size=64k tmpfs '{small}'"
    able = shutil.which("unshare") and not subprocess.call([*alone, "sh", "-c", mount], stderr=subprocess.DEVNULL)
    if not able:
        missing("this system does not let us mount a small disk")
    script = f"{mount} && '{sys.executable}' -m bot backup '{small}/copy.db'; echo status $?; ls -A '{small}'"
    env = _environ(FAWEN_DATABASE_URL=_url(file))
    done = subprocess.run([*alone, "sh", "-c", script], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "status 2\n"
    assert "磁盘" in done.stderr
    assert len(done.stderr.splitlines()) == 1


# PostgreSQL


@pytest.fixture
def server(postgres_url: str) -> str:
    """A database of ten citizens, where the client programs are installed, too."""
    if shutil.which("pg_dump") is None or shutil.which("pg_restore") is None:
        missing("pg_dump and pg_restore are not installed")
    _fill(postgres_url, range(10))
    return postgres_url


def test_postgresql_there_and_back(server: str, tmp_path: Path, run: Run) -> None:
    before, copy = _rows(server), tmp_path / "copy.dump"
    result = run(server, "backup", copy)
    assert result.exit_code == 0, result.stderr
    assert "市民 10、咨询 10、消息 10" in result.stdout
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    _fill(server, range(10, 15))
    newer = _rows(server)
    result = run(server, "restore", copy, answer="y\n")
    assert result.exit_code == 0, result.stderr
    assert _rows(server) == before
    (kept,) = tmp_path.glob("*.before-restore-*.dump")
    assert run(server, "restore", kept, "--yes").exit_code == 0
    assert _rows(server) == newer


def test_postgresql_refuses_while_a_bot_runs(server: str, tmp_path: Path, run: Run) -> None:
    copy = tmp_path / "copy.dump"
    with _bot(server) as bot:
        assert run(server, "backup", copy).exit_code == 0
        _one_line(run(server, "restore", copy, "--yes"), "个连接在用这个数据库", "systemctl stop fawen")
        bot.send_signal(signal.SIGTERM)
        assert bot.wait(30) == 0
    assert run(server, "restore", copy, "--yes").exit_code == 0


def test_postgresql_tables_unknown_to_the_backup_stop_the_restore(server: str, tmp_path: Path, run: Run) -> None:
    copy = tmp_path / "copy.dump"
    assert run(server, "backup", copy).exit_code == 0
    engine = sa.create_engine(server)
    with engine.begin() as conn:
        conn.execute(sa.text("CREATE TABLE newer (id int)"))
    engine.dispose()
    _one_line(run(server, "restore", copy, "--yes"), "newer", "createdb")


@pytest.mark.parametrize("content", [b"", b"no backup", b"PGDMP and then nonsense"])
def test_postgresql_bad_backup(server: str, tmp_path: Path, run: Run, content: bytes) -> None:
    copy = tmp_path / "copy.dump"
    copy.write_bytes(content)
    _one_line(run(server, "restore", copy, "--yes"), "现有数据没有改动")
    assert len(_rows(server)["inbox"]) == 10


def test_postgresql_password_is_not_on_the_command_line(
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


def test_postgresql_without_its_programs(
    server: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    _one_line(run(server, "backup", tmp_path / "copy.dump"), "没有 pg_dump", "postgresql-client")


def test_postgresql_out_of_reach(tmp_path: Path, run: Run) -> None:
    url = f"postgresql+psycopg://user:secret@/name?host={tmp_path}"
    result = run(url, "backup", tmp_path / "copy.dump")
    _one_line(result, "数据库连不上")
    assert "secret" not in result.output


def test_an_sqlite_backup_moves_into_an_empty_postgresql(postgres_url: str, file: Path, saved: Path, run: Run) -> None:
    result = run(postgres_url, "restore", saved, "--yes")
    assert result.exit_code == 0, result.stderr
    assert _rows(postgres_url) == _rows(_url(file))
    _one_line(run(postgres_url, "restore", saved, "--yes"), "不是空的")
    assert _rows(postgres_url) == _rows(_url(file))


def test_a_postgresql_backup_does_not_go_into_sqlite(file: Path, tmp_path: Path, run: Run) -> None:
    copy = tmp_path / "copy.dump"
    copy.write_bytes(b"PGDMP...........")
    _one_line(run(_url(file), "restore", copy, "--yes"), "PostgreSQL 的备份")
