"""A sentence in both languages: for whoever writes content at a terminal, and for the staff of a county."""

from __future__ import annotations

from typing import NamedTuple


class Said(NamedTuple):
    """The same thing twice."""

    english: str
    chinese: str
