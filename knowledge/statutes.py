"""The registry of every law an entry may cite: which articles exist, and when the text is in force."""

from __future__ import annotations

from datetime import date

import msgspec

from knowledge.citation import Citation
from knowledge.entry import Part, Text
from knowledge.said import Said


class Law(Part, frozen=True, kw_only=True):
    """One text of one law. `articles` is 0 where the text in force could not be read."""

    name: Text
    level: Text
    version: date
    effective: date
    until: date | None = None
    articles: int = 0
    inserted: tuple[str, ...] = ()
    short: str = ""
    note: str = ""

    def in_force(self, day: date) -> bool:
        """Whether this text is the law on `day`."""
        return self.effective <= day and (self.until is None or day <= self.until)

    def holds(self, cite: Citation) -> bool:
        """Whether the article exists in this text."""
        if cite.extra:
            return cite.label in self.inserted
        return 1 <= cite.article <= self.articles


class Statutes(msgspec.Struct, frozen=True):
    """All registered laws by name."""

    laws: dict[str, Law]
    short: dict[str, str]

    @classmethod
    def of(cls, raw: object) -> Statutes:
        """Build from the parsed registry file; msgspec.ValidationError on a malformed row."""
        rows = msgspec.convert(raw, list[Law])
        return cls({law.name: law for law in rows}, {law.name: law.short for law in rows if law.short})

    def fault(self, cite: Citation, day: date, *, need_text: bool = True) -> Said | None:
        """What is wrong with citing this article on `day`, or None."""
        law = self.laws.get(cite.law)
        if law is None:
            return Said(f"{cite.law} is not in statutes.yaml", f"《{cite.law}》不在法律目录里，请写目录里的全称")
        if not law.in_force(day):
            return Said(f"{cite.law} is not in force on {day}", _not_in_force(law, day))
        if need_text and not law.articles:
            return Said(
                f"{cite.law}: text not available, so the citation belongs under `unverified`",
                f"《{cite.law}》的条文没能核对，请把{cite.label}写到“待核的依据”里",
            )
        if law.articles and not law.holds(cite):
            return Said(f"{cite.law} has no {cite.label}", f"《{cite.law}》没有{cite.label}")
        return None


def _not_in_force(law: Law, day: date) -> str:
    if law.until is not None and day > law.until:
        return f"《{law.name}》{law.until}起已经失效，不能再作依据，请改用现行法律的条文"
    return f"《{law.name}》要到{law.effective}才施行，{day}还不能作依据"
