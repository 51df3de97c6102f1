"""Fawen's parts by themselves, on the server's core: loading, searching, and where a message's time goes. Prints JSON."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec, TypeVar
from urllib.parse import parse_qsl

from bot.channels.wechat import codec as codecs
from bot.channels.wechat import render
from bot.channels.wechat.codec import Codec, Opened
from bot.conversation.ahead import foresee
from bot.conversation.router import handle
from bot.conversation.turn import Inbound, Library, Outcome, State, Turn
from bot.ids import uuid7
from bot.service.library import serving
from bot.service.turns import Office, take
from bot.settings import Wechat
from bot.store.database import Database, cursor_of
from bot.store.migrate import migrate
from knowledge.load import KnowledgeBase, load
from knowledge.places import Locality
from knowledge.reply import Reply
from knowledge.search.mixer import load_mixer
from knowledge.search.rank import searcher
from tests.bench.load import percentile
from tests.bench.traffic import AES_KEY, APP_ID, SECRET, TOKEN, Crowd, Shot

P = ParamSpec("P")
T = TypeVar("T")
GROUP = 16  # messages to a commit, about what 32 connections give


class Stopwatch:
    """Times calls by name, in microseconds."""

    def __init__(self) -> None:
        self.spans: dict[str, list[float]] = {}

    def __call__(self, name: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        began = time.perf_counter()
        result = work(*args, **kwargs)
        self.spans.setdefault(name, []).append((time.perf_counter() - began) * 1e6)
        return result


def measure(count: int, folder: Path) -> dict[str, object]:
    """All figures."""
    watch = Stopwatch()
    base = watch("load", load)
    library = watch("index", _library, base)
    wordings = [wording for entry in base.entries.values() for wording in entry.wordings]
    _messages(watch, library, Crowd(wordings, seed=7).shots(count), f"sqlite:///{folder}/inside.db")
    spans = watch.spans.items()
    stages = {name: (percentile(times, 0.5), percentile(times, 0.99), sum(times) / count) for name, times in spans}
    return {"stages": stages, "entries": len(base.entries), "wordings": len(wordings)}


def _library(base: KnowledgeBase) -> Library:
    return Library(base, searcher(base, load_mixer()), Locality(base.places))


def _messages(watch: Stopwatch, library: Library, shots: Sequence[Shot], url: str) -> None:
    now = datetime.now(UTC)
    account = {"token": TOKEN, "encoding_aes_key": AES_KEY, "app_id": APP_ID, "secret": SECRET}
    codec = Codec(Wechat.model_validate(account))
    arrived = [watch("open", codec.open, *_parts(shot), now) for shot in shots]
    messages = [watch("inbound", codecs.to_inbound, one.fields, now) for one in arrived]
    outcomes = []
    for start in range(0, len(messages), GROUP):
        group = messages[start : start + GROUP]
        watch("ahead", foresee, group, library, now)
        outcomes += [watch("decide", handle, Turn(message, State(), now, library)) for message in group]
    alone = serving(replace(library, confirmed_only=True), confirmed_only=False).search  # remembers nothing of it
    for message in messages:
        watch("search", alone, message.text, now.date())
    _record(watch, library, messages, outcomes, now, url)
    for one, outcome in zip(arrived, outcomes, strict=True):
        watch("seal", _seal, codec, one, outcome.say or Reply(""), now)


def _parts(shot: Shot) -> tuple[dict[str, str], bytes]:
    head, _, body = shot.request.partition(b"\r\n\r\n")
    return dict(parse_qsl(head.split(b" ", 2)[1].decode().partition("?")[2])), body


def _seal(codec: Codec, opened: Opened, reply: Reply, now: datetime) -> bytes:
    return codec.seal(opened, render.text(reply), now)


def _record(
    watch: Stopwatch,
    library: Library,
    messages: Sequence[Inbound],
    outcomes: Sequence[Outcome],
    now: datetime,
    url: str,
) -> None:
    """The writer's work without its thread: what was decided is put on record, a group to a commit."""
    decided = dict(zip((message.key for message in messages), outcomes, strict=True))
    office = Office(library, uuid7, lambda turn: decided[turn.inbound.key])
    db = Database(url)
    try:
        migrate(db.engine)
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            execute = cursor_of(conn).execute
            for start in range(0, len(messages), GROUP):
                execute("BEGIN IMMEDIATE")
                for message in messages[start : start + GROUP]:
                    watch("record", take, conn, office, message, now)
                watch("commit", execute, "COMMIT")
    finally:
        db.close()


def main() -> None:
    """Arguments: how many messages."""
    with tempfile.TemporaryDirectory(prefix="fawen-bench-") as folder:
        json.dump(measure(int(sys.argv[1]), Path(folder)), sys.stdout)


if __name__ == "__main__":
    main()
