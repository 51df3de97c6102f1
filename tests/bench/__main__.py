"""`python -m tests.bench [--quick]`: Fawen and three other bots, the same messages, one core each, in turns."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from knowledge.load import load
from tests.bench import report
from tests.bench.load import Round, fire
from tests.bench.servers import APART, FAWEN, LOAD_CORE, PEER_PYTHON, ROOT, Server, peers, pinned, recorded, running
from tests.bench.traffic import Crowd, said

CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured; a round ends after `messages` or `seconds`, whichever comes first."""

    rounds: int
    messages: int
    seconds: float
    alone: int
    inside: int


FULL = Plan(rounds=3, messages=4000, seconds=6.0, alone=300, inside=2000)
QUICK = Plan(rounds=1, messages=800, seconds=3.0, alone=60, inside=300)


@dataclass(slots=True)
class Measured:
    """One candidate's rounds; `alone` has one message under way at a time."""

    server: Server
    rounds: list[Round] = field(default_factory=list)
    alone: Round = field(default_factory=Round)
    memory: int = 0


async def main(plan: Plan) -> None:
    """Measure and print."""
    crowd = Crowd([wording for entry in load().entries.values() for wording in entry.wordings])
    with tempfile.TemporaryDirectory(prefix="fawen-bench-") as name:
        folder = Path(name)
        inside = await _inside(plan.inside)
        fresh = await _start_up(folder / "start")
        again = await _start_up(folder / "start")
        measured, sent = await _compare(plan, crowd, folder)
        on_record = recorded(folder)
    if sum(on_record.values()) != sent:
        raise SystemExit(f"Fawen answered {sent} messages and has {sum(on_record.values())} on record")
    report.show(measured, inside, on_record, (fresh, again))


async def _compare(plan: Plan, crowd: Crowd, folder: Path) -> tuple[list[Measured], int]:
    """All candidates up at once, idle unless it is their turn; how many messages Fawen got in all."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(running(one, folder)) for one in (FAWEN, *peers())]
        measured = [Measured(server) for server in servers]
        sent = await _turns(plan, crowd, measured)
        for one in measured:
            one.memory = one.server.memory()
    return measured, sent


async def _turns(plan: Plan, crowd: Crowd, measured: Sequence[Measured]) -> int:
    sent = 0
    for number in range(-1, plan.rounds):  # the round before the first warms up
        shots = crowd.shots(plan.messages if number >= 0 else plan.alone)
        for one in measured:
            before = one.server.busy()
            got = await fire(one.server.port, shots, CONNECTIONS, plan.seconds)
            got.busy = one.server.busy() - before
            _check(one.server, got)
            sent += len(got.latencies) if one.server.candidate is FAWEN else 0
            if number >= 0:
                one.rounds.append(got)
    shots = crowd.shots(plan.alone)
    for one in measured:
        one.alone = await fire(one.server.port, shots, 1, plan.seconds)
        sent += len(one.alone.latencies) if one.server.candidate is FAWEN else 0
    return sent


def _check(server: Server, got: Round) -> None:
    """Nobody wins by failing: a sample is decrypted, and must be a reply to the right citizen."""
    for shot, body in got.sample:
        text = said(shot, body)
        if "echo" in server.candidate.name and text != shot.text:
            raise SystemExit(f"{server.candidate.name} echoed {text!r} for {shot.text!r}")
        if server.candidate is FAWEN and text.startswith("系统这会儿有点忙"):
            raise SystemExit("Fawen could not record a message")


async def _start_up(folder: Path) -> float:
    folder.mkdir(exist_ok=True)
    async with running(FAWEN, folder) as server:
        return server.started_in


async def _inside(count: int) -> report.Inside:
    command = pinned((sys.executable, "-m", "tests.bench.inside", str(count)))
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    found: report.Inside = json.loads(output)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, half a minute in all")
    quick = parser.parse_args().quick
    if not PEER_PYTHON.exists():
        raise SystemExit("the other bots are not installed; run:  make bench")
    if APART:
        os.sched_setaffinity(0, {LOAD_CORE})
    asyncio.run(main(QUICK if quick else FULL))
