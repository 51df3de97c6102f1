"""The build one writes first: every wording compared by rapidfuzz, one commit per message, all in the event loop.

It gets Fawen's own wordings, database settings and libraries, so that only the way it is built differs.
"""

from __future__ import annotations

import os
import sqlite3
from functools import partial

from aiohttp import web
from rapidfuzz import process
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto

from knowledge.load import load

SCHEMA = (
    "CREATE TABLE messages (id INTEGER PRIMARY KEY, citizen TEXT NOT NULL, text TEXT NOT NULL, reply TEXT NOT NULL)"
)


def open_log() -> sqlite3.Connection:
    """The database, as safe as Fawen's: what is committed survives a power cut."""
    log = sqlite3.connect(os.environ["BENCH_DATABASE"])
    log.execute("PRAGMA journal_mode = WAL")
    log.execute("PRAGMA synchronous = FULL")
    log.execute(SCHEMA)
    return log


async def wechat(
    crypto: WeChatCrypto, log: sqlite3.Connection, answers: dict[str, str], wordings: list[str], request: web.Request
) -> web.Response:
    """Verify, decrypt, search, commit, encrypt."""
    query = request.query
    timestamp, nonce = query["timestamp"], query["nonce"]
    plain = crypto.decrypt_message(await request.text(), query["msg_signature"], timestamp, nonce)
    message = parse_message(plain)
    found = process.extractOne(message.content, wordings)
    reply = answers[found[0]]
    with log:
        row = (message.id, message.source, message.content, reply)
        log.execute("INSERT INTO messages VALUES (?, ?, ?, ?)", row)
    sealed = crypto.encrypt_message(create_reply(reply, message).render(), nonce, timestamp)
    return web.Response(text=sealed, content_type="application/xml")


def main() -> None:
    """Serve on BENCH_PORT."""
    answers = {wording: entry.answer for entry in load().entries.values() for wording in entry.wordings}
    crypto = WeChatCrypto(os.environ["BENCH_TOKEN"], os.environ["BENCH_AES_KEY"], os.environ["BENCH_APP_ID"])
    app = web.Application()
    app.router.add_post("/wechat", partial(wechat, crypto, open_log(), answers, list(answers)))
    web.run_app(app, host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), access_log=None, print=None)


if __name__ == "__main__":
    main()
