"""Small things tests share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import NoReturn

import pytest
from aiohttp import web

from bot.app import Parts
from bot.settings import Settings


def missing(what: str) -> NoReturn:
    """Skip with a reason; where everything must run (FAWENTEST_ALL), fail instead."""
    if os.environ.get("FAWENTEST_ALL"):
        pytest.fail(what)
    pytest.skip(what)


class Numbers:
    """Ids that sort by the order they were made in."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self) -> str:
        self._last += 1
        return f"id-{self._last:08d}"


@dataclass(frozen=True)
class Bot:
    """A running product."""

    url: str
    settings: Settings
    parts: Parts
    app: web.Application
