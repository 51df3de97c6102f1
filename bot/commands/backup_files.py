"""What backups of both kinds of database share: files that are whole or absent, and whether a backup is ours."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

Counts = dict[str, int]
COUNTED = {"citizens": "市民", "consultations": "咨询", "inbox": "消息"}
STOP_FIRST = "请先停下法问（sudo systemctl stop fawen），再恢复"
_MIGRATIONS = Path(__file__).parents[1] / "store" / "migrations"


class TroubleError(Exception):
    """What went wrong, as one line for the operator."""


@contextmanager
def part_of(place: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A file nobody else may read, which gets its name only when it is complete and on the disk."""
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield part
        _flush(part)
        must_be_free(place, overwrite=overwrite)
        part.replace(place)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _flush(place.parent)


def must_be_free(place: Path, *, overwrite: bool) -> None:
    """TroubleError where a file would be replaced that nobody said to replace."""
    if place.exists() and not overwrite:
        raise TroubleError(f"{place} 已经有了；换个名字，或者加 --overwrite 换掉它")


def kept_name(folder: Path, name: str, stamp: str, suffix: str = "") -> Path:
    """Where the records before a restore go: a name that nothing has yet."""
    first = folder / f"{name}.before-restore-{stamp}{suffix}"
    others = (folder / f"{name}.before-restore-{stamp}-{number}{suffix}" for number in itertools.count(2))
    return next(place for place in itertools.chain([first], others) if not place.exists())


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def kind_of(path: Path) -> Literal["sqlite", "postgresql", "unknown"]:
    """What kind of backup a file claims to be."""
    with path.open("rb") as file:
        start = file.read(16)
    if start == b"SQLite format 3\0":
        return "sqlite"
    return "postgresql" if start.startswith(b"PGDMP") else "unknown"


def check_version(source: Path, version: str) -> None:
    """TroubleError for a schema this version has no migration from: it was made by a newer one."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - a quarter of a second, only needed here

    if version not in {script.revision for script in ScriptDirectory(str(_MIGRATIONS)).walk_revisions()}:
        raise TroubleError(f"{source} 的数据版本是 {version or '空'}，本版法问不认识：请先更新法问，再恢复")
