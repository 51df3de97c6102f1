"""What to look for in the log, as it stands in a page's address. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Literal
from urllib.parse import urlencode

import msgspec
from msgspec.structs import replace

from bot.conversation.turn import LOCAL

# In an address, a value that is not there: kind=- are the consultations whose kind nobody knows.
NONE = "-"
# As many values as a figure may stand for: a centre's whole staff.
MOST_WORDS, LONGEST_WORD, MOST_VALUES, LONGEST_VALUE = 5, 40, 200, 64
Type = Literal["text", "number", "flag"]


class Field(msgspec.Struct, frozen=True):
    """Something consultations are told apart by. `facet`: few enough values to count them all beside a list.

    `numbers`: those a field of this type may have.
    """

    name: str
    label: str
    type: Type = "text"
    facet: bool = True
    numbers: range = range(0)


FIELDS: tuple[Field, ...] = (
    Field("outcome", "结果"),
    Field("grade", "评价", "number", numbers=range(6)),
    Field("kind", "类型"),
    Field("category", "事项"),
    Field("township", "乡镇"),
    Field("handled_by", "办理人"),
    Field("handed", "转人工", "flag"),
    Field("service", "服务结果"),
    Field("channel", "渠道"),
    Field("verdict", "机器判断"),
    Field("urgent", "急件", "flag"),
    Field("entry", "答复条目", facet=False),
    Field("first", "头一句", facet=False),
    Field("ended", "转人工结局", facet=False),
    # As the county's clock has it when the consultation began; Monday is 1.
    Field("weekday", "星期几", "number", facet=False, numbers=range(1, 8)),
    Field("hour", "几点", "number", facet=False, numbers=range(24)),
)
BY_NAME = {field.name: field for field in FIELDS}


class Filter(msgspec.Struct, frozen=True):
    """Days in the county, both included; for each field the values that fit; words that were all said."""

    first: date | None = None
    last: date | None = None
    chosen: tuple[tuple[str, tuple[str, ...]], ...] = ()
    words: tuple[str, ...] = ()

    def values(self, name: str) -> tuple[str, ...]:
        """The values that fit in a field; none: all do."""
        return dict(self.chosen).get(name, ())

    def only(self, name: str, *values: str) -> Filter:
        """The same with these values in a field; none given: the field no longer matters."""
        kept = {**dict(self.chosen), name: values}
        return replace(self, chosen=_ordered(kept))

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """As pairs of an address, in a fixed order."""
        found = [(name, value or NONE) for name, values in self.chosen for value in values]
        days = [("from", self.first), ("until", self.last)]
        found += [(name, day.isoformat()) for name, day in days if day is not None]
        return [*found, ("words", " ".join(self.words))] if self.words else found

    @property
    def query(self) -> str:
        """As part of an address, without the question mark."""
        return urlencode(self.pairs)

    @property
    def start(self) -> datetime | None:
        """The first moment that fits."""
        return None if self.first is None else datetime.combine(self.first, time(), LOCAL)

    @property
    def end(self) -> datetime | None:
        """The first moment that no longer fits."""
        return None if self.last is None else datetime.combine(self.last + timedelta(days=1), time(), LOCAL)


def read(pairs: Iterable[tuple[str, str]]) -> tuple[Filter, tuple[str, ...]]:
    """A filter from the pairs of an address, and the labels of what could not be understood and was left out."""
    faults: list[str] = []
    days: dict[str, date] = {}
    chosen: dict[str, tuple[str, ...]] = {}
    words: tuple[str, ...] = ()
    for name, raw in pairs:
        value = raw.strip().replace("\x00", "")
        if not value:
            continue
        if name in {"from", "until"}:
            try:
                days[name] = _day(value)
            except ValueError:
                faults.append("日期")
        elif name == "words":
            words = tuple(dict.fromkeys(word[:LONGEST_WORD] for word in value.split()))[:MOST_WORDS]
        elif name in BY_NAME:
            if not _fits(BY_NAME[name], value):
                faults.append(BY_NAME[name].label)
            else:
                both = (*chosen.get(name, ()), "" if value == NONE else value)
                chosen[name] = tuple(dict.fromkeys(both))[:MOST_VALUES]
    found = Filter(days.get("from"), days.get("until"), _ordered(chosen), words)
    return found, tuple(dict.fromkeys(faults))


def _day(value: str) -> date:
    day = date.fromisoformat(value)
    # Nothing is on record outside these, and a day after the last one must exist.
    if not date(2000, 1, 1) <= day <= date(2999, 1, 1):
        raise ValueError(value)
    return day


def _fits(field: Field, value: str) -> bool:
    if field.type == "flag":
        return value in {"0", "1"}
    if field.type == "number":
        return value in map(str, field.numbers)
    return len(value) <= LONGEST_VALUE


def _ordered(chosen: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((field.name, chosen[field.name]) for field in FIELDS if chosen.get(field.name))
