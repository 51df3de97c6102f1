"""Backup and restore of an SQLite database: online, verified, and never into a file that somebody uses."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa

from bot.commands.backup_files import (
    COUNTED,
    STOP_FIRST,
    Counts,
    TroubleError,
    check_version,
    kept_name,
    kind_of,
    part_of,
)

# Where SQLite puts its file locks, the same in every version (its file format, section "Locking").
_LOCK_FROM, _LOCK_BYTES = 0x4000_0000, 512
_BROKEN = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}
_SAYS = {
    sqlite3.SQLITE_FULL: "磁盘满了",
    sqlite3.SQLITE_IOERR: "读写出错，磁盘可能满了或有故障",
    sqlite3.SQLITE_READONLY: "没有写的权限",
    sqlite3.SQLITE_CANTOPEN: "文件打不开，请看路径和权限",
    sqlite3.SQLITE_NOTADB: "不是数据库文件，或者已经损坏",
    sqlite3.SQLITE_CORRUPT: "数据库文件已经损坏",
    sqlite3.SQLITE_BUSY: "数据库正被占用",
}


class SqliteStore:
    """One file."""

    suffix = ".db"

    def __init__(self, url: sa.URL) -> None:
        if not url.database or url.database == ":memory:":
            raise TroubleError("database_url 里没有数据库文件")
        self.path = Path(url.database).resolve()

    def __str__(self) -> str:
        return str(self.path)

    def save(self, part: Path) -> Counts:
        """Copy one moment's state while others write."""
        if not self.path.is_file():
            raise TroubleError(f"没有数据库文件 {self.path}：法问还没有启动过，或者 database_url 写错了")
        return _copy(self.path, part, mode="rw")

    def owns(self, path: Path) -> bool:
        """Whether this is the file itself, or one of its companions -wal, -shm, -journal."""
        path = path.resolve()
        tail = path.name.removeprefix(self.path.name)
        return path.parent == self.path.parent and tail in {"", "-wal", "-shm", "-journal"}

    def check(self, source: Path) -> None:
        """A sound SQLite file with a schema version we know."""
        if self.owns(source) or (self.path.exists() and source.samefile(self.path)):
            raise TroubleError(f"{source} 就是正在用的数据库，不是备份")
        if kind_of(source) == "postgresql":
            raise TroubleError(f"{source} 是 PostgreSQL 的备份，而设置里的数据库是 SQLite")
        check_file(source)

    def must_be_idle(self) -> None:
        """A running bot holds a shared lock on the file as long as it has it open, even when it does nothing."""
        if self.path.exists() and _held(self.path):
            raise TroubleError(f"法问正在使用 {self.path}。{STOP_FIRST}")

    def load(self, source: Path, stamp: str) -> tuple[Path | None, Counts]:
        """Through SQLite itself where it can still read the old file: killed half-way, the old content comes back."""
        if not self.path.exists():
            return None, self._put(source)
        kept = kept_name(self.path.parent, self.path.name, stamp)
        try:
            return kept, self._replace(source, kept)
        except sqlite3.DatabaseError as error:
            if _code(error) not in _BROKEN:
                raise
        self.must_be_idle()
        return kept, self._put(source, aside=kept)

    def close(self) -> None:
        """Nothing stays open between the steps."""

    def _replace(self, source: Path, kept: Path) -> Counts:
        """In place: the file keeps its name, so a bot that starts meanwhile cannot open the one that goes."""
        with self._alone() as conn, closing(open_existing(source, "ro")) as good:
            with part_of(kept) as part, closing(_connect(part)) as copy:
                conn.backup(copy)
            good.backup(conn)
            return _counts(conn)

    @contextmanager
    def _alone(self) -> Iterator[sqlite3.Connection]:
        """The database with nobody else in it, and nobody let in until we are done."""
        with closing(_connect(self.path)) as conn:
            try:
                conn.execute("PRAGMA locking_mode = EXCLUSIVE")
                # Leaving WAL mode is refused while any other connection exists.
                conn.execute("PRAGMA journal_mode = DELETE")
                conn.execute("BEGIN EXCLUSIVE")
                conn.execute("COMMIT")
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY:
                    raise
                raise TroubleError(f"法问正在使用 {self.path}。{STOP_FIRST}") from error
            yield conn

    def _put(self, source: Path, aside: Path | None = None) -> Counts:
        """A new file, complete before it has its name; a broken old one steps aside with its companions."""
        with part_of(self.path, overwrite=True) as part:
            counts = _copy(source, part, mode="ro")
            _give_to_owner_of(self.path.parent, part)
            for tail in ("-wal", "-shm", "-journal", "") if aside else ():
                companion = Path(f"{self.path}{tail}")
                if companion.exists():
                    companion.rename(f"{aside}{tail}")
        return counts


def check_file(source: Path) -> None:
    """TroubleError unless it is a sound SQLite backup of ours."""
    if kind_of(source) != "sqlite":
        raise TroubleError(f"{source} 不是法问的备份，或者已经损坏")
    try:
        with closing(open_existing(source, "ro")) as conn:
            said = _integrity(conn)
            found = conn.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        if "no such table" in str(error):
            raise TroubleError(f"{source} 是别的程序的数据库，不是法问的备份") from error
        raise TroubleError(f"{source}：{told(error)}") from error
    if said != "ok":
        raise TroubleError(f"{source} 已经损坏（{said}），请换一份备份")
    check_version(source, found[0] if found else "")


def open_existing(path: Path, mode: str) -> sqlite3.Connection:
    """An existing file: a mistyped path must not become an empty database."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None)


def told(error: sqlite3.Error) -> str:
    """SQLite's complaint in the operator's language."""
    return _SAYS.get(_code(error), str(error))


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=0, isolation_level=None)


def _copy(source: Path, part: Path, mode: str) -> Counts:
    with closing(open_existing(source, mode)) as old, closing(_connect(part)) as new:
        # All pages in one step are one read transaction: writers neither wait nor show up half.
        old.backup(new)
        # One plain file: no -wal beside it, readable from a read-only disk.
        new.execute("PRAGMA journal_mode = DELETE")
        if (said := _integrity(new)) != "ok":
            raise TroubleError(f"{source} 已经损坏（{said}）；请原样留底，用最近一份好的备份恢复")
        return _counts(new)


def _give_to_owner_of(folder: Path, part: Path) -> None:
    """Restored by root, the file must still belong to the user the bot runs as."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(part, owner.st_uid, owner.st_gid)


def _held(path: Path) -> bool:
    """Whether any process has the file open through SQLite; works on a damaged file, too."""
    with path.open("rb+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _LOCK_BYTES, _LOCK_FROM)
        except (BlockingIOError, PermissionError):
            return True
        return False


def _integrity(conn: sqlite3.Connection) -> str:
    return str(conn.execute("PRAGMA integrity_check(1)").fetchone()[0]).replace("\n", " ")


def _counts(conn: sqlite3.Connection) -> Counts:
    return {name: conn.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in COUNTED}  # noqa: S608


def _code(error: sqlite3.Error) -> int:
    """The primary result code; 0 where Python made the error itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
