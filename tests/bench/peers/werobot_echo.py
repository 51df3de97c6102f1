"""An echo bot on WeRoBot. `server="auto"` is its default, and what its deployment page names for production: Waitress."""

from __future__ import annotations

import logging
import os
from typing import Any

from werobot import WeRoBot  # type: ignore[import-not-found] # lives in .venv-bench

robot = WeRoBot(
    token=os.environ["BENCH_TOKEN"],
    app_id=os.environ["BENCH_APP_ID"],
    encoding_aes_key=os.environ["BENCH_AES_KEY"],
    # Off, or it would commit a session to SQLite for every message, which an echo does not need.
    SESSION_STORAGE=False,
)


def echo(message: Any) -> Any:
    """Say what was said."""
    return message.content


robot.add_handler(echo, type="text")

if __name__ == "__main__":
    # Waitress would write a line to standard error for every message that waits for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    robot.run(server="auto", host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), enable_pretty_logging=False)
