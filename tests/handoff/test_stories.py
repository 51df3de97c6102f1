"""Whatever citizens, lawyers, the clock and the platform do, in whatever order: nothing is lost, nobody is stranded."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.conversation.handoff.duty import USUAL
from bot.conversation.handoff.machine import Event, Handoff, NotPossibleError
from bot.conversation.handoff.timing import Rules
from bot.conversation.turn import Inbound, Library
from bot.service import handling, handoffs, outbox, staff, threads
from bot.service.handling import Closing
from bot.service.inbox import decode
from bot.service.turns import Office, take
from bot.store.tables import citizens, handoff_messages, inbox, metadata
from bot.store.tables import handoffs as rows
from bot.store.tables import outbox as letters
from bot.store.tables import staff as people
from knowledge.load import KnowledgeBase
from knowledge.places import Locality
from knowledge.search.rank import NOTHING, Result
from knowledge.statutes import Statutes
from tests.support import Numbers

START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
CITIZENS = ("o1", "o2", "o3")
LAWYERS = ("zhang", "li", "boss")
WORDS = ("转人工", "公司不给工资", "在吗", "取消", "工资工伤", "城关镇", "跳过", "我喝了农药", "结束咨询", "好的")


def silent(text: str, day: date, *, context: str = "") -> Result:
    """A search that never knows: the stories are about people."""
    return NOTHING


class Stories(RuleBasedStateMachine):
    """Three citizens, two lawyers, a supervisor, one clock."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = sa.create_engine("sqlite://")
        metadata.create_all(self.engine)
        self.conn = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self.ids = Numbers()
        self.now = START
        self.sent: list[tuple[str, str]] = []
        self.said: list[tuple[str, str]] = []

    def teardown(self) -> None:
        self.conn.close()
        self.engine.dispose()

    @initialize()
    def open_the_office(self) -> None:
        base = KnowledgeBase({}, Statutes({}, {}), {}, {})
        self.office = Office(Library(base, silent, Locality({}, townships=("城关镇", "东关镇"))), self.ids)
        for login in LAWYERS:
            role = "supervisor" if login == "boss" else "lawyer"
            self.conn.execute(
                sa.insert(people).values(
                    id=login, login=login, name=login, role=role, password="", covers="[]", on_duty=True, seen_at=0,
                    citizen_id=None, attending="", centre="", failures=0, locked_until=0, disabled_at=None, created_at=0,
                )
            )  # fmt: skip

    @rule(who=st.sampled_from(CITIZENS), text=st.sampled_from(WORDS))
    def citizen_writes(self, who: str, text: str) -> None:
        key = self.ids()
        self.said.append((who, key))
        take(self.conn, self.office, Inbound("wechat", who, key, "text", self.now, text=text), self.now)

    @rule(who=st.sampled_from(CITIZENS))
    def citizen_leaves(self, who: str) -> None:
        take(
            self.conn, self.office, Inbound("wechat", who, self.ids(), "event", self.now, event="unsubscribe"), self.now
        )

    @rule(lawyer=st.sampled_from(LAWYERS), number=st.integers(0, 5))
    def lawyer_claims(self, lawyer: str, number: int) -> None:
        self._act(number, Event("claim", by=lawyer))

    @rule(lawyer=st.sampled_from(LAWYERS), to=st.sampled_from(LAWYERS), number=st.integers(0, 5))
    def lawyer_transfers(self, lawyer: str, to: str, number: int) -> None:
        self._act(number, Event("transfer", by=lawyer, to=to))

    @rule(lawyer=st.sampled_from(LAWYERS), number=st.integers(0, 5))
    def lawyer_hands_back(self, lawyer: str, number: int) -> None:
        self._act(number, Event("release", by=lawyer))

    @rule(number=st.integers(0, 5))
    def supervisor_takes_over(self, number: int) -> None:
        self._act(number, Event("take_over", by="boss"))

    @rule(lawyer=st.sampled_from(LAWYERS), number=st.integers(0, 5), long=st.booleans())
    def lawyer_writes(self, lawyer: str, number: int, long: bool) -> None:
        handoff = self._one(number)
        if handoff is None:
            return
        text = "您先保存好证据。" * (400 if long else 1)
        key = self.ids()
        try:
            handling.lawyer_says(self.conn, self.ids, handoff.id, lawyer, text, key, self.now)
            handling.lawyer_says(self.conn, self.ids, handoff.id, lawyer, text, key, self.now)  # the page sends again
        except NotPossibleError:
            assert handoff.lawyer != lawyer
            return
        assert handoff.lawyer == lawyer
        self.sent.append((handoff.id, text))

    @rule(lawyer=st.sampled_from(LAWYERS), number=st.integers(0, 5))
    def lawyer_closes(self, lawyer: str, number: int) -> None:
        handoff = self._one(number)
        if handoff is not None and handoff.lawyer == lawyer:
            closing = Closing("answered", "legal", "labour", "已告知", 10)
            handling.close(self.conn, self.ids, handoff.id, lawyer, closing, self.now)

    @rule(lawyer=st.sampled_from(("zhang", "li")))
    def lawyer_is_gone(self, lawyer: str) -> None:
        handling.drop_lawyer(self.conn, self.ids, lawyer, self.now)

    @rule(fate=st.sampled_from(["sent", "held", "uncertain", "failed"]))
    def platform_takes_one(self, fate: outbox.OutboxState) -> None:
        for _, row in outbox.due(self.conn, "wechat", self.now)[:1]:
            letter = outbox.begin(self.conn, row, self.now, 30_000)
            assert letter is not None
            if not letter.held:
                outbox.settle(self.conn, letter, fate, self.now)

    @rule(minutes=st.sampled_from([1, 6, 16, 600, 1500]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        handling.sweep(self.conn, self.ids, USUAL, Rules(), self.now)

    @invariant()
    def who_holds_what_is_plain(self) -> None:
        for handoff in handoffs.open_ones(self.conn):
            assert (handoff.state == "held") == bool(handoff.lawyer)
            assert handoff.state != "waiting" or handoff.queued_at is not None
        open_of: dict[str, int] = {}
        for row in self.conn.execute(sa.select(rows.c.citizen_id).where(rows.c.closed_at.is_(None))):
            open_of[row[0]] = open_of.get(row[0], 0) + 1
        assert all(count == 1 for count in open_of.values())

    @invariant()
    def every_word_is_on_record_in_order(self) -> None:
        kept = [
            (row.address, row.key)
            for row in self.conn.execute(
                sa.select(citizens.c.address, inbox.c.key)
                .join(citizens, citizens.c.id == inbox.c.citizen_id)
                .where(inbox.c.kind == "text")
                .order_by(inbox.c.id)
            )
        ]
        assert kept == self.said
        for handoff in {handoff for handoff, _ in self.sent}:
            numbers = [message.number for message in threads.read(self.conn, handoff)]
            assert numbers == list(range(1, len(numbers) + 1))

    @invariant()
    def every_lawyers_word_is_in_the_outbox_once(self) -> None:
        statement = sa.select(handoff_messages.c.id, handoff_messages.c.text).where(
            handoff_messages.c.author == "lawyer"
        )
        written = self.conn.execute(statement.order_by(handoff_messages.c.id)).fetchall()
        assert len(written) == len(self.sent)
        for message, text in written:
            contents = self.conn.execute(
                sa.select(letters.c.content).where(letters.c.message_id == message).order_by(letters.c.place)
            ).fetchall()
            assert "".join(_text(content[0]) for content in contents) == text

    def _one(self, number: int) -> Handoff | None:
        found = handoffs.open_ones(self.conn)
        return found[number % len(found)] if found else None

    def _act(self, number: int, event: Event) -> None:
        before = self._one(number)
        if before is None:
            return
        try:
            after = handling.happen(self.conn, self.ids, before.id, event, self.now).after
        except NotPossibleError:
            assert handoffs.get(self.conn, before.id) == before
            return
        assert after.lawyer in {"", event.by, event.to}


def _text(content: str) -> str:
    reply = decode(content)
    assert reply is not None
    return reply.text


TestStories = Stories.TestCase
TestStories.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_time_alone_ends_every_handoff() -> None:
    story = Stories()
    story.open_the_office()
    for who in CITIZENS:
        story.citizen_writes(who, "转人工")
    story.lawyer_claims("zhang", 0)
    for _ in range(20):
        story.time_passes(600)
    assert handoffs.open_ones(story.conn) == []
    ended = [row[0] for row in story.conn.execute(sa.select(rows.c.ended))]
    assert set(ended) == {"timed_out"}
    assert staff.counsel(story.conn)
    story.teardown()
