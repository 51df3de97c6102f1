"""Citations of Chinese law: `<law>第X条[之Y][第N款][第（N）项]`."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

_DIGITS = "零一二三四五六七八九"
_UNITS = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = r"[零〇一二两三四五六七八九十百千\d]+"
_CITATION = re.compile(
    rf"^(?P<law>.+?)第(?P<article>{_NUMERAL})条(?:之(?P<extra>{_NUMERAL}))?"
    rf"(?:第(?P<clause>{_NUMERAL})款)?(?:第[（(]?(?P<item>{_NUMERAL})[）)]?项)?$"
)
ARTICLE = re.compile(rf"第{_NUMERAL}条(?:之{_NUMERAL})?")
TITLE = re.compile(r"《([^《》]+)》")


def to_int(numeral: str) -> int:
    """Read a Chinese or Arabic numeral below 10,000; ValueError if it is none."""
    if numeral.isdigit():
        return int(numeral)
    total = digit = 0
    for char in numeral.replace("〇", "零").replace("两", "二"):
        if char in _UNITS:
            total += (digit or 1) * _UNITS[char]
            digit = 0
        else:
            digit = _DIGITS.index(char)
    return total + digit


def to_chinese(number: int) -> str:
    """Write 1..9,999 the way statutes number their articles (第一百一十条)."""
    text, gap = "", False
    for unit, size in (("千", 1000), ("百", 100), ("十", 10), ("", 1)):
        digit = number // size % 10
        if digit:
            text += ("零" if gap and text else "") + _DIGITS[digit] + unit
            gap = False
        else:
            gap = True
    return text[1:] if text.startswith("一十") else text


class Citation(msgspec.Struct, frozen=True, order=True):
    """One article of one law. `extra` is the Y of 第X条之Y, 0 if there is none."""

    law: str
    article: int
    extra: int = 0
    clause: int = 0
    item: int = 0

    @property
    def label(self) -> str:
        """`第X条[之Y]` in Chinese numerals, as statutes print it."""
        return f"第{to_chinese(self.article)}条" + (f"之{to_chinese(self.extra)}" if self.extra else "")


def parse(text: str) -> Citation:
    """Read a citation string; ValueError when it names no article."""
    match = _CITATION.match(text.strip())
    if match is None:
        raise ValueError(f"not a citation: {text!r}")
    numbers = {name: to_int(value) if value else 0 for name, value in match.groupdict().items() if name != "law"}
    return Citation(match["law"].strip("《》"), **numbers)


def summarise(citations: Iterable[Citation], short: dict[str, str]) -> str:
    """One line for a phone: `劳动合同法第30、85条；民法典第188条`, laws in order of first mention."""
    grouped: dict[str, list[str]] = {}
    for cite in citations:
        number = f"{cite.article}" + (f"条之{to_chinese(cite.extra)}" if cite.extra else "")
        numbers = grouped.setdefault(short.get(cite.law, cite.law), [])
        if number not in numbers:
            numbers.append(number)
    return "；".join(f"{law}第{_join(numbers)}" for law, numbers in grouped.items())


def _join(numbers: list[str]) -> str:
    plain = [number for number in numbers if "条" not in number]
    special = [number for number in numbers if "条" in number]
    parts = ["、".join(plain) + "条"] if plain else []
    return "、第".join(parts + special)
