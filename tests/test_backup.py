"""Backup and restore of SQLite, with real files and a real running bot."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from bot.store.database import Database
from tests.backups import ROOT, Run, add, command_line, environ, fill, one_line, rows_of, running_bot, sqlite_url
from tests.support import missing


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run(url, "backup", path)`: the command in this process."""
    return command_line(monkeypatch)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database of ten citizens."""
    path = tmp_path / "data" / "fawen.db"
    fill(sqlite_url(path), range(10))
    return path


@pytest.fixture
def saved(file: Path, tmp_path: Path, run: Run) -> Path:
    """Its backup."""
    path = tmp_path / "saved.db"
    assert run(sqlite_url(file), "backup", path).exit_code == 0
    return path


def test_a_backup_made_while_others_write_is_one_moment(tmp_path: Path, run: Run) -> None:
    path, copy = tmp_path / "fawen.db", tmp_path / "copy.db"
    fill(sqlite_url(path), range(200))
    halfway, enough = threading.Event(), threading.Event()

    def write() -> None:
        db = Database(sqlite_url(path))
        number = 200
        while not enough.is_set():
            asyncio.run(db.write(partial(add, number=number)))
            number += 1
            if number == 220:
                halfway.set()
        db.close()

    writer = threading.Thread(target=write)
    writer.start()
    assert halfway.wait(30)
    result = run(sqlite_url(path), "backup", copy)
    enough.set()
    writer.join()
    assert result.exit_code == 0, result.stderr
    kept, live = rows_of(sqlite_url(copy)), rows_of(sqlite_url(path))
    counts = {len(kept[name]) for name in ("citizens", "consultations", "inbox")}
    assert len(counts) == 1, "a moment between two transactions"
    assert 220 <= counts.pop() <= len(live["inbox"])
    assert kept["inbox"] == live["inbox"][: len(kept["inbox"])]


def test_a_backup_says_what_is_in_it_and_is_private(file: Path, tmp_path: Path, run: Run) -> None:
    copy = tmp_path / "copy.db"
    result = run(sqlite_url(file), "backup", copy)
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
    result = run(sqlite_url(file), "backup", folder, "--keep", 2)
    assert result.exit_code == 0, result.stderr
    names = {path.name for path in folder.iterdir()} - set(others)
    assert len(names) == 2
    assert "fawen-20200103-000000.db" in names
    assert set(others) <= {path.name for path in folder.iterdir()}


def test_a_restore_brings_back_the_same_rows_and_keeps_the_old_ones(file: Path, saved: Path, run: Run) -> None:
    before = rows_of(sqlite_url(file))
    fill(sqlite_url(file), range(10, 15))
    newer = rows_of(sqlite_url(file))
    result = run(sqlite_url(file), "restore", saved, answer="y\n")
    assert result.exit_code == 0, result.stderr
    assert "现在的全部数据" in result.stdout
    assert rows_of(sqlite_url(file)) == before
    (kept,) = file.parent.glob("fawen.db.before-restore-*")
    assert rows_of(sqlite_url(kept)) == newer
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_without_a_yes_nothing_happens(file: Path, saved: Path, run: Run, answer: str) -> None:
    fill(sqlite_url(file), range(10, 12))
    before = rows_of(sqlite_url(file))
    one_line(run(sqlite_url(file), "restore", saved, answer=answer), "您没有确认")
    assert rows_of(sqlite_url(file)) == before
    assert [path.name for path in file.parent.iterdir()] == ["fawen.db"]


def test_a_restore_where_no_database_is_yet(tmp_path: Path, file: Path, saved: Path, run: Run) -> None:
    new = tmp_path / "new.db"
    assert run(sqlite_url(new), "restore", saved, "--yes").exit_code == 0
    assert rows_of(sqlite_url(new)) == rows_of(sqlite_url(file))
    assert stat.S_IMODE(new.stat().st_mode) == 0o600


def test_a_running_bot_is_backed_up_but_never_restored_into(file: Path, saved: Path, tmp_path: Path, run: Run) -> None:
    with running_bot(sqlite_url(file)) as bot:
        assert run(sqlite_url(file), "backup", tmp_path / "while-running.db").exit_code == 0
        one_line(run(sqlite_url(file), "restore", saved, "--yes"), "法问正在使用", "systemctl stop fawen")
        # What follows is only in the write-ahead log when the bot dies without closing anything.
        with closing(sqlite3.connect(file)) as conn:
            conn.execute("UPDATE citizens SET township = 'after the backup'")
            conn.commit()
            bot.send_signal(signal.SIGKILL)
            bot.wait()
    assert run(sqlite_url(file), "restore", saved, "--yes").exit_code == 0
    assert {row[4] for row in rows_of(sqlite_url(file))["citizens"]} == {"城关镇"}


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
    before = rows_of(sqlite_url(saved))
    assert run(sqlite_url(file), "restore", saved, "--yes").exit_code == 0
    assert rows_of(sqlite_url(file)) == before
    (kept,) = file.parent.glob("fawen.db.before-restore-*")
    assert {row[4] for row in rows_of(sqlite_url(kept))["citizens"]} == {"only in the log"}


def test_a_restored_database_serves(file: Path, saved: Path, run: Run) -> None:
    assert run(sqlite_url(file), "restore", saved, "--yes").exit_code == 0
    before = rows_of(sqlite_url(file))
    with running_bot(sqlite_url(file)) as bot:
        bot.send_signal(signal.SIGTERM)
        assert bot.wait(30) == 0
    assert rows_of(sqlite_url(file))["inbox"] == before["inbox"]


def _overwrite(path: Path, at: int, content: bytes) -> None:
    with path.open("rb+") as opened:
        opened.seek(at)
        opened.write(content)


def test_a_ruined_database_steps_aside(file: Path, saved: Path, run: Run) -> None:
    before = rows_of(sqlite_url(file))
    _overwrite(file, 0, b"ruined" * 50)
    ruined = file.read_bytes()
    assert run(sqlite_url(file), "restore", saved, "--yes").exit_code == 0
    assert rows_of(sqlite_url(file)) == before
    (kept,) = file.parent.glob("fawen.db.before-restore-*")
    assert kept.read_bytes() == ruined


def test_a_ruined_schema_is_replaced_too(file: Path, saved: Path, run: Run) -> None:
    before = rows_of(sqlite_url(file))
    _overwrite(file, 100, b"\xff" * 3000)
    assert run(sqlite_url(file), "restore", saved, "--yes").exit_code == 0
    assert rows_of(sqlite_url(file)) == before
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
        one_line(run(sqlite_url(file), "restore", saved, "--yes"), "法问正在使用")
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
    before = rows_of(sqlite_url(file))
    spoil(saved)
    one_line(run(sqlite_url(file), "restore", saved, "--yes"), "现有数据没有改动", word)
    assert rows_of(sqlite_url(file)) == before
    assert [path.name for path in file.parent.iterdir()] == ["fawen.db"]


def test_a_damaged_database_is_not_saved_as_a_backup(file: Path, tmp_path: Path, run: Run) -> None:
    _scribbled(file)
    one_line(run(sqlite_url(file), "backup", tmp_path / "copy.db"), "备份没有成功", "损坏")
    assert not (tmp_path / "copy.db").exists()


def test_the_live_database_is_no_backup_and_no_target(file: Path, run: Run, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    os.link(file, link)
    one_line(run(sqlite_url(file), "restore", file, "--yes"), "就是正在用的数据库")
    one_line(run(sqlite_url(file), "restore", link, "--yes"), "就是正在用的数据库")
    for name in ("fawen.db", "fawen.db-wal"):
        one_line(run(sqlite_url(file), "backup", file.with_name(name), "--overwrite"), "正在用的数据库")


def test_an_existing_file_is_only_replaced_on_request(file: Path, saved: Path, run: Run) -> None:
    fill(sqlite_url(file), range(10, 11))
    one_line(run(sqlite_url(file), "backup", saved), "--overwrite")
    assert len(rows_of(sqlite_url(saved))["inbox"]) == 10
    assert run(sqlite_url(file), "backup", saved, "--overwrite").exit_code == 0
    assert len(rows_of(sqlite_url(saved))["inbox"]) == 11


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (["{tmp}/nowhere/copy.db"], "没有文件夹"),
        (["/proc/copy.db"], "没有"),
        (["{tmp}/copy.db", "--keep", "3"], "--keep"),
    ],
)
def test_a_backup_that_cannot_be_written(file: Path, tmp_path: Path, run: Run, args: list[str], word: str) -> None:
    one_line(run(sqlite_url(file), "backup", *[arg.format(tmp=tmp_path) for arg in args]), "备份没有成功", word)


def test_no_database_is_made_by_a_backup(tmp_path: Path, run: Run) -> None:
    one_line(run(sqlite_url(tmp_path / "typo.db"), "backup", tmp_path / "copy.db"), "没有数据库文件")
    one_line(run("sqlite:///:memory:", "backup", tmp_path / "copy.db"), "没有数据库文件")
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
    env = environ(FAWEN_DATABASE_URL=sqlite_url(file))
    done = subprocess.run([*alone, "sh", "-c", script], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "status 2\n"
    assert "磁盘" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_running_bot_learns_of_a_backup(file: Path, saved: Path) -> None:
    with closing(sqlite3.connect(file)) as conn:
        (value,) = conn.execute("SELECT value FROM meta WHERE name = 'backup'").fetchone()
    made = json.loads(value)
    assert made["place"] == str(saved)
    assert made["size"] == saved.stat().st_size
    assert made["at"] > 1_700_000_000_000


def test_a_backup_that_cannot_be_noted_is_good_all_the_same(file: Path, tmp_path: Path, run: Run) -> None:
    with closing(sqlite3.connect(file)) as conn:
        conn.execute("CREATE TRIGGER locked BEFORE INSERT ON meta BEGIN SELECT RAISE(ABORT, 'no notes'); END")
        conn.commit()
    result = run(sqlite_url(file), "backup", tmp_path / "copy.db")
    assert result.exit_code == 0
    assert "没能在数据库里记下时间" in result.stderr
    assert "no notes" in result.stderr
    assert len(rows_of(sqlite_url(tmp_path / "copy.db"))["inbox"]) == 10
