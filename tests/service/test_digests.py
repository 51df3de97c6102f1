"""Digests in the store: which days, which departments, whose turn; links that end. On both engines."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from itertools import pairwise

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from bot.conversation.turn import LOCAL
from bot.service import digests
from bot.service.digests import DUE, Question, windows
from bot.service.figures.period import Period
from bot.service.reports.digest import workbook
from bot.store.database import ConflictError, Database
from bot.store.tables import citizens, consultation_words, consultations
from bot.store.times import to_ms
from knowledge.departments import departments
from knowledge.load import KnowledgeBase
from tests.support import Numbers

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
WINDOW = Period(date(2026, 11, 20), date(2026, 11, 21))


@given(st.dates(date(2001, 1, 1), date(2098, 1, 1)), st.times())
def test_windows_follow_each_other_and_are_due_the_morning_after(day: date, hour: time) -> None:
    now = datetime.combine(day, hour, tzinfo=LOCAL)
    found = windows(now)
    assert all(later.first - sooner.last == timedelta(days=1) for sooner, later in pairwise(found))
    latest = found[-1]
    due = datetime.combine(latest.last + timedelta(days=1), DUE, tzinfo=LOCAL)
    assert due <= now < due + timedelta(days=2)
    assert (latest.last - latest.first).days == 1


def test_an_item_belongs_to_whoever_decides_it(base: KnowledgeBase) -> None:
    items = digests.by_department(base.entries.values())
    assert set(items) <= set(base.places)
    assert {entry.id for found in items.values() for entry in found.values()} == {
        entry.id for entry in base.entries.values() if entry.approval
    }
    hotel = base.entries["approval.packages.hotel"]
    assert {"market_regulation", "police", "health", "emergency"} <= set(departments(hotel))
    assert departments(base.entries["petition.basics.channels"]) == ()


def test_the_file_holds_words_as_words() -> None:
    evil = '=HYPERLINK("http://evil","x")'
    one = Question(date(2026, 11, 20), "e", f"{evil}\n@SUM(1)", "已解答", "+1", "-2")
    book = load_workbook(BytesIO(workbook("市场监管局", WINDOW, [(evil, one), ("甲", one)], demo=True)))
    for sheet in book:
        for row in sheet.iter_rows(min_row=3):
            for cell in row:
                formula = cell.data_type == "f"
                assert not formula or str(cell.value).startswith("=SUM(B3:B"), cell.coordinate
    assert "演示数据" in str(book["群众咨询"]["A1"].value)
    assert book["群众咨询"]["B3"].value == evil


async def put(db: Database, entry: str, words: str, moment: datetime, kind: str = "approval") -> None:
    new_id = f"c-{entry[:8]}-{to_ms(moment)}"
    person = {"id": new_id, "channel": "web", "address": new_id, "subscribed": False, "township": "", "state": "{}",
              "allowance": 0, "window_until": 0, "created_at": 0, "seen_at": 0}  # fmt: skip
    row = {"id": new_id, "citizen_id": new_id, "channel": "web", "kind": kind, "category": "x", "entry_id": entry,
           "entry_version": "", "verdict": "answer", "confidence": 1.0, "outcome": "answered", "first_outcome": "answered",
           "handed": False, "grade": 0, "handled_by": "bot", "service": "", "summary": "", "minutes": 0, "township": "",
           "urgent": False, "messages": 1, "opened_at": to_ms(moment), "last_at": to_ms(moment), "closed_at": None}  # fmt: skip
    await db.write(lambda conn: conn.execute(sa.insert(citizens).values(**person)))
    await db.write(lambda conn: conn.execute(sa.insert(consultations).values(**row)))
    await db.write(lambda conn: conn.execute(sa.insert(consultation_words).values(consultation_id=new_id, words=words)))


async def test_only_approvals_of_the_window_are_told_and_nobody_is_named(db: Database) -> None:
    entry = "approval.packages.hotel"
    inside = datetime(2026, 11, 19, 16, 0, tzinfo=UTC)  # midnight in the county
    await put(db, entry, "我叫张三，电话13812345678，开酒店要啥", inside)
    await put(db, entry, "too early", inside - timedelta(milliseconds=1))
    await put(db, entry, "too late", inside + timedelta(days=2))
    await put(db, "legal.labour.x", "not theirs", inside, kind="legal")
    found = await db.read(lambda conn: digests.asked(conn, WINDOW))
    assert [(one.day, one.entry) for one in found] == [(date(2026, 11, 20), entry)]
    assert "13812345678" not in found[0].words
    assert "开酒店要啥" in found[0].words


async def keep(db: Database, new_id: Numbers, *, to_send: bool = True, now: datetime = NOW) -> None:
    await db.write(
        lambda conn: digests.add(
            conn,
            new_id=new_id,
            department="police",
            period=WINDOW,
            content=b"PK",
            questions=3,
            now=now,
            to_send=to_send,
        )
    )


async def test_each_digest_is_made_once(db: Database, new_id: Numbers) -> None:
    async def owed() -> dict[Period, list[str]]:
        return await db.read(lambda conn: digests.missing(conn, ["police", "tax"], [WINDOW]))

    assert await owed() == {WINDOW: ["police", "tax"]}
    await keep(db, new_id)
    assert await owed() == {WINDOW: ["tax"]}
    with pytest.raises(ConflictError):
        await keep(db, new_id)


async def test_a_claimed_digest_is_nobody_elses_until_its_lease_ends(db: Database, new_id: Numbers) -> None:
    await keep(db, new_id)

    async def claim(token: str, now: datetime) -> bool:
        return await db.write(lambda conn: digests.begin(conn, token, timedelta(minutes=5), now)) is not None

    assert await claim("one", NOW)
    assert not await claim("two", NOW + timedelta(minutes=4))
    assert await claim("three", NOW + timedelta(minutes=5))
    # The link of a letter that was never settled is dead, the new one works.
    assert await db.read(lambda conn: digests.by_token(conn, "one", NOW)) is None
    found = await db.read(lambda conn: digests.by_token(conn, "three", NOW))
    assert found is not None
    assert (found[0].period, found[0].questions, found[1]) == (WINDOW, 3, b"PK")


async def test_a_link_ends_after_thirty_days_and_its_file_goes(db: Database, new_id: Numbers) -> None:
    await keep(db, new_id, to_send=False)
    kept = (await db.read(lambda conn: digests.recent(conn, 5)))[0]
    assert kept.state == "kept"
    assert await db.write(lambda conn: digests.new_link(conn, kept.id, "t"))
    soon, late = NOW + timedelta(days=30, milliseconds=-1), NOW + timedelta(days=30)
    assert await db.read(lambda conn: digests.by_token(conn, "t", soon)) is not None
    assert await db.read(lambda conn: digests.by_token(conn, "t", late)) is None
    assert await db.write(lambda conn: digests.forget(conn, soon)) == 0
    assert await db.write(lambda conn: digests.forget(conn, late)) == 1
