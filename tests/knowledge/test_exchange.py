"""A county's content to files and back: nothing is lost, nothing made up."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from knowledge.entry import Confirmation, Entry
from knowledge.exchange import EXTRAS, Parcel, parcel, read, written
from knowledge.load import ContentError, KnowledgeBase, fingerprint, load
from knowledge.overlay import SOURCE, Overlay, Reading, overlaid

BASE = load()
IDS = sorted(BASE.entries)
WORDS = st.text("工钱没给yes: -#'\"|>{}\n 12%、。", min_size=1, max_size=40).map(str.strip).filter(bool)
LAWYER = Confirmation(by="张律师", on=date(2026, 11, 20))


def own(entry_id: str, answer: str, question: str) -> Entry:
    made = replace(BASE.entries[entry_id], answer=answer, question=question, source=SOURCE)
    return replace(made, version=fingerprint(made))


TEXTS = st.dictionaries(st.sampled_from(IDS), st.one_of(st.none(), st.tuples(WORDS, WORDS)), max_size=4).map(
    lambda chosen: {key: own(key, *words) if words else None for key, words in chosen.items()}
)
ASKED = st.dictionaries(
    st.sampled_from(IDS), st.lists(WORDS, min_size=1, max_size=3, unique=True).map(tuple), max_size=3
)
READ = st.dictionaries(st.sampled_from(IDS), st.sampled_from([LAWYER, None]), max_size=3)


def there_and_back(content: Parcel) -> Parcel:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in written(content).items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return read(Path(folder))


def served(overlay: Overlay) -> dict[str, Entry]:
    """What citizens get; where a text stands is no part of it."""
    entries = overlaid(BASE, overlay).entries
    return {key: replace(entry, source="") for key, entry in entries.items()}


@settings(max_examples=40, deadline=None)
@given(TEXTS, ASKED, READ, st.frozensets(WORDS, max_size=3))
def test_what_is_served_after_a_round_trip_is_what_was_served_before(
    texts: dict[str, Entry | None],
    asked: dict[str, tuple[str, ...]],
    read_by: dict[str, Confirmation | None],
    strangers: frozenset[str],
) -> None:
    versions = {key: (texts.get(key) or BASE.entries[key]).version for key in read_by}
    readings = {key: Reading(versions[key], verdict) for key, verdict in read_by.items()}
    overlay = Overlay(texts, asked, readings, strangers)
    back = there_and_back(parcel(BASE, overlay))
    assert served(back.overlay()) == served(overlay)
    assert back.strangers == strangers
    assert parcel(BASE, back.overlay()).entries.keys() == parcel(BASE, overlay).entries.keys()


def test_every_shipped_entry_survives_the_trip() -> None:
    every = {key: replace(entry, source=SOURCE) for key, entry in BASE.entries.items()}
    assert there_and_back(Parcel(every)).entries == every


def test_without_changes_there_is_nothing_to_write() -> None:
    assert parcel(BASE, Overlay()) == Parcel()
    assert list(written(Parcel())) == [EXTRAS]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("nothing.txt", "", "not a folder that export wrote"),
        (EXTRAS, "retired: 3", "county.yaml"),
        (EXTRAS, "other: []", "county.yaml"),
        ("legal/a.yaml", "kind: legal\ncategory: a\nentries: [{id: a.b}]", "a.b"),
    ],
)
def test_a_folder_that_cannot_be_read_is_refused_by_name(tmp_path: Path, name: str, text: str, says: str) -> None:
    if name.startswith("legal"):
        (tmp_path / EXTRAS).write_text("{}", encoding="utf-8")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ContentError, match=says):
        read(tmp_path)


def test_the_same_id_twice_is_refused(tmp_path: Path, base: KnowledgeBase) -> None:
    files = written(Parcel({IDS[0]: base.entries[IDS[0]]}))
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
        if name != EXTRAS:
            (tmp_path / name).with_name("again.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ContentError, match="stands twice"):
        read(tmp_path)
