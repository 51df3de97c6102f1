"""Who a visitor of the chat page is: an anonymous id in a signed cookie, no account."""

from __future__ import annotations

import hashlib
import hmac
import secrets

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store.tables import meta

COOKIE = "fawen_visitor"
MAX_AGE = 365 * 24 * 3600
_KEY_NAME = "web.cookie_key"


def cookie_key(conn: Connection) -> bytes:
    """The signing key, made at first use and kept in the store, so that all processes share it."""
    found = conn.execute(sa.select(meta.c.value).where(meta.c.name == _KEY_NAME)).scalar()
    if found is None:
        found = secrets.token_hex(32)
        conn.execute(sa.insert(meta).values(name=_KEY_NAME, value=found))
    return bytes.fromhex(found)


def sign(visitor: str, key: bytes) -> str:
    """The cookie's value."""
    return f"{visitor}.{_mac(visitor, key)}"


def read(value: str | None, key: bytes) -> str | None:
    """The visitor's id, or None if the cookie is missing or not ours."""
    visitor, _, mac = (value or "").partition(".")
    return visitor if visitor and hmac.compare_digest(mac.encode(), _mac(visitor, key).encode()) else None


def new_visitor() -> str:
    """An id that tells nothing about anyone."""
    return secrets.token_hex(16)


def _mac(visitor: str, key: bytes) -> str:
    return hmac.new(key, visitor.encode(), hashlib.sha256).hexdigest()
