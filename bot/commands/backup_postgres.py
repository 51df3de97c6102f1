"""Backup and restore of a PostgreSQL database through its own programs, and the move from SQLite into it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
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
from bot.commands.backup_sqlite import check_file, open_existing
from bot.store import tables
from bot.store.migrate import HEAD, migrate

# A session that has just ended is still listed for a moment.
_PATIENCE = 10
_BATCH = 1000
_OTHERS = sa.text(
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL"
)


class PostgresStore:
    """A server."""

    suffix = ".dump"

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        # One session for everything: a second one of ours would look like somebody else's.
        self.engine = sa.create_engine(url, pool_size=1, max_overflow=0)

    def __str__(self) -> str:
        return f"PostgreSQL 数据库 {self.url.database}"

    def save(self, part: Path) -> Counts:
        """`pg_dump`, in the same snapshot as the counts."""
        with self.engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
            snapshot = conn.execute(sa.text("SELECT pg_export_snapshot()")).scalar_one()
            if not sa.inspect(conn).has_table("alembic_version"):
                raise TroubleError(f"{self} 里没有法问的数据：法问还没有启动过，或者 database_url 写错了")
            counts = _counts(conn)
            self._run("pg_dump", "-Fc", f"--snapshot={snapshot}", f"--file={part}")
        self._version_in(part)
        return counts

    def owns(self, path: Path) -> bool:  # noqa: ARG002 - a server is no file
        """Never."""
        return False

    def check(self, source: Path) -> None:
        """A dump of ours, or a backup from the days of SQLite that moves in."""
        if kind_of(source) == "sqlite":
            check_file(source)
            return
        if kind_of(source) != "postgresql":
            raise TroubleError(f"{source} 不是法问的备份，或者已经损坏")
        check_version(source, self._version_in(source))
        if extra := self._tables() - self._tables_in(source):
            # --clean drops only what the dump knows; a newer table would stay and block the next upgrade.
            raise TroubleError(
                f"数据库里有备份里没有的表（{'、'.join(sorted(extra))}）："
                "请新建一个空的数据库（createdb），把 database_url 改成它，再恢复"
            )

    def must_be_idle(self) -> None:
        """No other session in this database."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            for _ in range(_PATIENCE):
                if not (others := conn.execute(_OTHERS).scalar_one()):
                    return
                conn.execute(sa.text("SELECT pg_sleep(0.2)"))
        raise TroubleError(f"还有 {others} 个连接在用这个数据库。{STOP_FIRST}")

    def load(self, source: Path, stamp: str) -> tuple[Path | None, Counts]:
        """`pg_restore` in one transaction, after a dump of what is there now."""
        if kind_of(source) == "sqlite":
            return None, self._move_in(source)
        kept = None
        if self._tables():
            kept = kept_name(source.parent, str(self.url.database), stamp, self.suffix)
            with part_of(kept) as part:
                self.save(part)
        whole = ("--clean", "--if-exists", "--single-transaction", "--no-owner", "--no-privileges")
        self._run("pg_restore", *whole, str(source))
        with self.engine.connect() as conn:
            return kept, _counts(conn)

    def close(self) -> None:
        """End the session."""
        self.engine.dispose()

    def _move_in(self, source: Path) -> Counts:
        """Copy every row of an SQLite backup into the empty tables, all or nothing."""
        lite = sa.create_engine("sqlite://", creator=lambda: open_existing(source, "ro"), poolclass=sa.pool.NullPool)
        with lite.connect() as old:
            if old.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() != HEAD:
                raise TroubleError(f"{source} 是旧版本的数据：先用新版本启动一次 SQLite 数据库，再备份，再搬")
            migrate(self.engine)
            with self.engine.begin() as new:
                for table in tables.metadata.sorted_tables:
                    _move(table, old, new)
                return _counts(new)

    def _tables(self) -> set[str]:
        with self.engine.connect() as conn:
            return set(sa.inspect(conn).get_table_names())

    def _tables_in(self, dump: Path) -> set[str]:
        listing = self._run("pg_restore", "--list", str(dump), connect=False)
        return set(re.findall(r"^\d+; \d+ \d+ TABLE \S+ (\S+) ", listing, re.MULTILINE))

    def _version_in(self, dump: Path) -> str:
        text = self._run("pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(dump), connect=False)
        found = re.search(r"^COPY \S*alembic_version .*\n(\w+)$", text, re.MULTILINE)
        if found is None:
            raise TroubleError(f"{dump} 不是法问的备份")
        return found[1]

    def _run(self, program: str, *args: str, connect: bool = True) -> str:
        """Run a client program; the password goes through its environment, where `ps` does not show it."""
        found = shutil.which(program)
        if found is None:
            raise TroubleError(f"这台机器上没有 {program}，请先安装：sudo apt-get install postgresql-client")
        where = ["--no-password", f"--dbname={_without_password(self.url)}"] if connect else []
        password = self.url.password or self.url.query.get("password")
        env = os.environ | ({"PGPASSWORD": str(password)} if password else {})
        done = subprocess.run([found, *where, *args], env=env, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
            raise TroubleError(next((line for line in lines if "error:" in line), lines[0]))
        return done.stdout


def _without_password(url: sa.URL) -> str:
    query = {name: value for name, value in url.query.items() if name != "password"}
    return sa.URL.create("postgresql", url.username, None, url.host, url.port, url.database, query).render_as_string()


def _move(table: sa.Table, old: sa.Connection, new: sa.Connection) -> None:
    if new.execute(sa.select(table).limit(1)).first() is not None:
        raise TroubleError(f"PostgreSQL 里的表 {table.name} 不是空的：只能搬进空的数据库")
    for rows in old.execute(sa.select(table)).mappings().partitions(_BATCH):
        new.execute(sa.insert(table), [dict(row) for row in rows])


def _counts(conn: sa.Connection) -> Counts:
    counted = {name: sa.select(sa.func.count()).select_from(tables.metadata.tables[name]) for name in COUNTED}
    return {name: conn.execute(statement).scalar_one() for name, statement in counted.items()}
