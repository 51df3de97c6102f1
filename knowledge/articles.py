"""The full texts of laws, where a county has them: a folder with one file a law, `第X条<TAB>text` a line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from knowledge.citation import Citation


@dataclass(frozen=True)
class Articles:
    """Looks articles up; without a folder it knows none."""

    folder: Path | None = None
    _read: dict[str, dict[str, str]] = field(default_factory=dict)

    def text(self, cite: Citation) -> str | None:
        """The article as it stands in the law, or None if its text is not at hand."""
        return self._law(cite.law).get(cite.label)

    def all(self, cites: Iterable[Citation]) -> list[tuple[str, str | None]]:
        """Each article once, as `<law>第X条` with its text."""
        found = {f"{cite.law}{cite.label}": self.text(cite) for cite in cites}
        return list(found.items())

    def _law(self, name: str) -> dict[str, str]:
        if name not in self._read:
            self._read[name] = self._lines(name)
        return self._read[name]

    def _lines(self, name: str) -> dict[str, str]:
        # A name from an entry must not lead out of the folder.
        path = self.folder / f"{name}.txt" if self.folder and Path(name).name == name else None
        try:
            lines = path.read_text(encoding="utf-8").splitlines() if path else []
        except OSError:
            return {}
        return {label: text.strip() for label, tab, text in (line.partition("\t") for line in lines) if tab}
