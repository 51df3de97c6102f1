"""The consultations a lawyer took: the wait, the talk, how it ended, the grade."""

from __future__ import annotations

from typing import Any

from bot.conversation.handoff import subjects
from bot.service.demo import words
from bot.service.demo.people import Server
from bot.service.demo.stories import MINUTE, Row, Story, World, rate
from bot.store.times import from_ms, to_ms
from knowledge.reply import Reply

_ENDS = {"settled": 90, "cancelled": 4, "idle": 3, "abandoned": 1.5, "timed_out": 1, "left": 0.5}
_SERVICES = {
    "legal": {
        "answered": 56, "legal_aid": 13, "mediation": 10, "litigation": 8, "arbitration": 4, "drafting": 4,
        "notary": 2, "reconsideration": 1, "other": 2,
    },
    "petition": {"answered": 52, "petition": 34, "reconsideration": 6, "litigation": 4, "other": 4},
    "approval": {"answered": 90, "reconsideration": 3, "other": 7},
}  # fmt: skip
_WAITS = (1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 9, 12, 18, 26, 41)
_PATIENT = 9
_CONTENT = (60, 26, 9, 3, 2)
_TIRED = (28, 30, 24, 11, 7)
_RATES = 0.72
_TIMED_OUT = 72 * 60
_OF_OWN = 0.7


def hand_over(world: World, story: Story) -> None:
    """The citizen asks for a person; what came of it goes on record."""
    story.later(1, 4)
    handoff = _Handoff(world, story)
    ended = story.random.choices(list(_ENDS), weights=list(_ENDS.values()))[0]
    if ended == "settled":
        handoff.settled()
    else:
        handoff.unserved(ended)
    handoff.write()


