"""The platform's XML: writing with CDATA, reading strictly."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from tests.platform.values import Value

# XML 1.0 cannot carry these at all, so the platform drops them from what a citizen typed.
_UNSPEAKABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class MarkupError(ValueError):
    """The bot's XML is not what the platform accepts."""


def cdata(text: str) -> str:
    """Wrap text in CDATA, split where it would end the section early."""
    return "<![CDATA[" + _UNSPEAKABLE.sub("", text).replace("]]>", "]]]]><![CDATA[>") + "]]>"


def build(fields: Iterable[tuple[str, Value]]) -> str:
    """Write one `<xml>` document: texts as CDATA, numbers bare."""
    lines = (f"<{name}>{cdata(value) if isinstance(value, str) else value}</{name}>" for name, value in fields)
    return "<xml>" + "\n".join(lines) + "</xml>"


def parse(text: str) -> ET.Element:
    """Read one `<xml>` document."""
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        message = f"not XML: {error}"
        raise MarkupError(message) from error
    if root.tag != "xml":
        message = f"root element is <{root.tag}>, not <xml>"
        raise MarkupError(message)
    return root


def leaf(parent: ET.Element, path: str) -> str:
    """Text of the one element at `path`, which must exist once and hold text only."""
    found = parent.findall(path)
    if len(found) != 1:
        message = f"<{path}> occurs {len(found)} times"
        raise MarkupError(message)
    if len(found[0]):
        message = f"<{path}> holds markup where text belongs"
        raise MarkupError(message)
    return found[0].text or ""


def optional_leaf(parent: ET.Element, path: str) -> str:
    """Text of the element at `path`, empty when absent."""
    return leaf(parent, path) if parent.findall(path) else ""
