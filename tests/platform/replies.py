"""Reading a passive reply the way the platform does: anything odd is malformed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element

from tests.platform import screen
from tests.platform.markup import MarkupError, leaf, optional_leaf, parse
from tests.platform.values import Seen


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a passive reply is checked against."""

    openid: str
    account_id: str
    has_media: Callable[[str], bool]
    at: datetime


def read(xml: str, expected: Expectation) -> Seen:
    """Read one passive reply, or raise MarkupError."""
    root = parse(xml)
    _check_address(root, expected)
    kind = leaf(root, "MsgType")
    if kind == "text":
        return _text(root, expected)
    if kind == "news":
        return _news(root, expected)
    if kind in _MEDIA:
        return _media(root, kind, expected)
    message = f"unknown MsgType {kind!r}"
    raise MarkupError(message)


def _check_address(root: Element, expected: Expectation) -> None:
    if (target := leaf(root, "ToUserName")) != expected.openid:
        message = f"addressed to {target!r}, not to {expected.openid!r}"
        raise MarkupError(message)
    if (source := leaf(root, "FromUserName")) != expected.account_id:
        message = f"sent by {source!r}, not by {expected.account_id!r}"
        raise MarkupError(message)
    if not leaf(root, "CreateTime").isdigit():
        message = "CreateTime is not a whole number"
        raise MarkupError(message)


def _text(root: Element, expected: Expectation) -> Seen:
    content = leaf(root, "Content")
    if not content:
        message = "empty text"
        raise MarkupError(message)
    if screen.too_long(content):
        message = f"text of {len(content.encode())} bytes, more than {screen.MAX_TEXT_BYTES}"
        raise MarkupError(message)
    return screen.show_text("passive", content, expected.at)


def _news(root: Element, expected: Expectation) -> Seen:
    items = root.findall("Articles/item")
    if leaf(root, "ArticleCount") != "1" or len(items) != 1:
        message = "a passive news reply holds exactly one article"
        raise MarkupError(message)
    names = {"title": "Title", "description": "Description", "picurl": "PicUrl", "url": "Url"}
    detail = {name: optional_leaf(items[0], element) for name, element in names.items()}
    if not detail["title"]:
        message = "article without a title"
        raise MarkupError(message)
    return screen.show_article("passive", detail, expected.at)


# Kind of reply -> its element, and the field in it that names stored media.
_MEDIA = {
    "image": ("Image", "MediaId"),
    "voice": ("Voice", "MediaId"),
    "video": ("Video", "MediaId"),
    "music": ("Music", "ThumbMediaId"),
}
_EXTRAS = {"title": "Title", "description": "Description", "url": "MusicUrl"}


def _media(root: Element, kind: str, expected: Expectation) -> Seen:
    element, id_field = _MEDIA[kind]
    media_id = leaf(root, f"{element}/{id_field}")
    if not expected.has_media(media_id):
        message = f"no media {media_id!r}"
        raise MarkupError(message)
    extras = {name: optional_leaf(root, f"{element}/{field}") for name, field in _EXTRAS.items()}
    detail = {"media_id": media_id, **{name: value for name, value in extras.items() if value}}
    return screen.show_media("passive", kind, detail, expected.at)
