"""The product as operators start it: processes of their own, for what only shows between them."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STARTED = re.compile(r"http://127\.0\.0\.1:(\d+)/")


@dataclass(frozen=True)
class Served:
    """A running server, and where it listens."""

    process: asyncio.subprocess.Process
    url: str


def environ(settings: dict[str, str]) -> dict[str, str]:
    """What a process of ours is started with: these settings, and none from outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FAWEN_")}
    return kept | {"FAWEN_LOG__LEVEL": "error", "PYTHONPATH": str(ROOT)} | settings


@asynccontextmanager
async def serving(folder: Path, **settings: str) -> AsyncIterator[Served]:
    """A server on a free port; stopped at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "serve"),
        cwd=folder,
        env=environ({"FAWEN_HTTP__PORT": "0"} | settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Served(process, f"http://127.0.0.1:{await _port(process)}")
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def command(folder: Path, *arguments: str, **settings: str) -> str:
    """`python -m bot …` beside it, which must succeed; what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=folder,
        env=environ(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


async def _port(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    lines = []
    async with asyncio.timeout(60):
        async for line in process.stdout:
            if found := STARTED.search(line.decode()):
                return found[1]
            lines.append(line.decode())
    pytest.fail(f"the bot ended before it was up:\n{''.join(lines)}")
