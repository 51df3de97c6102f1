"""The staff's side of the store: what they note, correct, promise, publish and hand in."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from bot.store.tables.service import metadata

consultation_words = Table(
    "consultation_words",
    metadata,
    Column("consultation_id", ForeignKey("consultations.id"), primary_key=True),
    Column("words", Text, nullable=False, comment="what the citizen said in it, one message a line; for searching"),
)

remarks = Table(
    "remarks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("consultation_id", ForeignKey("consultations.id"), nullable=False),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_remarks_consultation", "consultation_id"),
)

views = Table(
    "views",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False, comment="whose it is"),
    Column("shared", Boolean, nullable=False, comment="shown to all colleagues"),
    Column("name", String(64), nullable=False),
    Column("query", Text, nullable=False, comment="the filter, as in the page's address"),
    Column("created_at", BigInteger, nullable=False),
)

exports = Table(
    "exports",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("query", Text, nullable=False, comment="the filter, as in the page's address"),
    Column("format", String(8), nullable=False, comment="xlsx, csv"),
    Column("masked", Boolean, nullable=False),
    Column("state", String(16), nullable=False, comment="waiting, running, ready, failed"),
    Column("done", Integer, nullable=False, comment="rows written so far"),
    Column("total", Integer, nullable=False),
    Column("error", String(200), nullable=False),
    Column("content", LargeBinary, comment="the file; removed a day after it was made"),
    Column("created_at", BigInteger, nullable=False),
    Column("touched_at", BigInteger, nullable=False, comment="last sign of life of whoever writes it"),
    Column("finished_at", BigInteger),
)

tasks = Table(
    "tasks",
    metadata,
    Column("year", Integer, nullable=False),
    Column("place", String(64), nullable=False, comment="a township or centre; empty: the whole county"),
    Column("target", Integer, nullable=False, comment="services to be done in the year"),
    PrimaryKeyConstraint("year", "place"),
)

rectifications = Table(
    "rectifications",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("rating_id", ForeignKey("ratings.id"), nullable=False, unique=True),
    Column("consultation_id", ForeignKey("consultations.id")),
    Column("citizen_id", ForeignKey("citizens.id"), nullable=False),
    Column("staff_id", ForeignKey("staff.id"), comment="who is responsible; none: not given to anybody yet"),
    Column("state", String(16), nullable=False, comment="open, replied, visited, closed"),
    Column("due_on", String(10), nullable=False, comment="YYYY-MM-DD in the county, by working days"),
    Column("measures", Text, nullable=False, comment="what was found and done"),
    Column("reply", Text, nullable=False, comment="what the citizen was told"),
    Column("visit", Text, nullable=False, comment="what the citizen said at the second visit"),
    Column("visit_grade", Integer, nullable=False, comment="grade at the second visit, 0: none"),
    Column("proof", Text, nullable=False, comment="what shows that it is done"),
    Column("version", Integer, nullable=False, comment="grows with every change"),
    Column("rounds", Integer, nullable=False, comment="how often the second visit reopened it"),
    Column("opened_at", BigInteger, nullable=False),
    Column("visit_asked_at", BigInteger, comment="when the citizen was asked whether it is good now"),
    Column("replied_at", BigInteger),
    Column("visited_at", BigInteger),
    Column("closed_at", BigInteger),
    Index("ix_rectifications_state_due", "state", "due_on"),
)

entry_versions = Table(
    "entry_versions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("entry_id", String(64), nullable=False),
    Column("number", Integer, nullable=False, comment="1, 2, 3 … of the county's own versions of an entry"),
    Column("state", String(16), nullable=False, comment="draft, review, published, replaced, dropped"),
    Column("body", Text, nullable=False, comment="the whole entry, JSON; empty: the entry is retired"),
    Column("based_on", String(16), nullable=False, comment="version of the text that was edited: two editors at once"),
    Column("note", Text, nullable=False, comment="why"),
    Column("author_id", ForeignKey("staff.id"), nullable=False),
    Column("reviewer_id", ForeignKey("staff.id"), comment="the second pair of eyes"),
    Column("publish_at", BigInteger, nullable=False, comment="serves from then on; 0: at once when approved"),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("published_at", BigInteger),
    UniqueConstraint("entry_id", "number"),
    Index("ix_entry_versions_state", "state"),
)

confirmations = Table(
    "confirmations",
    metadata,
    Column("entry_id", String(64), primary_key=True),
    Column("version", String(16), nullable=False, comment="the text that was read; another text needs a new reading"),
    Column("verdict", String(16), nullable=False, comment="confirmed, retired"),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
)

wordings = Table(
    "wordings",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("text", String(200), nullable=False, unique=True, comment="a question as it was really asked"),
    Column("entry_id", String(64), nullable=False, comment="what it is to find; empty: not ours"),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_wordings_entry", "entry_id"),
)

announcements = Table(
    "announcements",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("text", String(500), nullable=False),
    Column("from_at", BigInteger, nullable=False),
    Column("until_at", BigInteger, nullable=False),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("withdrawn_at", BigInteger),
)

run_settings = Table(
    "run_settings",
    metadata,
    Column("name", String(64), primary_key=True, comment="a setting that may change while the service runs"),
    Column("value", Text, nullable=False),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
)

lessons = Table(
    "lessons",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("day", String(10), nullable=False, comment="YYYY-MM-DD in the county"),
    Column("kind", String(16), nullable=False, comment="entry, quiz"),
    Column("entry_id", String(64), nullable=False),
    Column("question", Text, nullable=False, comment="of a quiz: the case, told by an example"),
    Column("options", Text, nullable=False, comment="JSON list"),
    Column("answer", Integer, nullable=False, comment="number of the right option, from 1"),
    Column("explanation", Text, nullable=False),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("day", "kind"),
)

lesson_answers = Table(
    "lesson_answers",
    metadata,
    Column("lesson_id", ForeignKey("lessons.id"), nullable=False),
    Column("citizen_id", ForeignKey("citizens.id"), nullable=False),
    Column("choice", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("lesson_id", "citizen_id"),
)

digests = Table(
    "digests",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("department", String(64), nullable=False),
    Column("token", String(64), nullable=False, unique=True, comment="SHA-256 of what the private link carries"),
    Column("from_at", BigInteger, nullable=False),
    Column("until_at", BigInteger, nullable=False),
    Column("questions", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False, comment="XLSX"),
    Column("state", String(16), nullable=False, comment="waiting, sent, failed, kept"),
    Column("attempts", Integer, nullable=False),
    Column("error", String(200), nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("department", "from_at"),
)

data_links = Table(
    "data_links",
    metadata,
    Column("token", String(64), primary_key=True, comment="SHA-256 of what the private link carries"),
    Column("citizen_id", ForeignKey("citizens.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, comment="it opens once"),
    Index("ix_data_links_citizen", "citizen_id"),
)