class _Handoff:
    """A handoff being told: its row, events and messages."""

    def __init__(self, world: World, story: Story) -> None:
        self.story, self.random = story, story.random
        self.counsel = world.counsel
        story.row |= {"handed": True, "outcome": "referred"}
        kind: str
        if story.entry is not None:
            kind, category = story.entry.kind, story.entry.category
        else:
            some = self.random.choice(subjects.SUBJECTS)
            kind, category = story.row["kind"] or some.kind, story.row["category"] or some.category
        subject = subjects.of_category(category)
        self.kind, self.category = kind, category
        now, hours = story.now, world.hours
        self.open = hours.open_at(from_ms(now))
        opens = now if self.open else to_ms(hours.next_open(from_ms(now)))
        self.wait = self.random.choice(_WAITS)
        self.claim_at = opens + self.wait * MINUTE + self.random.randrange(MINUTE)
        self.id = story.new_id()
        self.messages: list[Row] = []
        self.events: list[Row] = []
        self.version = 1
        self.row: dict[str, Any] = {
            "id": self.id,
            "citizen_id": story.person.id,
            "consultation_id": story.row["id"],
            "channel": story.person.channel,
            "urgent": story.row["urgent"],
            "reason": "danger" if story.row["urgent"] else "asked" if story.random.random() < _OF_OWN else "offered",
            "kind": subject.kind,
            "category": category,
            "township": story.person.township,
            "question": story.said[0][:200],
            "lawyer_id": None,
            "asked_at": now,
            "queued_at": now,
            "claimed_at": None,
            "first_reply_at": None,
            "citizen_at": now,
            "lawyer_at": None,
            "escalation": 1 if self.wait > _PATIENT else 0,
            "returns": 0,
            "promised_at": None if self.open else opens,
        }
        self.event("queue")
        self.citizen("转人工律师", Reply("好的，已经排上队，律师来了就在这里跟您说话。"), "handoff")

    def settled(self) -> None:
        """A lawyer came, talked, and closed it with a record of the service."""
        server = self.claim()
        for _ in range(self.random.randrange(1, 5)):
            self.talk(server)
        minutes = max(3, (self.story.now - self.claim_at) // MINUTE)
        services = _SERVICES[self.kind]
        service = self.random.choices(list(services), weights=list(services.values()))[0]
        question = self.story.entry.question if self.story.entry else self.story.said[0]
        summary = words.SUMMARY.format(question=question.strip("？?"))
        self.event("close", server, summary)
        self.say("system", f"{server.title}已结束这次咨询。请您给这次服务打个分：")
        self.story.row |= {
            "kind": self.kind,
            "category": self.category,
            "outcome": "answered",
            "handled_by": server.login,
            "service": service,
            "summary": summary,
            "minutes": minutes,
        }
        self.finish("settled")
        if self.random.random() < _RATES:
            rate(self.story, self.id, _TIRED if self.wait > _PATIENT else _CONTENT)

    def unserved(self, ended: str) -> None:
        """It ended without a lawyer's record."""
        if ended in {"idle", "abandoned"}:
            server = self.claim()
            self.say("lawyer", words.LAWYER[0], server)
            self.story.now += 24 * 60 * MINUTE
        else:
            self.story.now += _TIMED_OUT * MINUTE if ended == "timed_out" else self.random.randrange(2, 20) * MINUTE
        self.event({"cancelled": "cancel", "left": "leave", "timed_out": "give_up"}.get(ended, "idle"))
        self.finish(ended)

    def claim(self) -> Server:
        """A lawyer takes it and says something."""
        server = self.random.choices(self.counsel, weights=[6, 5, 4, 4, 3, 1][: len(self.counsel)])[0]
        self.story.now = self.claim_at
        self.row |= {"lawyer_id": server.id, "claimed_at": self.claim_at}
        self.event("claim", server)
        self.say("system", f"{server.title}来了，看过您前面说的话，马上回您。")
        return server

    def talk(self, server: Server) -> None:
        """The lawyer says something, the citizen answers."""
        self.story.later(1, 4)
        self.say("lawyer", self.random.choice(words.LAWYER), server)
        self.story.later(1, 6)
        self.citizen(self.random.choice(words.MORE_OF_IT), None, "relay")

    def say(self, author: str, text: str, server: Server | None = None) -> None:
        """One more message of the thread."""
        self.message(author, text, self.story.new_id(), server)
        if author == "lawyer":
            now = self.story.now
            self.version += 1
            self.row |= {"lawyer_at": now, "first_reply_at": self.row["first_reply_at"] or now}

    def citizen(self, text: str, reply: Reply | None, flow: str) -> None:
        """The citizen says something while the handoff is open."""
        key = self.story.hears(text, reply, flow)
        self.message("citizen", text, key, None)
        self.row["citizen_at"] = self.story.now

    def message(self, author: str, text: str, key: str, server: Server | None) -> None:
        """A row of the thread."""
        self.messages.append(
            {
                "id": self.story.new_id(),
                "handoff_id": self.id,
                "number": len(self.messages) + 1,
                "author": author,
                "staff_id": server.id if server else None,
                "kind": "text",
                "text": text,
                "entry_id": "",
                "media_id": None,
                "key": key,
                "at": self.story.now,
            }
        )

    def event(self, name: str, server: Server | None = None, note: str = "") -> None:
        """A row of what changed hands."""
        self.version += bool(self.events)
        self.events.append(
            {
                "id": self.story.new_id(),
                "handoff_id": self.id,
                "number": self.version,
                "event": name,
                "staff_id": server.id if server else None,
                "other_id": None,
                "note": note,
                "at": self.story.now,
            }
        )

    def finish(self, ended: str) -> None:
        """It is closed, and the consultation with it."""
        now = self.story.now
        count = len(self.messages)
        self.row |= {"ended": ended, "closed_at": now, "state": "closed", "messages": count, "read": count}
        self.row["version"] = self.version
        self.story.row |= {"closed_at": now, "last_at": now}

    def write(self) -> None:
        """Put it beside the consultation."""
        self.story.add("handoffs", self.row)
        for table, rows in (("handoff_events", self.events), ("handoff_messages", self.messages)):
            for row in rows:
                self.story.add(table, row)
