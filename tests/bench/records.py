"""A county's records by the hundred thousand, put straight into the store: for measuring the log and its export."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa

from bot.ids import uuid7
from bot.service import inbox as boxes
from bot.store.tables import citizens, consultation_words, consultations, inbox
from bot.store.times import to_ms
from knowledge.entry import Entry
from knowledge.load import KnowledgeBase
from knowledge.reply import Reply
from tests.bench.traffic import ENDINGS, OPENINGS

T = TypeVar("T")
SPAN = timedelta(days=3 * 365)
TOWNSHIPS = ("", *(f"{name}镇" for name in "东西南北中上下前后"), "河口乡", "山阳乡", "石门乡")
LAWYERS = tuple(f"lawyer-{number}" for number in range(8))
CHUNK = 5000
OUTCOMES = ("answered",) * 13 + ("offered",) * 3 + ("unanswered",) * 2 + ("referred",) * 2
VERDICTS = {"answered": "answer", "offered": "choices", "unanswered": "none", "referred": "answer"}
SERVICES = ("answered", "answered", "answered", "legal_aid", "mediation", "litigation", "notary", "other")
TAIL = "，电话13800138000，我家在人民路120号，已经好几个月了，去村里问过，也去镇上问过，都让我找别人。"


def fill(engine: sa.Engine, base: KnowledgeBase, count: int, until: datetime, seed: int = 6) -> None:
    """Put `count` consultations of the three years before `until` on record, each with what was said in it.

    Kinds, places and outcomes are as uneven as a county's; ids and times grow together, as they do in service.
    """
    chance = random.Random(seed)
    entries = sorted(base.entries.values(), key=lambda entry: entry.id)
    weights = [1 / (place + 3) for place in range(len(entries))]
    chance.shuffle(entries)
    with engine.begin() as conn:
        people = [_citizen(number, until) for number in range(max(1, count // 3))]
        for some in _chunks(people):
            conn.execute(sa.insert(citizens), some)
        rows = _rows(chance, entries, weights, people, count, until)
        for chunk in _chunks(rows):
            conn.execute(sa.insert(consultations), [one for one, _, _ in chunk])
            conn.execute(sa.insert(consultation_words), [words for _, words, _ in chunk])
            conn.execute(sa.insert(inbox), [said for _, _, said in chunk])
        if conn.dialect.name == "sqlite":
            conn.execute(sa.text("ANALYZE"))


def _chunks(items: Sequence[T] | Iterator[T]) -> Iterator[list[T]]:
    waiting: list[T] = []
    for item in items:
        waiting.append(item)
        if len(waiting) == CHUNK:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _citizen(number: int, until: datetime) -> dict[str, Any]:
    return {
        "id": f"citizen-{number:08d}", "channel": "wechat" if number % 5 else "web", "address": f"oSeed{number:022d}",
        "subscribed": True, "township": "", "erased_at": None, "state": "{}", "allowance": 0, "window_until": 0,
        "created_at": 0, "seen_at": to_ms(until),
    }  # fmt: skip


def _rows(
    chance: random.Random,
    entries: Sequence[Entry],
    weights: Sequence[float],
    people: Sequence[dict[str, Any]],
    count: int,
    until: datetime,
) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    for number, entry in enumerate(chance.choices(entries, weights, k=count)):
        at = until - SPAN * (1 - number / count)
        yield _row(chance, entry, chance.choice(people), at)


def _row(
    chance: random.Random, entry: Entry, citizen: dict[str, Any], at: datetime
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    moment, row_id = to_ms(at), uuid7(lambda: at)
    outcome, handed = chance.choice(OUTCOMES), chance.random() < 0.12
    text = chance.choice(OPENINGS) + chance.choice(entry.wordings).rstrip("？?。") + chance.choice(ENDINGS) + TAIL
    known = outcome in {"answered", "referred"}
    row = {
        "id": row_id, "citizen_id": citizen["id"], "channel": citizen["channel"],
        "kind": entry.kind if outcome != "unanswered" else "", "category": entry.category if outcome != "unanswered" else "",
        "entry_id": entry.id if known else "", "entry_version": "", "verdict": VERDICTS[outcome],
        "confidence": round(chance.random(), 3), "outcome": outcome, "first_outcome": outcome, "handed": handed,
        "grade": chance.choice((0, 5, 5, 4, 3, 2, 1)) if handed else 0,
        "handled_by": chance.choice(LAWYERS) if handed else "bot", "service": chance.choice(SERVICES) if handed else "",
        "summary": "", "minutes": chance.randrange(40) if handed else 0,
        "township": chance.choice(TOWNSHIPS) if handed or chance.random() < 0.3 else "", "urgent": chance.random() < 0.01,
        "messages": 1, "opened_at": moment, "last_at": moment, "closed_at": moment,
    }  # fmt: skip
    said = {
        "id": row_id, "channel": citizen["channel"], "key": row_id, "citizen_id": citizen["id"], "consultation_id": row_id,
        "kind": "text", "text": text, "tap": "", "flow": "ask", "verdict": row["verdict"], "entry_id": row["entry_id"],
        "entry_version": "", "confidence": row["confidence"], "reply": boxes.encode(Reply(entry.answer)),
        "sent_at": moment, "received_at": moment,
    }  # fmt: skip
    return row, {"consultation_id": row_id, "words": text}, said
