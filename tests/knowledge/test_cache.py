"""The cache: what comes out of it equals what was worked out afresh, or it is not used."""

from __future__ import annotations

import logging
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from knowledge import cache
from knowledge.cache import cached, default_folder
from knowledge.load import CONTENT, KnowledgeBase, load
from knowledge.search.mixer import load_mixer
from knowledge.search.rank import searcher
from knowledge.search.tables import Tables

DAY = date(2026, 11, 22)


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A small knowledge base of one file."""
    root = tmp_path / "content"
    root.mkdir()
    for name in ("statutes.yaml", "places.yaml", "lexicon.yaml", "legal/lease/renting.yaml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CONTENT / name, root / name)
    return root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where this test keeps its files."""
    return tmp_path / "kept"


def same(one: tuple[KnowledgeBase, Tables], other: tuple[KnowledgeBase, Tables]) -> bool:
    (base, tables), (base2, tables2) = one, other
    arrays = [
        np.array_equal(getattr(mine, name), getattr(theirs, name))
        and getattr(mine, name).dtype == getattr(theirs, name).dtype
        for mine, theirs in ((tables, tables2), (tables.postings, tables2.postings))
        for name in mine.__struct_fields__
        if isinstance(getattr(mine, name), np.ndarray)
    ]
    weighings = zip(tables.fields, tables2.fields, strict=True)
    plain = ("words", "rarest", "width", "wordings", "concepts")
    return (
        base == base2
        and len(arrays) == 13
        and all(arrays)
        and all(np.array_equal(a.idf, b.idf) and (a.rarest, a.mean) == (b.rarest, b.mean) for a, b in weighings)
        and all(getattr(tables, name) == getattr(tables2, name) for name in plain)
    )


def forbid(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on nothing may be worked out afresh."""
    monkeypatch.setattr(cache, "load", lambda _: pytest.fail("read afresh"))


def test_what_is_kept_equals_what_is_fresh(content: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = cached(content, folder)
    forbid(monkeypatch)
    kept = cached(content, folder)
    assert same(kept, fresh)
    looks = [searcher(base, load_mixer(), tables=tables) for base, tables in (kept, fresh)]
    assert looks[0]("房东不退押金", DAY) == looks[1]("房东不退押金", DAY)
    assert looks[0]("房东不退押金", DAY).candidates


def test_a_changed_file_is_read_anew_and_what_it_replaces_is_dropped(content: Path, folder: Path) -> None:
    before, _ = cached(content, folder)
    [first] = folder.iterdir()
    file = content / "legal/lease/renting.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("押金", "押下的钱", 1), encoding="utf-8")
    after, _ = cached(content, folder)
    assert before.entries != after.entries
    assert first not in folder.iterdir()
    assert len(list(folder.iterdir())) == 1


def test_content_that_changes_while_it_is_read_is_not_kept(
    content: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = load

    def slow(root: Path) -> KnowledgeBase:
        base = read(root)
        (root / "legal/late.yaml").write_text("", encoding="utf-8")
        return base

    monkeypatch.setattr(cache, "load", slow)
    cached(content, folder)
    assert not folder.exists()


@pytest.mark.parametrize("damage", [b"", b"short", b"\x00" * 5000])
def test_a_damaged_file_is_made_anew(
    content: Path, folder: Path, damage: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = cached(content, folder)
    [file] = folder.iterdir()
    good = file.read_bytes()
    for bad in (damage, good[:-1], good[:100] + b"x" + good[101:]):
        file.write_bytes(bad)
        with caplog.at_level(logging.WARNING):
            assert same(cached(content, folder), fresh)
        assert "damaged" in caplog.text
        assert file.read_bytes() == good
    forbid(monkeypatch)
    assert same(cached(content, folder), fresh)


def test_a_folder_that_cannot_be_written_is_no_matter(content: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    base, _ = cached(content, file / "below")
    assert base.entries


def test_where_files_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "fawen"
    monkeypatch.setenv("FAWEN_CACHE", str(tmp_path / "chosen"))
    assert default_folder() == tmp_path / "chosen"
    monkeypatch.delenv("FAWEN_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    assert default_folder() is None
