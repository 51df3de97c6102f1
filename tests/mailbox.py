"""A mail server for tests: small, real SMTP over a socket, and as unfriendly as a test wants it."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage


@dataclass
class Mailbox:
    """What arrived. `refuse` holds answers to give once instead of accepting, by command: {"RCPT": ["450 later"]}."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    refuse: dict[str, list[str]] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""

        def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())

        say("220 tests")
        while line := (await reader.readline()).decode().strip():
            command, _, rest = line.partition(" ")
            command = command.upper()
            if self.refuse.get(command):
                say(self.refuse[command].pop(0))
            elif command == "EHLO":
                say("250-tests")
                say("250 AUTH PLAIN")
            elif command == "AUTH":
                self.logins.append(rest)
                say("235 welcome")
            elif command == "DATA":
                say("354 go on")
                body = await reader.readuntil(b"\r\n.\r\n")
                self.letters.append(email.message_from_bytes(body[:-5], policy=email.policy.default))
                say("250 taken")
            elif command == "QUIT":
                say("221 bye")
                break
            else:
                say("250 ok")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def mailbox() -> AsyncIterator[Mailbox]:
    """A mail server on a free port of this machine."""
    box = Mailbox()
    server = await asyncio.start_server(box.serve, "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    async with server:
        yield box
