"""An echo bot on wechatpy and Flask, after wechatpy's `examples/echo-encrypted`. Served by gunicorn: one sync worker."""

from __future__ import annotations

import os

from flask import Flask, abort, request  # type: ignore[import-not-found] # lives in .venv-bench
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException
from wechatpy.utils import check_signature

TOKEN = os.environ["BENCH_TOKEN"]
crypto = WeChatCrypto(TOKEN, os.environ["BENCH_AES_KEY"], os.environ["BENCH_APP_ID"])
app = Flask(__name__)


def wechat() -> str:
    """Verify, decrypt, echo, encrypt."""
    query = request.args
    timestamp, nonce = query["timestamp"], query["nonce"]
    try:
        check_signature(TOKEN, query["signature"], timestamp, nonce)
        plain = crypto.decrypt_message(request.data, query["msg_signature"], timestamp, nonce)
    except InvalidSignatureException:
        abort(403)
    message = parse_message(plain)
    sealed: str = crypto.encrypt_message(create_reply(message.content, message).render(), nonce, timestamp)
    return sealed


app.add_url_rule("/wechat", view_func=wechat, methods=["POST"])
