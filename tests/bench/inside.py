"""Fawen's parts by themselves, on the server's core: loading, searching, and where a message's time goes. Prints JSON."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl

from bot.app import read_library
from bot.channels.wechat import codec as codecs
from bot.channels.wechat import render
from bot.channels.wechat.codec import Codec
from bot.conversation.router import handle
from bot.conversation.turn import Inbound, Library, Outcome, State, Turn
from bot.ids import uuid7
from bot.service.turns import Office, take
from bot.settings import Settings, Wechat
from bot.store.database import Database, cursor_of
from bot.store.migrate import migrate
from knowledge.load import load
from knowledge.reply import Reply
from tests.bench.load import percentile
from tests.bench.traffic import AES_KEY, APP_ID, SECRET, TOKEN, Crowd, Shot

T = TypeVar("T")
Spans = dict[str, list[float]]
GROUP = 16  # messages to a commit, about what 32 connections give


class Stopwatch:
    """Times calls by name, in microseconds."""

    def __init__(self) -> None:
        self.spans: Spans = {}

    def __call__(self, name: str, work: Callable[[], T]) -> T:
        began = time.perf_counter()
        result = work()
        self.spans.setdefault(name, []).append((time.perf_counter() - began) * 1e6)
        return result


def measure(count: int, folder: Path) -> dict[str, object]:
    """All figures."""
    watch = Stopwatch()
    base = watch("load", load)
    settings = Settings(database_url=f"sqlite:///{folder}/inside.db", wechat=_account())
    library = watch("index", lambda: read_library(settings, base))
    crowd = Crowd([wording for entry in base.entries.values() for wording in entry.wordings], seed=7)
    _messages(watch, settings, library, crowd.shots(count))
    spans = watch.spans
    stages = {
        name: [percentile(times, 0.5), percentile(times, 0.99), sum(times) / count] for name, times in spans.items()
    }
    return {
        "stages": stages,
        "entries": len(base.entries),
        "wordings": sum(len(e.wordings) for e in base.entries.values()),
    }


def _account() -> Wechat:
    return Wechat.model_validate({"token": TOKEN, "encoding_aes_key": AES_KEY, "app_id": APP_ID, "secret": SECRET})


def _messages(watch: Stopwatch, settings: Settings, library: Library, shots: list[Shot]) -> None:
    codec, now = Codec(settings.wechat), datetime.now(UTC)
    arrived = [watch("open", lambda shot=shot: _open(codec, shot, now)) for shot in shots]
    messages = [watch("inbound", lambda one=one: codecs.to_inbound(one.fields, now)) for one in arrived]
    day = now.date()
    for message in messages:
        watch("search", lambda message=message: library.search(message.text, day))
    outcomes = [watch("decide", lambda one=one: handle(Turn(one, State(), now, library))) for one in messages]
    _store(watch, settings, library, messages, dict(zip((one.key for one in messages), outcomes, strict=True)), now)
    for one, outcome in zip(arrived, outcomes, strict=True):
        reply = outcome.say or Reply("")
        watch("seal", lambda one=one, reply=reply: codec.seal(one, render.text(reply), now))


def _open(codec: Codec, shot: Shot, now: datetime) -> codecs.Opened:
    head, _, body = shot.request.partition(b"\r\n\r\n")
    query = head.split(b" ", 2)[1].decode().partition("?")[2]
    return codec.open(dict(parse_qsl(query)), body, now)


def _store(
    watch: Stopwatch, settings: Settings, library: Library, messages: list[Inbound], outcomes: dict[str, Outcome], now: datetime
) -> None:  # fmt: skip
    """The writer's work without its thread: what was decided is put on record, a group to a commit."""
    office = Office(library, uuid7, lambda turn: outcomes[turn.inbound.key])
    db = Database(settings.database_url)
    try:
        migrate(db.engine)
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            execute = cursor_of(conn).execute
            for start in range(0, len(messages), GROUP):
                execute("BEGIN IMMEDIATE")
                for one in messages[start : start + GROUP]:
                    watch("record", lambda one=one: take(conn, office, one, now))
                watch("commit", lambda: execute("COMMIT"))
    finally:
        db.close()


def main() -> None:
    """Arguments: how many messages."""
    for name in [name for name in os.environ if name.startswith("FAWEN_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="fawen-bench-") as folder:
        json.dump(measure(int(sys.argv[1]), Path(folder)), sys.stdout)


if __name__ == "__main__":
    main()
