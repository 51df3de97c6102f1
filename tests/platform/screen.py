"""How a phone shows what arrives: links become labels, menu lines become taps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import unquote

from tests.platform.values import FAULT, Link, Seen, Tap, Via

MAX_TEXT_BYTES = 2048

_TAP = re.compile(r'weixin://bizmsgmenu\?msgmenucontent=([^"&]+)&msgmenuid=([^"&]+)')
_ANCHOR = re.compile(r'<a href="([^"<>]+)">([^<>]+)</a>')


def too_long(text: str) -> bool:
    """Whether the platform refuses a text of this size."""
    return len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES


def show_text(via: Via, text: str, at: datetime) -> Seen:
    """Show a text with its tappable lines and links."""
    taps: list[Tap] = []
    links: list[Link] = []

    def label_of(match: re.Match[str]) -> str:
        target, label = match.groups()
        if tap := _TAP.fullmatch(target):
            taps.append(Tap(label, unquote(tap[1]), unquote(tap[2])))
        elif target.startswith(("http://", "https://")):
            links.append(Link(label, target))
        else:
            return match[0]
        return label

    visible = _ANCHOR.sub(label_of, text)
    return Seen(via, "text", text, at, visible=visible, taps=tuple(taps), links=tuple(links))


def show_menu(head: str, items: Sequence[tuple[str, str]], tail: str, at: datetime) -> Seen:
    """Show a `msgmenu`: tapping an item sends its own words."""
    visible = "\n".join(line for line in (head, *(content for _, content in items), tail) if line)
    taps = tuple(Tap(content, content, menu_id) for menu_id, content in items)
    return Seen("service", "msgmenu", visible, at, visible=visible, taps=taps)


def show_article(via: Via, detail: dict[str, str], at: datetime) -> Seen:
    """Show a news card."""
    visible = "\n".join(line for line in (detail["title"], detail["description"]) if line)
    links = (Link(detail["title"], detail["url"]),) if detail["url"] else ()
    return Seen(via, "news", visible, at, visible=visible, links=links, detail=detail)


def show_media(via: Via, kind: str, detail: dict[str, str], at: datetime) -> Seen:
    """Show a picture, a voice message, a video or music."""
    return Seen(via, kind, "", at, visible=detail.get("title", ""), detail=detail)


def show_template(template_id: str, values: dict[str, str], url: str, at: datetime) -> Seen:
    """Show a template notice."""
    visible = "\n".join(values.values())
    links = (Link("", url),) if url else ()
    return Seen(
        "template", "template", visible, at, visible=visible, links=links, detail={"template_id": template_id, **values}
    )


def show_fault(at: datetime) -> Seen:
    """Show the platform's own excuse for a bot that failed."""
    return Seen("fault", "text", FAULT, at, visible=FAULT)
