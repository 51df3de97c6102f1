"""The candidates as real processes, each alone on the server's core."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from tests.bench.traffic import AES_KEY, APP_ID, SECRET, TOKEN

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).parent / "peers"
PEER_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
SERVER_CORE, LOAD_CORE = 0, 1
TRIES, PAUSE = 12_000, 0.005
# Whether server and load generator have a core each; asked before this process settles on one.
APART = {SERVER_CORE, LOAD_CORE} <= os.sched_getaffinity(0) and shutil.which("taskset") is not None
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Candidate:
    """How one bot is started: its command for a port, what it is, and the path that answers once it is up."""

    name: str
    built_on: str
    command: Callable[[int], Sequence[str]]
    ready: str = "/wechat"


@dataclass(frozen=True, slots=True)
class Server:
    """A candidate that is up."""

    candidate: Candidate
    port: int
    process: asyncio.subprocess.Process
    started_in: float

    def memory(self, *, family: bool = True) -> int:
        """Resident bytes, of workers as well unless told otherwise."""
        return sum(map(_resident, _family(self.process.pid) if family else [self.process.pid]))

    def helpers(self) -> list[int]:
        """Processes it has started."""
        return _family(self.process.pid)[1:]

    def busy(self) -> float:
        """Seconds of processor time used so far, by workers as well."""
        return sum(map(_busy, _family(self.process.pid)))


def peers() -> list[Candidate]:
    """The bots Fawen is measured beside."""
    python, own = str(PEER_PYTHON), sys.executable
    gunicorn = (
        python,
        "-m",
        "gunicorn",
        "--workers",
        "1",
        "--log-level",
        "error",
        "--no-control-socket",
        "--chdir",
        str(PEERS),
    )
    return [
        Candidate("WeRoBot echo", "bottle, waitress (its default), no sessions", lambda _: (python, str(PEERS / "werobot_echo.py"))),
        Candidate("wechatpy + Flask echo", "gunicorn, 1 sync worker", lambda port: (*gunicorn, "-b", f"127.0.0.1:{port}", "flask_echo:app")),
        Candidate("Fawen's channel, echo", "as above, without search and record", lambda _: (own, "-m", "tests.bench.peers.fawen_echo")),
        Candidate("naive build", "aiohttp, extractOne(WRatio), a commit each", lambda _: (own, "-m", "tests.bench.peers.naive")),
    ]  # fmt: skip


FAWEN = Candidate("Fawen", "python -m bot serve", lambda _: (sys.executable, "-m", "bot", "serve"), "/readyz")


def pinned(command: Sequence[str], core: int = SERVER_CORE) -> list[str]:
    """The command on one core, where there are several."""
    return ["taskset", "-c", str(core), *command] if APART else list(command)


@asynccontextmanager
async def running(
    candidate: Candidate, folder: Path, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Server]:
    """Start a candidate with its database in `folder`, wait until it answers, stop it at the end."""
    port = _free_port()
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *pinned(candidate.command(port)),
        cwd=ROOT,
        env=_environment(port, folder, settings or {}),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=None if os.environ.get("BENCH_VERBOSE") else asyncio.subprocess.DEVNULL,
    )
    try:
        await _answers(process, port, candidate.ready)
        yield Server(candidate, port, process, time.perf_counter() - began)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _environment(port: int, folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    fawen = {
        "DATABASE_URL": f"sqlite:///{folder}/fawen.db",
        "HTTP__PORT": str(port),
        "WECHAT__TOKEN": TOKEN,
        "WECHAT__ENCODING_AES_KEY": AES_KEY,
        "WECHAT__APP_ID": APP_ID,
        "WECHAT__SECRET": SECRET,
        # No traffic leaves the machine, whatever happens.
        "WECHAT__API_BASE": "http://127.0.0.1:9",
        "LOG__LEVEL": "warning",
        **settings,
    }
    bench = {"TOKEN": TOKEN, "AES_KEY": AES_KEY, "APP_ID": APP_ID, "PORT": str(port), "DATABASE": f"{folder}/naive.db"}
    outside = {name: value for name, value in os.environ.items() if not name.startswith("FAWEN_")}
    named = {f"FAWEN_{name}": value for name, value in fawen.items()} | {f"BENCH_{name}": value for name, value in bench.items()}  # fmt: skip
    return outside | named


async def _answers(process: asyncio.subprocess.Process, port: int, path: str) -> None:
    for _ in range(TRIES):
        if process.returncode is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}; BENCH_VERBOSE=1 shows why")
        if await _up(port, path):
            return
        await asyncio.sleep(PAUSE)
    raise RuntimeError("the server did not come up")


async def _up(port: int, path: str) -> bool:
    """Fawen must say that it is ready; a peer is up once it answers at all."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    with closing(writer):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        status = await reader.readline()
    return b" 200 " in status if path == FAWEN.ready else status.startswith(b"HTTP/")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _family(pid: int) -> list[int]:
    below = Path(f"/proc/{pid}/task/{pid}/children")
    children = map(int, below.read_text().split()) if below.exists() else ()
    return [pid, *(one for child in children for one in _family(child))]


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)


def _busy(pid: int) -> float:
    # utime and stime; the fields before them start after the name, which may hold anything.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def recorded(folder: Path) -> dict[str, int]:
    """How many messages Fawen has on record, by verdict."""
    with closing(sqlite3.connect(f"file:{folder}/fawen.db?mode=ro", uri=True)) as conn:
        return dict(
            conn.execute("SELECT CASE verdict WHEN '' THEN flow ELSE verdict END, count(*) FROM inbox GROUP BY 1")
        )
