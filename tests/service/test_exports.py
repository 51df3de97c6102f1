"""Export jobs: claimed once, written piece by piece, failed when nobody writes, gone after a day."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import openpyxl
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.console.records import writing
from bot.console.records.writing import COLUMNS, write_export
from bot.service import staff
from bot.service.records import exports
from bot.service.records.exports import Format
from bot.service.staff import Member
from bot.store.database import Database
from bot.store.tables import audit
from tests.console.office import hire
from tests.platform import Clock
from tests.service.records import consultation
from tests.support import Numbers

T = TypeVar("T")


@pytest.fixture
def member(db: Database, clock: Clock) -> Member:
    hire(db.engine, "clerk", clock, role="supervisor")
    with db.engine.connect() as conn:
        found = staff.member(conn, "staff-clerk")
    assert found is not None
    return found


@pytest.fixture
def stepped() -> list[int]:
    """One for each time the writing stepped back behind others."""
    return []


@pytest.fixture
def export(db: Database, clock: Clock, new_id: Numbers, member: Member, stepped: list[int]) -> Callable[..., bytes]:
    """Ask for an export and write it, as the process of its own does; returns the file."""

    def run(query: str = "", format_: Format = "csv", reason: str = "") -> bytes:
        with db.engine.begin() as conn:
            number = exports.ask(conn, new_id, member, query, format_, clock(), reason=reason)
        with db.engine.begin() as conn:
            job = exports.claim(conn, number, clock())
            assert job is not None
            assert exports.claim(conn, number, clock()) is None

        def write(fn: Callable[[Connection], T]) -> T:
            return asyncio.run(db.write(fn))

        with db.engine.connect() as conn:
            write_export(conn, write, job, clock, lambda: stepped.append(1), demo=False)
        with db.engine.begin() as conn:
            found = exports.fetch(conn, new_id, member, number, clock())
        assert found is not None
        assert (found[0].state, found[0].size) == ("ready", len(found[1]))
        return found[1]

    return run


def table(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_everything_that_fits_is_in_it_once_and_nothing_else(
    db: Database, clock: Clock, export: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "PIECE", 3)
    with db.engine.begin() as conn:
        for number in range(11):
            kind = "petition" if number == 4 else "legal"
            consultation(conn, number, clock() - timedelta(hours=number // 2), kind=kind)
        consultation(conn, 99, clock() + timedelta(hours=1))  # begins while it is written
    rows = table(export("kind=legal"))
    assert rows[0] == [name for name, _ in COLUMNS]
    assert sorted(row[0] for row in rows[1:]) == sorted(f"c-{number:06d}" for number in range(11) if number != 4)
    assert len(table(export("words=没人说过"))) == 1


def test_it_is_masked_and_without_formulas_unless_there_is_a_reason(
    db: Database, clock: Clock, export: Callable[..., bytes]
) -> None:
    evil = "=HYPERLINK(1)\n我叫王小二，电话13812345678"
    with db.engine.begin() as conn:
        consultation(conn, 1, clock(), evil, summary="@回电13812345678", township="河口乡", grade=2, urgent=True)
    row = dict(zip(*table(export()), strict=True))
    assert row["说的话"] == "'=HYPERLINK(1) ／ 我叫王**，电话138********"
    assert row["律师小结"] == "'@回电138********"
    assert (row["类型"], row["事项"], row["乡镇"], row["评价"], row["急件"]) == (
        "法律",
        "拖欠工资",
        "河口乡",
        "不满意",
        "急",
    )
    assert row["时间"] == "2026-11-23 09:00"
    plain = dict(zip(*table(export(reason="核对办理情况")), strict=True))
    assert plain["说的话"] == "'=HYPERLINK(1) ／ 我叫王小二，电话13812345678"
    with db.engine.connect() as conn:
        found = conn.execute(sa.select(audit.c.action, audit.c.detail).order_by(audit.c.id)).fetchall()
    assert [tuple(one) for one in found] == [
        ("record.export", "csv "), ("record.export_fetched", ""),
        ("record.export_unmasked", "csv  核对办理情况"), ("record.export_fetched", ""),
    ]  # fmt: skip


def test_only_for_a_large_one_it_steps_back_behind_everybody(
    db: Database, clock: Clock, export: Callable[..., bytes], stepped: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LARGE", 2)
    with db.engine.begin() as conn:
        for number in range(3):
            consultation(conn, number, clock() - timedelta(hours=number), kind="legal" if number else "petition")
    export("kind=legal")
    assert stepped == []
    export()
    assert stepped == [1]


def test_excel_holds_the_same_as_csv(db: Database, clock: Clock, export: Callable[..., bytes]) -> None:
    with db.engine.begin() as conn:
        for number in range(5):
            consultation(conn, number, clock() - timedelta(hours=number), minutes=number)
    sheet = openpyxl.load_workbook(io.BytesIO(export(format_="xlsx"))).active
    assert sheet is not None
    found = [["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
    assert found == table(export())


def test_what_nobody_writes_any_more_is_failed_and_can_be_tried_again(
    db: Database, clock: Clock, new_id: Numbers, member: Member
) -> None:
    with db.engine.begin() as conn:
        number = exports.ask(conn, new_id, member, "", "csv", clock())
        assert exports.next_waiting(conn) == number
        assert exports.claim(conn, number, clock()) is not None
        assert exports.next_waiting(conn) == ""
        clock.advance(seconds=400)
        exports.progress(conn, number, 5, 10, clock())
        clock.advance(seconds=599)
        exports.sweep(conn, clock())
        running = exports.get(conn, number)
        assert running is not None
        assert (running.state, running.done, running.total) == ("running", 5, 10)
        assert not exports.retry(conn, new_id, member, number, clock())
        clock.advance(seconds=1)
        exports.sweep(conn, clock())
        failed = exports.get(conn, number)
        assert failed is not None
        assert (failed.state, failed.error) == ("failed", exports.CRASHED)
        exports.finish(conn, number, b"late", 1, clock())  # whoever wrote it was only slow
        assert exports.fetch(conn, new_id, member, number, clock()) is None
        assert exports.retry(conn, new_id, member, number, clock())
        assert exports.next_waiting(conn) == number


def test_a_file_is_kept_for_a_day(db: Database, clock: Clock, new_id: Numbers, member: Member) -> None:
    with db.engine.begin() as conn:
        number = exports.ask(conn, new_id, member, "", "csv", clock())
        exports.claim(conn, number, clock())
        exports.finish(conn, number, b"content", 1, clock())
        clock.advance(seconds=86_399)
        exports.sweep(conn, clock())
        assert exports.fetch(conn, new_id, member, number, clock()) is not None
        clock.advance(seconds=1)
        exports.sweep(conn, clock())
        assert exports.fetch(conn, new_id, member, number, clock()) is None
        assert exports.retry(conn, new_id, member, number, clock())


def test_nobody_fills_the_line_and_nobody_takes_what_is_not_theirs(
    db: Database, clock: Clock, new_id: Numbers, member: Member
) -> None:
    hire(db.engine, "other", clock, role="admin")
    with db.engine.begin() as conn:
        other = staff.member(conn, "staff-other")
        assert other is not None
        asked = [exports.ask(conn, new_id, member, "", "csv", clock()) for _ in range(exports.MOST_WAITING + 1)]
        assert asked[-1] == ""
        assert exports.ask(conn, new_id, other, "", "csv", clock()) != ""
        exports.claim(conn, asked[0], clock())
        exports.finish(conn, asked[0], b"x", 1, clock())
        assert exports.fetch(conn, new_id, other, asked[0], clock()) is None
        exports.fail(conn, asked[1], "no", clock())
        assert not exports.retry(conn, new_id, other, asked[1], clock())
        assert len(exports.of(conn, member)) == exports.MOST_WAITING
