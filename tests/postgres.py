"""A real PostgreSQL for the suite: a cluster of its own in a temporary folder, reached through a socket there."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa


@dataclass(frozen=True)
class Server:
    """A running cluster."""

    url: str
    folder: Path
    bin: Path
    prefix: tuple[str, ...]

    def stop(self) -> None:
        """Stop it and remove its files."""
        _run(self.prefix, self.bin / "pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


def start() -> Server | None:
    """Start a cluster; None where PostgreSQL is not installed."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    found = shutil.which("initdb") or next(iter(installed), None)
    if found is None:
        return None
    # PostgreSQL refuses to run as root.
    as_root = os.geteuid() == 0
    prefix = ("runuser", "-u", "postgres", "--") if as_root else ()
    user = "postgres" if as_root else getpass.getuser()
    folder = Path(tempfile.mkdtemp(prefix="fawen-pg-"))
    if as_root:
        shutil.chown(folder, "postgres", "postgres")
    bin_folder = Path(found).resolve().parent
    _run(prefix, bin_folder / "initdb", "-D", folder / "data", "-U", user, "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=200"
    _run(prefix, bin_folder / "pg_ctl", "-D", folder / "data", "-l", folder / "log", "-w", "-o", options, "start")
    return Server(f"postgresql+psycopg://{user}@/postgres?host={folder}", folder, bin_folder, prefix)


def _run(prefix: tuple[str, ...], *command: str | Path) -> None:
    subprocess.run([*prefix, *map(str, command)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextmanager
def database(server: str) -> Iterator[str]:
    """An empty database, dropped afterwards."""
    name = f"t_{uuid.uuid4().hex}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as conn:
            conn.execute(sa.text(f"CREATE DATABASE {name}"))
        yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
        with admin.connect() as conn:
            conn.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        admin.dispose()
