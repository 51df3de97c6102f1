"""Writes the made-up year into a store that holds nothing real, and marks the store."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from random import Random

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.handoff.duty import Hours
from bot.conversation.turn import LOCAL, Library
from bot.service.demo import words
from bot.service.demo.amends import amend
from bot.service.demo.calendar import moments
from bot.service.demo.handed import hand_over
from bot.service.demo.matters import matters
from bot.service.demo.people import Person, counsel, people, staff_rows
from bot.service.demo.stories import Row, Story, World, end, rows_of, tell, wants_person
from bot.store.tables import citizens, meta, metadata, staff, tasks
from bot.store.times import to_ms

MARK = "demo"
BATCH = 1000
# What a year's task was, as a part of what was done: 1173 of 959 is 122 %.
_TASK = (0.78, 0.86, 0.94, 1.06)
# In the order their references ask for.
_ORDER = (
    "citizens", "consultations", "consultation_words", "inbox", "feedback", "handoffs", "handoff_events",
    "handoff_messages", "ratings", "rectifications",
)  # fmt: skip


class NotDemoError(Exception):
    """The store holds real records, or this very year already; the message is a sentence for the operator."""


class Wish(msgspec.Struct, frozen=True):
    """What to make up. `password`: hash for the made-up accounts; empty: nobody can log in to them."""

    year: int
    consultations: int
    seed: int
    password: str = ""

    @property
    def name(self) -> str:
        """As it stands in the mark."""
        return f"{self.year}-{self.seed}"


class Written(msgspec.Struct, frozen=True):
    """What was made up."""

    consultations: int
    citizens: int
    handed: int
    services: int


def marked(conn: Connection) -> bool:
    """Whether the store holds made-up records: every page and report must say so."""
    return conn.execute(sa.select(meta.c.value).where(meta.c.name == MARK)).first() is not None


def check(conn: Connection, wish: Wish, *, demo: bool) -> None:
    """NotDemoError if made-up records must not go there. `demo`: the settings say the whole store is for trying."""
    before = conn.execute(sa.select(meta.c.value).where(meta.c.name == MARK)).scalar()
    if before is not None and wish.name in before.split():
        raise NotDemoError(f"这一年的演示数据已经有了（{wish.year} 年，seed {wish.seed}）：换一个年份或 seed。")
    if before is None and not demo and _holds_something(conn):
        raise NotDemoError("这个数据库里有真实的记录，不能混进演示数据：请换一个空的数据库。")


def fill(conn: Connection, wish: Wish, library: Library, hours: Hours, now: datetime) -> Written:
    """Write everything, in the caller's transaction: all or nothing. The same wish gives the same rows."""
    year_ends = datetime(wish.year + 1, 1, 1, tzinfo=LOCAL)
    random = Random(f"{wish.year}/{wish.seed}")  # noqa: S311 - dice, not secrets
    townships = library.locality.townships or words.TOWNSHIPS
    found = moments(random, wish.year, wish.consultations, hours, min(now, year_ends))
    prefix = f"demo-{wish.year}-{wish.seed}"
    asking = people(random, found, townships, prefix)
    entries = matters(random, list(library.base.entries.values()))
    world = World(random, library, entries, hours, counsel())
    _mark(conn, wish)
    since = to_ms(datetime(wish.year, 1, 1, tzinfo=LOCAL))
    _hire(conn, staff_rows(townships, wish.password, since))
    told = Counter[str]()
    services = Counter[str]()
    batch: dict[str, list[Row]] = defaultdict(list)
    known: set[str] = set()
    for story in _stories(world, found, asking, prefix, to_ms(now)):
        if story.person.id not in known:
            known.add(story.person.id)
            batch["citizens"].append(story.person.row)
        for table, rows in rows_of(story):
            batch[table] += rows
        told["handed"] += story.row["handed"]
        services[story.row["township"]] += bool(story.row["service"])
        if len(batch["consultations"]) >= BATCH:
            _flush(conn, batch)
    _flush(conn, batch)
    _set_tasks(conn, random, wish.year, services)
    return Written(len(found), len(known), told["handed"], services.total())


def _stories(world: World, found: list[int], asking: list[Person], prefix: str, until: int) -> Iterator[Story]:
    for number, (moment, person) in enumerate(zip(found, asking, strict=True)):
        story = tell(world, person, moment, f"{prefix}-{number:06d}")
        if wants_person(story):
            hand_over(world, story)
        else:
            end(story)
        amend(story, world.hours, until)
        yield story


def _flush(conn: Connection, batch: dict[str, list[Row]]) -> None:
    for name in _ORDER:
        if batch[name]:
            conn.execute(sa.insert(metadata.tables[name]), batch[name])
    batch.clear()


def _mark(conn: Connection, wish: Wish) -> None:
    before = conn.execute(sa.select(meta.c.value).where(meta.c.name == MARK)).scalar()
    if before is None:
        conn.execute(sa.insert(meta).values(name=MARK, value=wish.name))
    else:
        conn.execute(sa.update(meta).where(meta.c.name == MARK).values(value=f"{before} {wish.name}"))


def _hire(conn: Connection, rows: list[Row]) -> None:
    there = set(conn.execute(sa.select(staff.c.login)).scalars())
    fresh = [row for row in rows if row["login"] not in there]
    if fresh:
        conn.execute(sa.insert(staff), fresh)


def _set_tasks(conn: Connection, random: Random, year: int, services: Counter[str]) -> None:
    there = set(conn.execute(sa.select(tasks.c.place).where(tasks.c.year == year)).scalars())
    targets = {place: round(done * random.choice(_TASK)) for place, done in sorted(services.items()) if place and done}
    targets[""] = round(services.total() * _TASK[0] * 1.05)
    fresh = [{"year": year, "place": place, "target": n} for place, n in targets.items() if place not in there]
    if fresh:
        conn.execute(sa.insert(tasks), fresh)


def _holds_something(conn: Connection) -> bool:
    return any(conn.execute(sa.select(table.c.id).limit(1)).first() for table in (citizens, staff))
