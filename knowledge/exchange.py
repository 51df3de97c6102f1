"""A county's own content as files in the format of the shipped ones, and back."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml
from msgspec.structs import replace

from knowledge.entry import Entry
from knowledge.load import ContentError, KnowledgeBase, content_files, fingerprint, read_entries, read_yaml
from knowledge.overlay import SOURCE, Overlay, Reading, overlaid

# Beside the entries: what is not served any more, and what is none of our business.
EXTRAS = "county.yaml"
_KEPT_ELSEWHERE = {"kind", "category", "version", "source"}


class _Extras(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    retired: tuple[str, ...] = ()
    not_ours: Annotated[tuple[str, ...], msgspec.Meta(max_length=100_000)] = ()


class Parcel(msgspec.Struct, frozen=True):
    """What the files hold: whole entries with their questions and confirmations, ids to retire, messages not ours."""

    entries: dict[str, Entry] = msgspec.field(default_factory=dict)
    retired: tuple[str, ...] = ()
    strangers: frozenset[str] = frozenset()

    def overlay(self) -> Overlay:
        """The same as it is laid over the shipped files."""
        bare = {key: _bare(entry) for key, entry in self.entries.items()}
        texts: dict[str, Entry | None] = {**bare, **dict.fromkeys(self.retired)}
        asked = {key: entry.asked for key, entry in self.entries.items() if entry.asked}
        readings = {
            key: Reading(bare[key].version, entry.confirmed) for key, entry in self.entries.items() if entry.confirmed
        }
        return Overlay(texts, asked, readings, self.strangers)


def parcel(base: KnowledgeBase, overlay: Overlay) -> Parcel:
    """Everything in which the county differs from the shipped files."""
    served = overlaid(base, overlay).entries
    touched = {*overlay.texts, *overlay.asked, *overlay.readings}
    own = {key: served[key] for key in sorted(touched) if key in served and served[key] != base.entries.get(key)}
    retired = sorted(key for key in touched if key not in served and (key in base.entries or key in overlay.texts))
    return Parcel(own, tuple(retired), overlay.strangers)


def written(content: Parcel) -> dict[str, str]:
    """Path and text of each file."""
    by_file: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in content.entries.values():
        by_file[entry.kind, entry.category].append(entry)
    files = {
        f"{kind}/{category.removeprefix(f'{kind}.').replace('.', '/')}.yaml": _dump(
            {"kind": kind, "category": category, "entries": [_plain(entry) for entry in entries]}
        )
        for (kind, category), entries in sorted(by_file.items())
    }
    files[EXTRAS] = _dump({"retired": list(content.retired), "not_ours": sorted(content.strangers)})
    return files


def read(root: Path) -> Parcel:
    """The content of a folder; ContentError names file, entry and field."""
    if not (root / EXTRAS).is_file():
        raise ContentError(f"{root}: holds no {EXTRAS}: not a folder that export wrote")
    problems: list[ContentError] = []
    entries: dict[str, Entry] = {}
    for path in content_files(root):
        for entry in read_entries(path, root, problems):
            if entry.id in entries:
                problems.append(ContentError(f"{entry.source}: {entry.id} stands twice"))
            entries[entry.id] = replace(entry, source=SOURCE)
    if problems:
        raise problems[0]
    try:
        extras = msgspec.convert(read_yaml(root / EXTRAS), _Extras)
    except msgspec.ValidationError as error:
        raise ContentError(f"{EXTRAS}: {error}") from error
    return Parcel(entries, extras.retired, frozenset(extras.not_ours))


def _bare(entry: Entry) -> Entry:
    bare = replace(entry, asked=(), confirmed=None)
    return replace(bare, version=fingerprint(bare))


def _plain(entry: Entry) -> dict[str, Any]:
    """An entry as a mapping, without what is empty or stands at the top of the file."""
    shown: dict[str, Any] = msgspec.to_builtins(entry, builtin_types=(date,))
    return {key: _filled(value) for key, value in shown.items() if key not in _KEPT_ELSEWHERE and _filled(value)}


def _filled(value: Any) -> Any:
    """Without what was left open."""
    if isinstance(value, dict):
        return {key: _filled(one) for key, one in value.items() if one is not None}
    return [_filled(one) for one in value] if isinstance(value, list | tuple) else value


def _dump(value: dict[str, Any]) -> str:
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120)


class _Dumper(yaml.SafeDumper):
    """Long texts as blocks, as people write them."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)
