"""`python -m tests.bench [--quick]`: Fawen and three other bots, the same messages, one core each, in turns."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bot.conversation.wording import BUSY
from knowledge.load import load
from tests.bench import log, office, report
from tests.bench.load import Round, fire
from tests.bench.servers import APART, FAWEN, LOAD_CORE, PEER_PYTHON, ROOT, Server, peers, pinned, recorded, running
from tests.bench.traffic import Crowd, Shot, said

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
    answered: int = 0
    memory: int = 0

    async def fire(self, shots: Sequence[Shot], connections: int, seconds: float) -> Round:
        """One round, with the processor time it cost the server."""
        before = self.server.busy()
        got = await fire(self.server.port, shots, connections, seconds)
        got.busy = self.server.busy() - before
        self.answered += len(got.latencies)
        for shot, body in got.sample:
            self._check(shot, said(shot, body))
        return got

    def _check(self, shot: Shot, text: str) -> None:
        """Nobody wins by failing: a sample is decrypted, and must be a reply to the right citizen."""
        if "echo" in self.server.candidate.name and text != shot.text:
            raise SystemExit(f"{self.server.candidate.name} echoed {text!r} for {shot.text!r}")
        if self.server.candidate is FAWEN and text == BUSY:
            raise SystemExit("Fawen could not record a message")


async def main(plan: Plan) -> None:
    """Measure and print."""
    report.show_machine()
    crowd = Crowd([wording for entry in load().entries.values() for wording in entry.wordings])
    with tempfile.TemporaryDirectory(prefix="fawen-bench-") as name:
        folder = Path(name)
        inside = await _inside(plan.inside)
        starts = await _start_up(folder), await _start_up(folder)
        measured = await _compare(plan, crowd, folder)
        on_record = recorded(folder)
    if sum(on_record.values()) != measured[0].answered:
        raise SystemExit(f"Fawen answered {measured[0].answered} messages, but {sum(on_record.values())} are on record")
    report.show(measured, inside, on_record, starts)
    await show_office()


async def show_office() -> None:
    """Measure and print the workbench."""
    with tempfile.TemporaryDirectory(prefix="fawen-bench-") as name:
        for line in office.lines(await office.measure(Path(name))):
            print(line)  # noqa: T201 - the result


async def show_log() -> None:
    """Measure and print the consultation log."""
    with tempfile.TemporaryDirectory(prefix="fawen-bench-") as name:
        for line in log.lines(await log.measure(Path(name))):
            print(line)  # noqa: T201 - the result


async def _compare(plan: Plan, crowd: Crowd, folder: Path) -> list[Measured]:
    """All candidates up at once, idle unless it is their turn; everybody gets the same messages."""
    async with AsyncExitStack() as stack:
        measured = [Measured(await stack.enter_async_context(running(one, folder))) for one in (FAWEN, *peers())]
        warm_up = crowd.shots(plan.alone)
        for one in measured:
            await one.fire(warm_up, CONNECTIONS, plan.seconds)
        for _ in range(plan.rounds):
            shots = crowd.shots(plan.messages)
            for one in measured:
                one.rounds.append(await one.fire(shots, CONNECTIONS, plan.seconds))
        shots = crowd.shots(plan.alone)
        for one in measured:
            one.alone = await one.fire(shots, 1, plan.seconds)
            one.memory = one.server.memory()
    return measured


async def _start_up(folder: Path) -> float:
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
    parser.add_argument("--office", action="store_true", help="only the workbench under load")
    parser.add_argument("--log", action="store_true", help="only the consultation log and its export")
    chosen = parser.parse_args()
    if not chosen.office and not chosen.log and not PEER_PYTHON.exists():
        raise SystemExit("the other bots are not installed; run:  make bench")
    if APART:
        os.sched_setaffinity(0, {LOAD_CORE})
    # Whoever ends this process ends the bots it has started, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    asyncio.run(show_log() if chosen.log else show_office() if chosen.office else main(QUICK if chosen.quick else FULL))
