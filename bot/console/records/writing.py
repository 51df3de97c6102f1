"""Writing an export: the rows as people read them, piece by piece, beside whatever else the machine does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol, TypeVar
from urllib.parse import parse_qsl

from msgspec.structs import replace
from sqlalchemy.engine import Connection

from bot.console.records import names
from bot.conversation.turn import LOCAL
from bot.ids import Clock
from bot.masking import mask
from bot.service.records import exports, filters, listing
from bot.service.records.exports import Export
from bot.service.records.filters import Filter
from bot.service.records.listing import Line
from bot.service.staff import logins
from bot.sheets import Cell, Sheet, csv_file, xlsx_file
from bot.store.times import to_ms

T = TypeVar("T")
# Rows read at once: few enough to keep in memory and to let others at the database between.
PIECE = 1000
TELL_EVERY = timedelta(seconds=2)
# Rows after which it is a large one, for which nobody is to wait.
LARGE = 2000
COLUMNS: tuple[tuple[str, int], ...] = (
    ("编号", 14), ("时间", 17), ("类型", 8), ("事项", 12), ("乡镇", 12), ("渠道", 8), ("群众", 10), ("说的话", 60), ("结果", 10),
    ("答复条目", 24), ("办理人", 10), ("转人工", 8), ("服务结果", 12), ("评价", 12), ("急件", 8), ("消息数", 8), ("用时（分钟）", 12),
    ("律师小结", 40),
)  # fmt: skip


class Write(Protocol):
    """One transaction."""

    def __call__(self, fn: Callable[[Connection], T], /) -> T:
        """Run `fn(conn)` and return its result once that is committed."""


def write_export(
    conn: Connection, write: Write, job: Export, clock: Clock, step_back: Callable[[], None], *, demo: bool
) -> int:
    """Write a claimed job's file into the store; returns the rows. Whatever goes wrong is the caller's to record.

    `step_back` is called once when it turns out to be a large one.
    """
    wanted, _ = filters.read(parse_qsl(job.query))
    people, total = logins(conn), listing.count(conn, wanted)
    if total > LARGE:
        step_back()

    def tell(done: int) -> datetime:
        now = clock()
        write(lambda conn: exports.progress(conn, job.id, done, max(total, done), now))
        return now

    with TemporaryDirectory(prefix="fawen-export-") as folder:
        file, done, told = Path(folder) / f"export.{job.format}", 0, tell(0)
        widths = [width for _, width in COLUMNS]
        with csv_file(file) if job.format == "csv" else xlsx_file(file, _title(demo=demo), widths) as sheet:
            sheet.write([name for name, _ in COLUMNS])
            for lines in _pieces(conn, wanted, clock):
                done += _append(sheet, lines, people, masked=job.masked)
                if clock() - told >= TELL_EVERY:
                    told = tell(done)
        content = file.read_bytes()
    write(lambda conn: exports.finish(conn, job.id, content, done, clock()))
    return done


def row(line: Line, people: Mapping[str, str], *, masked: bool) -> list[Cell]:
    """A consultation as a row, in the order of COLUMNS."""

    def called(field: str, value: str) -> str:
        return names.name(field, value, people)

    words, summary = (mask(line.words), mask(line.summary)) if masked else (line.words, line.summary)
    return [
        line.id,
        f"{line.opened_at.astimezone(LOCAL):%Y-%m-%d %H:%M}",
        called("kind", line.kind),
        called("category", line.category),
        line.township,
        called("channel", line.channel),
        names.code(line.citizen),
        words,
        called("outcome", line.outcome),
        line.entry,
        called("handled_by", line.handled_by),
        "是" if line.handed else "",
        called("service", line.service) if line.service else "",
        called("grade", str(line.grade)) if line.grade else "",
        "急" if line.urgent else "",
        line.messages,
        line.minutes,
        summary,
    ]


def _append(sheet: Sheet, lines: list[Line], people: Mapping[str, str], *, masked: bool) -> int:
    for line in lines:
        sheet.write(row(line, people, masked=masked))
    return len(lines)


def _pieces(conn: Connection, wanted: Filter, clock: Clock) -> Iterator[list[Line]]:
    """From the newest on; what begins meanwhile is not in it."""
    place = (to_ms(clock()) + 1, "")
    while lines := listing.page(conn, wanted, PIECE, place, whole=True):
        # No transaction stays open between two pieces.
        conn.rollback()
        yield [replace(line, words=line.words.replace("\n", " ／ ")) for line in lines]
        place = lines[-1].place


def _title(*, demo: bool) -> str:
    return "咨询记录（演示数据）" if demo else "咨询记录"
