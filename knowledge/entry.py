"""Typed knowledge entries: one matter a citizen would ask about, one self-contained answer."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec

Kind = Literal["legal", "petition", "approval"]
KIND_NAMES: dict[str, str] = {"legal": "法律", "petition": "信访", "approval": "审批"}

Text = Annotated[str, msgspec.Meta(min_length=1)]
EntryId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=60)]
# A period with its unit, so that dates can be computed from it.
Period = Annotated[str, msgspec.Meta(pattern=r"^\d+(日|天|小时|周|个月|年|个工作日)$")]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every value read from content: immutable, and strict about names."""


class Deadline(Part, frozen=True, kw_only=True):
    """A period that matters: what must happen, how long, counted from when."""

    what: Text
    within: Period
    starts: Text = msgspec.field(name="from")
    days: Literal["calendar", "working"] = "calendar"
    basis: str | None = None


class Where(Part, frozen=True, kw_only=True):
    """An office to go to; `place` is a key of the locality file."""

    office: Text
    place: str | None = None
    hotline: str | None = None


class Validity(Part, frozen=True, kw_only=True):
    """The days on which an entry may be served, both ends included."""

    starts: date | None = msgspec.field(name="from", default=None)
    ends: date | None = msgspec.field(name="to", default=None)


class Unverified(Part, frozen=True, kw_only=True):
    """A citation whose text could not be opened: it needs a lawyer's eye."""

    cite: Text
    note: Text


class Confirmation(Part, frozen=True, kw_only=True):
    """Which lawyer of the county confirmed an entry, and when."""

    by: Text
    on: date


class Material(Part, frozen=True, kw_only=True):
    """A paper to hand in for an approval item."""

    name: Text
    original: bool = True
    copies: int = 0
    flag: Literal["告知承诺", "免提交"] | None = None
    when: str | None = None


class Approval(Part, frozen=True, kw_only=True):
    """What a one-time notice (一次性告知) needs."""

    decided_by: Text
    applicant: Text
    conditions: tuple[Text, ...] = ()
    materials: tuple[Material, ...] = ()
    statutory_limit: Text
    promised_limit: Text
    fee: Text
    window: Text
    result: Text
    packages: tuple[EntryId, ...] = ()


class Entry(Part, frozen=True, kw_only=True):
    """One question of the knowledge base with its answer, basis and dates."""

    id: EntryId
    kind: Kind
    category: Text
    question: Text
    asks: tuple[Text, ...]
    answer: Text
    more: str = ""
    steps: tuple[Text, ...] = ()
    materials: tuple[Text, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    where: tuple[Where, ...] = ()
    basis: tuple[Text, ...] = ()
    unverified: tuple[Unverified, ...] = ()
    see_also: tuple[EntryId, ...] = ()
    valid: Validity = Validity()
    # The entry in whose place this one stands once its own dates have come.
    succeeds: EntryId | None = None
    reviewed: date
    confirmed: Confirmation | None = None
    note: str = ""
    approval: Approval | None = None
    # Real questions that staff attached: searched like `asks`, but no part of the text that was read and confirmed.
    asked: tuple[Text, ...] = ()
    # Filled by the loader.
    version: str = ""
    source: str = ""

    @property
    def wordings(self) -> tuple[str, ...]:
        """Every way this entry is asked: the standard question first."""
        return (self.question, *self.asks, *self.asked)

    @property
    def citations(self) -> tuple[str, ...]:
        """All citations, verified ones first, as `<law>第X条…` strings."""
        return (*self.basis, *(item.cite for item in self.unverified))
