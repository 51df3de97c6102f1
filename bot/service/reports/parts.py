"""What a report is made of, whatever it is printed as."""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

BLANK = "＿＿＿（请填写）"


class Blank(msgspec.Struct, frozen=True):
    """A figure the records cannot support: it stays visibly open for the person who hands the report in."""

    about: str


class Paragraph(msgspec.Struct, frozen=True):
    """Words and blanks; `lead` is the opening set in another face, as such notices do."""

    words: tuple[str | Blank, ...]
    lead: str = ""

    @property
    def text(self) -> str:
        """As it reads."""
        return self.lead + "".join(BLANK if isinstance(one, Blank) else one for one in self.words)


class Sheet(msgspec.Struct, frozen=True):
    """A table of the report: every cell as it is printed."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Series(msgspec.Struct, frozen=True):
    """Numbers of a chart, one for each label."""

    name: str
    values: tuple[float, ...]


class Chart(msgspec.Struct, frozen=True):
    """A chart of the report. `form`: how its numbers read (a spreadsheet's format)."""

    caption: str
    kind: Literal["column", "bar"]
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    form: str = "0"


class Section(msgspec.Struct, frozen=True):
    """一、…: a heading and what stands below it."""

    heading: str
    body: tuple[Paragraph | Sheet | Chart, ...]


class Report(msgspec.Struct, frozen=True):
    """A whole report. The title stands on two lines."""

    title: tuple[str, str]
    opening: Paragraph
    sections: tuple[Section, ...]
    signed: str
    day: date
    demo: bool

    @property
    def blanks(self) -> tuple[Blank, ...]:
        """All that is left to fill in, in order."""
        paragraphs = [one for section in self.sections for one in section.body if isinstance(one, Paragraph)]
        return tuple(word for one in paragraphs for word in one.words if isinstance(word, Blank))
