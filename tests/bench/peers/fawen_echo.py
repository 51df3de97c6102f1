"""Fawen's own channel with an echo behind it: HTTP, signatures, XML and encryption as in the product, and none of its work."""

from __future__ import annotations

import os

import uvloop
from aiohttp import web

from bot.channels.wechat.codec import Codec
from bot.channels.wechat.webhook import Webhook
from bot.conversation.turn import Inbound
from bot.desk import Desk
from bot.ids import utc_now
from bot.metrics import Metrics
from bot.service.inbox import Handled
from bot.settings import Wechat
from knowledge.reply import Reply


class Echo(Desk):
    """Says what was said."""

    def __init__(self) -> None:
        """Needs nothing."""

    async def handle(self, inbound: Inbound) -> Handled:
        """The message itself."""
        return Handled(inbound.key, Reply(inbound.text), fresh=True)


async def never_late(_handled: Handled) -> None:
    """An echo is not late."""


def main() -> None:
    """Serve on BENCH_PORT."""
    names = {"token": "TOKEN", "encoding_aes_key": "AES_KEY", "app_id": "APP_ID", "secret": "TOKEN"}
    settings = Wechat.model_validate({name: os.environ[f"BENCH_{named}"] for name, named in names.items()})
    app = web.Application()
    app.add_routes(Webhook(settings, Codec(settings), Echo(), utc_now, Metrics(), never_late, set()).routes())
    port = int(os.environ["BENCH_PORT"])
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None, loop=uvloop.new_event_loop())


if __name__ == "__main__":
    main()
