"""Read the content folder into one frozen KnowledgeBase."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec.structs import replace

from knowledge import citation
from knowledge.entry import Entry
from knowledge.places import Locality, PlaceKind
from knowledge.statutes import Statutes

CONTENT = Path(__file__).parent / "content"
KIND_FOLDERS = ("legal", "petition", "approval")
_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ContentError(Exception):
    """A content file cannot be used; the message names file, entry and field."""


@dataclass(frozen=True)
class KnowledgeBase:
    """Every entry by id, with the registry and the kinds of places they rest on."""

    entries: dict[str, Entry]
    statutes: Statutes
    places: dict[str, PlaceKind]
    lexicon: dict[str, tuple[str, ...]]

    @cached_property
    def nowhere(self) -> Locality:
        """A locality that knows no local facts: every place falls back to a hotline."""
        return Locality(self.places)

    def servable(self, entry: Entry, day: date, *, confirmed_only: bool = False) -> bool:
        """Whether the entry may answer a citizen on `day`: valid, and every law it rests on in force."""
        if confirmed_only and entry.confirmed is None:
            return False
        starts, ends = self._spans[entry.id]
        return starts <= day <= ends

    def in_force(self, entry: Entry, day: date, *, confirmed_only: bool = False) -> Entry | None:
        """The entry that may answer on `day` what this one is about: itself, or what has taken its place."""
        known: Entry | None = entry
        while known is not None and not self.servable(known, day, confirmed_only=confirmed_only):
            known = self._successors.get(known.id)
        return known

    @cached_property
    def _successors(self) -> dict[str, Entry]:
        return {entry.succeeds: entry for entry in self.entries.values() if entry.succeeds}

    @cached_property
    def _spans(self) -> dict[str, tuple[date, date]]:
        return {entry.id: self._span(entry) for entry in self.entries.values()}

    def _span(self, entry: Entry) -> tuple[date, date]:
        """The days on which an entry and all its laws are valid; an empty span if a law is not registered."""
        laws = [self.statutes.laws.get(cite.law) for cite in self.cited(entry)]
        known = [law for law in laws if law is not None]
        if len(known) < len(laws):
            return date.max, date.min
        starts = [law.effective for law in known] + [entry.valid.starts or date.min]
        ends = [law.until or date.max for law in known] + [entry.valid.ends or date.max]
        return max(starts), min(ends)

    def cited(self, entry: Entry) -> list[citation.Citation]:
        """All citations of an entry, read."""
        return [citation.parse(cite) for cite in entry.citations]

    def basis_line(self, entry: Entry) -> str:
        """Law and articles as one short line; what could not be opened is marked 待核."""
        key = (entry.basis, entry.unverified)
        line = self._basis_lines.get(key)
        if line is None:
            line = self._basis_lines[key] = self._write_basis(entry)
        return line

    @cached_property
    def _basis_lines(self) -> dict[object, str]:
        return {}

    def _write_basis(self, entry: Entry) -> str:
        short = self.statutes.short
        verified = citation.summarise(map(citation.parse, entry.basis), short)
        doubtful = citation.summarise((citation.parse(item.cite) for item in entry.unverified), short)
        return "；".join(filter(None, (verified, doubtful and f"{doubtful}（待核）")))


def read_yaml(path: Path) -> Any:
    """Parse one YAML file; ContentError names file and line."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ContentError(f"{path}: {' '.join(str(error).split())}") from error


def content_files(root: Path) -> list[Path]:
    """All entry files below the three kind folders, in a stable order."""
    return sorted(path for folder in KIND_FOLDERS for path in (root / folder).rglob("*.yaml"))


def read_entries(path: Path, root: Path, problems: list[ContentError]) -> Iterator[Entry]:
    """The entries of one file; what is wrong with the others is added to `problems`."""
    source = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    try:
        raw = read_yaml(path)
    except ContentError as error:
        problems.append(ContentError(f"{source}: {error.__cause__ or error}"))
        return
    if not isinstance(raw, dict) or set(raw) != {"kind", "category", "entries"}:
        problems.append(ContentError(f"{source}: needs exactly kind, category and entries at the top"))
        return
    for row in raw["entries"] or ():
        label = row.get("id") if isinstance(row, dict) else None
        try:
            entry = msgspec.convert({"kind": raw["kind"], "category": raw["category"], "source": source} | row, Entry)
        except (msgspec.ValidationError, TypeError) as error:
            problems.append(ContentError(f"{source}: {label}: {error}"))
        else:
            yield replace(entry, version=fingerprint(entry))


def fingerprint(entry: Entry) -> str:
    """A short hash of everything an entry says, so that a record names the very text served.

    Who confirmed it and what was attached to it change nothing of the text.
    """
    text = replace(entry, version="", source="", confirmed=None, asked=())
    return hashlib.sha256(msgspec.json.encode(text)).hexdigest()[:12]


def load(root: Path = CONTENT, problems: list[ContentError] | None = None) -> KnowledgeBase:
    """Read everything below `root`; the first fault is raised, or all are added to `problems` if it is given."""
    faults: list[ContentError] = [] if problems is None else problems
    entries: dict[str, Entry] = {}
    for path in content_files(root):
        for entry in read_entries(path, root, faults):
            if entry.id in entries:
                faults.append(ContentError(f"{entry.source}: {entry.id} stands already in {entries[entry.id].source}"))
            entries[entry.id] = entry
    if faults and problems is None:
        raise faults[0]
    try:
        statutes = Statutes.of(read_yaml(root / "statutes.yaml"))
        places = msgspec.convert(read_yaml(root / "places.yaml"), dict[str, PlaceKind])
        lexicon = msgspec.convert(read_yaml(root / "lexicon.yaml"), dict[str, tuple[str, ...]])
    except msgspec.ValidationError as error:
        raise ContentError(f"{root}: {error}") from error
    return KnowledgeBase(entries, statutes, places, lexicon)
