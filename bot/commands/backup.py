"""`backup` and `restore`: the records as one verified file, and back again. No records are deleted on the way."""

from __future__ import annotations

import errno
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Protocol

import sqlalchemy as sa
import typer

from bot.commands.backup_files import COUNTED, Counts, TroubleError, must_be_free, part_of
from bot.commands.backup_postgres import PostgresStore
from bot.commands.backup_sqlite import SqliteStore, told
from bot.commands.common import DemoOption, SettingsOption, err, fail, out, settings_or_fail
from bot.conversation.turn import LOCAL
from bot.ids import utc_now
from bot.service import backups

_DATED = re.compile(r"fawen-\d{8}-\d{6}")
_SYSTEM_SAYS = {
    errno.ENOSPC: "磁盘满了",
    errno.EDQUOT: "磁盘配额用完了",
    errno.EACCES: "没有权限",
    errno.EPERM: "没有权限",
    errno.EROFS: "这个磁盘是只读的",
    errno.ENOENT: "没有这个文件或文件夹",
}


class Store(Protocol):
    """What the two kinds of database have in common."""

    suffix: str

    def save(self, part: Path) -> Counts:
        """Write a verified copy to `part`; what is in it."""

    def owns(self, path: Path) -> bool:
        """Whether the path is the database itself."""

    def check(self, source: Path) -> None:
        """TroubleError unless `source` is a sound backup that this version understands."""

    def must_be_idle(self) -> None:
        """TroubleError while anything else uses the database."""

    def load(self, source: Path, stamp: str) -> tuple[Path | None, Counts]:
        """Replace the records; where the old ones were kept, and what is there now."""

    def close(self) -> None:
        """Let go of connections."""


def backup(
    target: Annotated[Path, typer.Argument(help="file to write, or a folder: then the file is named after the time")],
    settings: SettingsOption = None,
    demo: DemoOption = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace TARGET if it exists")] = False,
    keep: Annotated[int, typer.Option("--keep", min=0, help="in a folder: keep the newest so many; 0 keeps all")] = 0,
) -> None:
    """Write a verified copy of all records to TARGET. The bot may go on running."""
    url = settings_or_fail(settings, demo=demo).database_url
    with _one_line("备份没有成功"), _store(url) as store:
        if keep and not target.is_dir():
            raise TroubleError(f"--keep 只能和文件夹一起用，{target} 不是文件夹")
        place = _place(target, store, overwrite=overwrite)
        with part_of(place, overwrite=overwrite) as part:
            counts = store.save(part)
        out.print(f"备份好了：{place}（{_size(place)}，{_shown(counts)}），已核对。", markup=False)
        _remember(url, place)
        if keep:
            _thin(place.parent, store.suffix, keep)


def restore(
    source: Annotated[Path, typer.Argument(help="a file that `backup` wrote")],
    settings: SettingsOption = None,
    demo: DemoOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Put the records of a backup in place of the present ones, which are kept beside. The bot must be stopped."""
    url = settings_or_fail(settings, demo=demo).database_url
    with _one_line("没有恢复，现有数据没有改动"), _store(url) as store:
        if not source.is_file():
            raise TroubleError(f"没有这个备份文件：{source}")
        store.check(source)
        store.must_be_idle()
        if not yes:
            _confirm(source, store)
        kept, counts = store.load(source, _stamp())
    out.print(f"恢复好了：{_shown(counts)}。", markup=False)
    if kept:
        out.print(f"原来的数据留在 {kept}，确认无误以前请不要删。", markup=False)


@contextmanager
def _store(url: str) -> Iterator[Store]:
    parsed = sa.make_url(url)
    store = SqliteStore(parsed) if parsed.get_backend_name() == "sqlite" else PostgresStore(parsed)
    try:
        yield store
    finally:
        store.close()


def _remember(url: str, place: Path) -> None:
    """Where the system page finds it. The backup is good even if this fails, so it is only said."""
    engine = sa.create_engine(url)
    try:
        with engine.begin() as conn:
            backups.remember(conn, backups.Backup(utc_now(), str(place), place.stat().st_size))
    except sa.exc.SQLAlchemyError as error:
        err.print(
            f"备份没有问题，但没能在数据库里记下时间，系统页面上看不到这一次：{error.__cause__ or error}", markup=False
        )
    finally:
        engine.dispose()


def _place(target: Path, store: Store, *, overwrite: bool) -> Path:
    """The file to write; TroubleError where writing it would do harm."""
    place = target / f"fawen-{_stamp()}{store.suffix}" if target.is_dir() else target
    if not place.parent.is_dir():
        raise TroubleError(f"没有文件夹 {place.parent}，请先建好")
    if store.owns(place):
        raise TroubleError(f"{place} 是正在用的数据库，备份请写到别处")
    must_be_free(place, overwrite=overwrite)
    return place


def _thin(folder: Path, suffix: str, keep: int) -> None:
    """Remove the oldest of our own dated files beyond `keep`; files with other names are not ours to remove."""
    dated = sorted(path for path in folder.glob(f"fawen-*{suffix}") if _DATED.fullmatch(path.stem))
    for path in dated[:-keep]:
        path.unlink()
        out.print(f"删去旧备份 {path.name}（留最近 {keep} 份）。", markup=False)


def _confirm(source: Path, store: Store) -> None:
    out.print(f"将用 {source}（{_size(source)}）换掉 {store} 里现在的全部数据。", markup=False)
    try:
        agreed = typer.confirm("确定恢复吗？输入 y 再回车表示确定", default=False)
    except typer.Abort:
        agreed = False
        out.print()
    if not agreed:
        raise TroubleError("您没有确认")


def _stamp() -> str:
    return f"{utc_now().astimezone(LOCAL):%Y%m%d-%H%M%S}"


def _shown(counts: Counts) -> str:
    return "、".join(f"{COUNTED[name]} {count}" for name, count in counts.items())


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1024:.0f} KB" if size < 1024**2 else f"{size / 1024**2:.1f} MB"


@contextmanager
def _one_line(outcome: str) -> Iterator[None]:
    """Every fault as one line that says what it means for the operator."""
    try:
        yield
    except TroubleError as error:
        fail(f"{outcome}：{error}")
    except sqlite3.Error as error:
        fail(f"{outcome}：{told(error)}")
    except sa.exc.SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        fail(f"{outcome}：数据库连不上或出错：{cause}")
    except OSError as error:
        why = _SYSTEM_SAYS.get(error.errno or 0, error.strerror or str(error))
        fail(f"{outcome}：{why}（{error.filename}）" if error.filename else f"{outcome}：{why}")
