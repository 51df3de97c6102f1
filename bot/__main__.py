"""`python -m bot`: serve, look at the records, talk to the platform."""

from __future__ import annotations

import gc
import os


def main() -> None:
    """Run what was typed."""
    # Our matrices are small: on a second core the mathematics of numpy costs twice the processor time and saves none.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # What imports leave behind stays for good: looking through it for garbage is a tenth of a start.
    gc.disable()
    from bot.commands.cli import app  # noqa: PLC0415 - only now

    gc.freeze()
    gc.enable()
    app(prog_name="python -m bot")


if __name__ == "__main__":
    main()
