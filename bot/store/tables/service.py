"""What serving citizens puts on record: who asks, what was said, who took over, what was sent."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

citizens = Table(
    "citizens",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("channel", String(16), nullable=False),
    Column("address", String(128), nullable=False, comment="openid, or the id in the chat page's cookie"),
    Column("subscribed", Boolean, nullable=False),
    Column("township", String(64), nullable=False),
    Column("erased_at", BigInteger, comment="when everything said was deleted at the citizen's own wish"),
    Column("state", Text, nullable=False, comment="where the conversation stands, JSON"),
    Column("allowance", Integer, nullable=False, comment="messages the platform still takes from us"),
    Column("window_until", BigInteger, nullable=False, comment="until when it takes them; 0: before any act"),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    UniqueConstraint("channel", "address"),
)

_SORTS = ("channel", "kind", "handed", "urgent", "outcome", "verdict", "grade", "service", "handled_by")
_PLACES = ("township", "category")
consultations = Table(
    "consultations",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("citizen_id", ForeignKey("citizens.id"), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("kind", String(16), nullable=False, comment="legal, petition, approval; empty while unknown"),
    Column("category", String(64), nullable=False),
    Column("entry_id", String(64), nullable=False),
    Column("entry_version", String(16), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("outcome", String(16), nullable=False, comment="answered, offered, unanswered, referred"),
    Column("first_outcome", String(16), nullable=False, comment="what the very first message came to"),
    Column("handed", Boolean, nullable=False, comment="a person was asked for"),
    Column("grade", Integer, nullable=False, comment="the citizen's rating, 5 to 1; 0: none"),
    Column("handled_by", String(64), nullable=False, comment="bot, or a lawyer's account"),
    Column(
        "service", String(16), nullable=False, comment="what a lawyer's closing came to; empty while none closed it"
    ),
    Column("summary", Text, nullable=False, comment="the lawyer's own words"),
    Column("minutes", Integer, nullable=False, comment="time a lawyer spent"),
    Column("township", String(64), nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Index("ix_consultations_citizen_open", "citizen_id", "closed_at"),
    # The log is read along these three without touching the rows: by time, and to count all sorts and all places.
    Index("ix_consultations_newest", *("opened_at", "id", *_SORTS, *_PLACES, "entry_id", "first_outcome")),
    Index("ix_consultations_sorts", *(*_SORTS, *_PLACES, "entry_id", "first_outcome", "opened_at")),
    Index("ix_consultations_places", *(*_PLACES, *_SORTS, "entry_id", "first_outcome", "opened_at")),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("channel", String(16), nullable=False),
    Column("key", String(160), nullable=False, comment="the platform's message id: one message, one row"),
    Column("citizen_id", ForeignKey("citizens.id"), nullable=False),
    Column("consultation_id", ForeignKey("consultations.id")),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("tap", String(96), nullable=False),
    Column("flow", String(24), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("entry_id", String(64), nullable=False),
    Column("entry_version", String(16), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("reply", Text, nullable=False, comment="what was said, JSON; empty when nothing was"),
    Column("sent_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    UniqueConstraint("channel", "key"),
    Index("ix_inbox_citizen_received", "citizen_id", "received_at"),
    Index("ix_inbox_received_at", "received_at"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("citizen_id", ForeignKey("citizens.id"), nullable=False),
    Column("consultation_id", ForeignKey("consultations.id")),
    Column("entry_id", String(64), nullable=False),
    Column("useful", Boolean, nullable=False),
    Column("given_at", BigInteger, nullable=False),
    Index("ix_feedback_entry_id", "entry_id"),
)

staff = Table(
    "staff",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("login", String(32), nullable=False, unique=True),
    Column("name", String(32), nullable=False, comment="as citizens read it"),
    Column("role", String(16), nullable=False, comment="lawyer, supervisor, staff, admin"),
    Column("password", String(160), nullable=False, comment="argon2id"),
    Column("covers", Text, nullable=False, comment="subjects taken first, JSON list; empty list: all"),
    Column("centre", String(64), nullable=False, comment="the service centre they work at; empty: the county's"),
    Column("on_duty", Boolean, nullable=False),
    Column("seen_at", BigInteger, nullable=False, comment="last sign of life on the workbench"),
    Column("citizen_id", ForeignKey("citizens.id"), unique=True, comment="their own WeChat, once bound"),
    Column("attending", String(36), nullable=False, comment="the handoff their WeChat messages go to"),
    Column("failures", Integer, nullable=False, comment="wrong passwords since the last right one"),
    Column("locked_until", BigInteger, nullable=False),
    Column("lent_at", BigInteger, comment="when somebody else set the password; none: it is their own"),
    Column("disabled_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True, comment="SHA-256 of the cookie's token"),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("agent", String(200), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_sessions_staff", "staff_id"),
)

handoffs = Table(
    "handoffs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("citizen_id", ForeignKey("citizens.id"), nullable=False),
    Column("consultation_id", ForeignKey("consultations.id")),
    Column("channel", String(16), nullable=False),
    Column("state", String(16), nullable=False, comment="asking, waiting, held, closed"),
    Column("version", Integer, nullable=False, comment="grows with every change: two claims cannot both win"),
    Column("urgent", Boolean, nullable=False),
    Column("reason", String(16), nullable=False, comment="asked, offered, rated_bad, danger"),
    Column("kind", String(16), nullable=False),
    Column("category", String(64), nullable=False),
    Column("township", String(64), nullable=False),
    Column("question", String(200), nullable=False, comment="the citizen's words that led here"),
    Column("lawyer_id", ForeignKey("staff.id")),
    Column("asked_at", BigInteger, nullable=False),
    Column("queued_at", BigInteger, comment="when the wait began that counts for the order"),
    Column("claimed_at", BigInteger),
    Column("first_reply_at", BigInteger),
    Column("citizen_at", BigInteger, nullable=False, comment="the citizen's last message"),
    Column("lawyer_at", BigInteger, comment="the lawyer's last message since the claim"),
    Column("escalation", Integer, nullable=False, comment="0 covering lawyers, 1 everyone on duty, 2 supervisors told"),
    Column("returns", Integer, nullable=False, comment="how often it went back to the queue"),
    Column("promised_at", BigInteger, comment="off duty: when a lawyer will look"),
    Column("messages", Integer, nullable=False, comment="number of the last message"),
    Column("read", Integer, nullable=False, comment="number of the last message the lawyer saw"),
    Column("ended", String(16), nullable=False, comment="settled, cancelled, idle, abandoned, timed_out, left"),
    Column("closed_at", BigInteger),
    # One open handoff per citizen, whatever two processes do at once.
    Index(
        "uq_handoffs_citizen_open",
        "citizen_id",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index("ix_handoffs_state_queued", "state", "queued_at"),
    Index("ix_handoffs_lawyer_state", "lawyer_id", "state"),
    Index("ix_handoffs_consultation", "consultation_id"),
)

handoff_events = Table(
    "handoff_events",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("handoff_id", ForeignKey("handoffs.id"), nullable=False),
    Column("number", Integer, nullable=False, comment="the handoff's version it led to"),
    Column("event", String(16), nullable=False),
    Column("staff_id", ForeignKey("staff.id"), comment="who did it; none: the citizen or the clock"),
    Column("other_id", ForeignKey("staff.id"), comment="to whom, or from whom"),
    Column("note", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("handoff_id", "number"),
)

media = Table(
    "media",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("citizen_id", ForeignKey("citizens.id"), nullable=False),
    Column("inbox_id", ForeignKey("inbox.id"), nullable=False, unique=True),
    Column("platform_id", String(128), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False, comment="noted, waiting, stored, failed"),
    Column("attempts", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("content_type", String(64), nullable=False),
    Column("content", LargeBinary),
    Column("error", String(200), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_media_state_due", "state", "due_at"),
)

handoff_messages = Table(
    "handoff_messages",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("handoff_id", ForeignKey("handoffs.id"), nullable=False),
    Column("number", Integer, nullable=False, comment="1, 2, 3 … within the handoff: the order, whatever clocks say"),
    Column("author", String(16), nullable=False, comment="citizen, bot, lawyer, note, system"),
    Column("staff_id", ForeignKey("staff.id")),
    Column("kind", String(16), nullable=False, comment="text, image, voice …"),
    Column("text", Text, nullable=False),
    Column("entry_id", String(64), nullable=False, comment="the entry a lawyer sent as their own answer"),
    Column("media_id", ForeignKey("media.id")),
    Column("key", String(64), nullable=False, comment="made by the workbench: a repeated send is the same message"),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("handoff_id", "number"),
    UniqueConstraint("handoff_id", "key"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("citizen_id", ForeignKey("citizens.id"), nullable=False),
    Column("place", Integer, nullable=False, comment="1, 2, 3 … for one citizen: the order of sending"),
    Column("inbox_id", ForeignKey("inbox.id")),
    Column("message_id", ForeignKey("handoff_messages.id"), comment="the message this is (a part of)"),
    Column("content", Text, nullable=False, comment="the reply, JSON"),
    Column("state", String(16), nullable=False, comment="waiting, sending, sent, held, uncertain, failed"),
    Column("attempts", Integer, nullable=False),
    Column("error", String(200), nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    UniqueConstraint("inbox_id"),
    UniqueConstraint("citizen_id", "place"),
    Index("ix_outbox_state_due", "state", "due_at"),
    Index("ix_outbox_citizen_state", "citizen_id", "state"),
    Index("ix_outbox_message", "message_id"),
)

notices = Table(
    "notices",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("handoff_id", ForeignKey("handoffs.id"), nullable=False),
    Column("staff_id", ForeignKey("staff.id"), comment="none: the group robot"),
    Column("way", String(16), nullable=False, comment="template, robot"),
    Column("text", Text, nullable=False),
    Column("state", String(16), nullable=False, comment="waiting, sent, failed"),
    Column("attempts", Integer, nullable=False),
    Column("error", String(200), nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_notices_state_due", "state", "due_at"),
)

quick_replies = Table(
    "quick_replies",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), comment="none: shared by all"),
    Column("text", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

shifts = Table(
    "shifts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("day", String(10), nullable=False, comment="YYYY-MM-DD in the county"),
    UniqueConstraint("staff_id", "day"),
    Index("ix_shifts_day", "day"),
)

bindings = Table(
    "bindings",
    metadata,
    Column("code", String(64), primary_key=True, comment="what the scanned code carries"),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

ratings = Table(
    "ratings",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("citizen_id", ForeignKey("citizens.id"), nullable=False),
    Column("consultation_id", ForeignKey("consultations.id")),
    Column("handoff_id", ForeignKey("handoffs.id"), unique=True),
    Column("grade", Integer, nullable=False, comment="5 very satisfied … 1 very dissatisfied"),
    Column("words", Text, nullable=False),
    Column("given_at", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), comment="none: an unknown login, or the command line"),
    Column("action", String(32), nullable=False),
    Column("citizen_id", ForeignKey("citizens.id")),
    Column("subject", String(64), nullable=False, comment="the row acted on"),
    Column("detail", Text, nullable=False),
    Column("address", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_audit_at", "at"),
    Index("ix_audit_citizen", "citizen_id"),
    Index("ix_audit_subject", "subject", "at"),
)

meta = Table(
    "meta",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
