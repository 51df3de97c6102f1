"""The printed result: who, how fast, how late, how it compares, and on what."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from rich.console import Console
from rich.table import Table

from tests.bench.load import percentile
from tests.bench.servers import APART, PEER_PYTHON

if TYPE_CHECKING:
    from tests.bench.__main__ import Measured

PEER_PACKAGES = ("werobot", "bottle", "waitress", "wechatpy", "flask", "gunicorn")
OWN_PACKAGES = ("aiohttp", "uvloop", "sqlalchemy", "numpy", "rapidfuzz", "cryptography")
STAGES = {
    "open": "verify, decrypt, parse",
    "inbound": "to Inbound",
    "ahead": "search, hear danger, 16 messages each",
    "decide": "decide with that, word the reply",
    "record": "database statements",
    "commit": "commit and its fsync, 16 messages each",
    "seal": "render, encrypt, sign",
    "search": "beside: a message searched by itself",
}


class Inside(TypedDict):
    """What `tests.bench.inside` prints: per stage the median and 99th percentile in µs, and µs per message."""

    stages: dict[str, tuple[float, float, float]]
    entries: int
    wordings: int


def show_machine() -> None:
    """Print what is measured on, before anything starts."""
    _console().print(_machine())


def show(
    measured: Sequence[Measured], inside: Inside, on_record: Mapping[str, int], starts: tuple[float, float]
) -> None:
    """Print everything."""
    console = _console()
    console.print(_table(measured))
    console.print(_stages(inside))
    total = sum(on_record.values())
    shares = ", ".join(
        f"{name} {count / total:.0%}" for name, count in sorted(on_record.items(), key=lambda one: -one[1])
    )
    load, index = (inside["stages"][name][0] / 1e6 for name in ("load", "index"))
    console.print(
        f"Fawen: {inside['entries']} entries, {inside['wordings']} wordings, read in {load:.2f} s, indexed in {index:.2f} s; "
        f"ready {starts[0]:.2f} s after the start with a new database, {starts[1]:.2f} s with an old one; "
        f"{measured[0].memory / 2**20:.0f} MiB resident after the load.\n"
        f"All {total} messages it answered are on record: {shares}."
    )


def _console() -> Console:
    return Console(width=max(Console().width, 120), highlight=False)


def _table(measured: Sequence[Measured]) -> Table:
    table = Table(title="32 connections, encrypted messages, all different; best round, in brackets the median round")
    for name in ("", "messages/s", "Fawen is", "CPU each", "p50", "p99", "alone p50", "memory", "messages"):
        table.add_column(name, justify="left" if not name else "right")
    ours = max(one.rate for one in measured[0].rounds)
    for one in measured:
        best = max(one.rounds, key=lambda got: got.rate)
        median = statistics.median(got.rate for got in one.rounds)
        table.add_row(
            f"{one.server.candidate.name}\n[dim]{one.server.candidate.built_on}[/dim]",
            f"{best.rate:.0f} ({median:.0f})",
            "" if one is measured[0] else f"{ours / best.rate:.2f} ×",
            f"{min(got.busy / len(got.latencies) for got in one.rounds) * 1e6:.0f} µs",
            f"{percentile(best.latencies, 0.5) * 1e3:.1f} ms",
            f"{percentile(best.latencies, 0.99) * 1e3:.1f} ms",
            f"{percentile(one.alone.latencies, 0.5) * 1e3:.2f} ms",
            f"{one.memory / 2**20:.0f} MiB",
            str(sum(len(got.latencies) for got in one.rounds)),
        )
    return table


def _stages(inside: Inside) -> Table:
    table = Table(title="Where one message's time goes in Fawen, each stage by itself, µs")
    for name in ("", "p50", "p99", "mean per message"):
        table.add_column(name, justify="left" if not name else "right")
    for key, name in STAGES.items():
        middle, high, mean = inside["stages"][key]
        table.add_row(name, f"{middle:.0f}", f"{high:.0f}", f"{mean:.0f}")
    return table


def _machine() -> str:
    where = "server on core 0, load generator on core 1" if APART else "server and load generator share what there is"
    theirs = subprocess.run([PEER_PYTHON, "-c", _ASK], check=True, capture_output=True, text=True).stdout
    ours = " ".join(f"{name} {version(name)}" for name in OWN_PACKAGES)
    return (
        f"{_processor()}, {os.cpu_count()} cores; {platform.system()} {platform.release()}; {where}; "
        f"load average {os.getloadavg()[0]:.1f}; an fsync in {tempfile.gettempdir()} takes {_fsync():.0f} µs\n"
        f"Python {platform.python_version()}; {ours}; peers: {theirs.strip()}"
    )


_ASK = f"from importlib.metadata import version as v; print(*(f'{{n}} {{v(n)}}' for n in {PEER_PACKAGES!r}))"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _fsync(times: int = 50) -> float:
    """Microseconds to make one page safe where the databases are."""
    spans = []
    with tempfile.TemporaryFile(buffering=0) as file:
        for _ in range(times):
            file.write(b"\0" * 4096)
            began = time.perf_counter()
            os.fsync(file.fileno())
            spans.append((time.perf_counter() - began) * 1e6)
    return statistics.median(spans)
