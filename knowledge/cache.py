"""The knowledge base as read and indexed, kept on disk so that starting again takes a moment.

A kept file is named after everything it was made from: content, code, Python and numpy. So it never has to be
brought up to date, only made anew under another name. It holds values, no code: it is never unpickled.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import opencc

from knowledge.entry import Entry
from knowledge.load import CONTENT, KnowledgeBase, load
from knowledge.places import PlaceKind
from knowledge.search.meaning import Vectors
from knowledge.search.tables import Tables, work_out
from knowledge.statutes import Statutes

ENVIRONMENT = "FAWEN_CACHE"
SUFFIX = ".knowledge"
_CODE = Path(__file__).parent
# SHA-256: processors have instructions for it, and some forty megabytes are hashed at each start.
_DIGEST = 32
_log = logging.getLogger(__name__)
T = TypeVar("T")


class _Kept(msgspec.Struct, frozen=True):
    entries: list[Entry]
    statutes: Statutes
    places: dict[str, PlaceKind]
    lexicon: dict[str, tuple[str, ...]]
    tables: Tables


def cached(
    root: Path = CONTENT, folder: Path | None = None, *, vectors: Vectors | None = None
) -> tuple[KnowledgeBase, Tables]:
    """Like `load`, with the tables of search; from `folder` (see `default_folder`) if nothing has changed since.

    `vectors` are the shipped ones unless others are given.
    """
    name = _name(root, vectors)
    known = kept(folder, name, _Kept)
    if known is not None:
        base = KnowledgeBase({entry.id: entry for entry in known.entries}, known.statutes, known.places, known.lexicon)
        return base, known.tables
    base = load(root)
    tables = work_out(base, vectors)
    # Content that somebody wrote to meanwhile must not be kept under the name of what it was before.
    if _name(root, vectors) == name:
        keep(folder, name, _Kept(list(base.entries.values()), base.statutes, base.places, base.lexicon, tables))
    return base, tables


def _name(root: Path, vectors: Vectors | None) -> str:
    return fingerprint(root) + ("" if vectors is None else vectors.name) + SUFFIX


def kept(folder: Path | None, name: str, kind: type[T]) -> T | None:
    """The values kept under a name in `folder` (see `default_folder`); None if they must be worked out."""
    folder = folder or default_folder()
    return _read(folder / name, kind) if folder else None


def keep(folder: Path | None, name: str, values: object) -> None:
    """Keep values under a name, and drop what was kept under others of the same suffix."""
    folder = folder or default_folder()
    if folder:
        _write(folder / name, msgspec.msgpack.encode(values, enc_hook=_plain))


def default_folder() -> Path | None:
    """$FAWEN_CACHE, else `fawen` in the user's folder for such files; None for a user without a home."""
    if chosen := os.environ.get(ENVIRONMENT):
        return Path(chosen)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fawen"
    except RuntimeError:
        return None


def fingerprint(root: Path = CONTENT) -> str:
    """A hash of all that entries and tables are made from: content, our code and its data, what it runs on."""
    return stamp([*_files(root), *(path for path in _files(_CODE) if not path.is_relative_to(CONTENT))])


def stamp(files: Iterable[Path]) -> str:
    """A hash of the contents of files, and of what reads them."""
    versions = [platform.python_version(), np.__version__, msgspec.__version__, opencc.__version__, platform.machine()]
    found = hashlib.sha256(" ".join(versions).encode())
    for path in files:
        content = path.read_bytes()
        found.update(f"\n{path} {len(content)}\n".encode())
        found.update(content)
    return found.hexdigest()


def _files(root: Path) -> list[Path]:
    kinds = {".yaml", ".py", ".txt", ".npz"}
    return sorted(Path(at, name) for at, _, names in os.walk(root) for name in names if Path(name).suffix in kinds)


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        data = memoryview(path.read_bytes())
    except OSError:
        return None
    digest, values = data[:_DIGEST], data[_DIGEST:]
    if hashlib.sha256(values).digest() == digest:
        try:
            return msgspec.msgpack.decode(values, type=kind, dec_hook=_array)
        except (msgspec.MsgspecError, TypeError, ValueError):
            pass
    _log.warning("%s is damaged and made anew", path)
    return None


def _write(path: Path, values: bytes) -> None:
    """Keep a file, whole or not at all, and drop those it replaces; a folder that cannot be written keeps nothing."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=path.suffix, delete=False) as part:
            part.write(hashlib.sha256(values).digest() + values)
        Path(part.name).replace(path)
        for old in path.parent.glob(f"*{path.suffix}"):
            if old != path:
                old.unlink(missing_ok=True)
    except OSError as error:
        _log.info("the knowledge base is not kept: %s", error)


def _plain(value: Any) -> tuple[str, bytes]:
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.tobytes()
    raise NotImplementedError


def _array(_: type, value: Any) -> Any:
    return np.frombuffer(value[1], dtype=np.dtype(value[0]))
