"""The platform's error answers."""

from __future__ import annotations

MESSAGES = {
    -1: "system error",
    0: "ok",
    40001: "invalid credential, access_token is invalid or not latest",
    40003: "invalid openid",
    40007: "invalid media_id",
    40013: "invalid appid",
    40014: "invalid access_token",
    40016: "invalid button size",
    40017: "invalid button type",
    40018: "invalid button name size",
    40019: "invalid button key size",
    40020: "invalid button url size",
    40023: "invalid sub button size",
    40025: "invalid sub button name size",
    40029: "invalid code",
    40037: "invalid template_id",
    40053: "invalid action info",
    40125: "invalid appsecret",
    41001: "access_token missing",
    42001: "access_token expired",
    43004: "require subscribe",
    44004: "empty content",
    45002: "content size out of limit",
    45008: "article size out of limit",
    45009: "reach max api daily quota limit",
    45015: "response out of time limit or subscription is canceled",
    45029: "qrcode count out of limit",
    45047: "out of response count limit",
    46003: "menu no exist",
    47001: "data format error",
    48001: "api unauthorized",
}


class RefusalError(Exception):
    """A call the platform answers with an errcode."""

    def __init__(self, errcode: int) -> None:
        super().__init__(errcode, MESSAGES.get(errcode, "unknown"))
        self.errcode = errcode


def error_body(errcode: int) -> dict[str, object]:
    """The JSON answer for an errcode."""
    return {"errcode": errcode, "errmsg": MESSAGES.get(errcode, "error")}
