"""Figures about the knowledge base."""

from __future__ import annotations

from collections import Counter
from typing import Any

from knowledge.entry import KIND_NAMES
from knowledge.load import KnowledgeBase


def counts(base: KnowledgeBase) -> dict[str, Any]:
    """Entries in all, by kind and by category; wordings, citations, what awaits a lawyer."""
    entries = base.entries.values()
    return {
        "entries": len(base.entries),
        "by_kind": {kind: sum(entry.kind == kind for entry in entries) for kind in KIND_NAMES},
        "by_category": {
            kind: dict(sorted(Counter(entry.category for entry in entries if entry.kind == kind).items()))
            for kind in KIND_NAMES
        },
        "wordings": sum(len(entry.wordings) for entry in entries),
        "citations": sum(len(entry.citations) for entry in entries),
        "laws": len(base.statutes.laws),
        "unverified_only": sum(not entry.basis for entry in entries),
        "confirmed": sum(entry.confirmed is not None for entry in entries),
        "lexicon": len(base.lexicon),
    }
