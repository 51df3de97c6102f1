"""The tables. Times are UTC milliseconds since 1970; ids sort by time; nothing defaults to the database's clock."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
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
    Column("state", Text, nullable=False, comment="where the conversation stands, JSON"),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    UniqueConstraint("channel", "address"),
)

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
    Column("handled_by", String(64), nullable=False, comment="bot, or a lawyer's account"),
    Column("township", String(64), nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Index("ix_consultations_citizen_open", "citizen_id", "closed_at"),
    Index("ix_consultations_opened_at", "opened_at"),
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

outbox = Table(
    "outbox",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("citizen_id", ForeignKey("citizens.id"), nullable=False),
    Column("inbox_id", ForeignKey("inbox.id"), nullable=False),
    Column("content", Text, nullable=False, comment="the reply, JSON"),
    Column("state", String(16), nullable=False, comment="waiting, sending, sent, held, uncertain, failed"),
    Column("attempts", Integer, nullable=False),
    Column("error", String(200), nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    UniqueConstraint("inbox_id"),
    Index("ix_outbox_state_due", "state", "due_at"),
    Index("ix_outbox_citizen_state", "citizen_id", "state"),
)

meta = Table(
    "meta",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
