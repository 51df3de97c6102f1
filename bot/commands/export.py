"""`export`: write a file that staff asked for. The server starts this beside itself, so that citizens do not wait."""

from __future__ import annotations

import contextlib
import os
from typing import Annotated

import structlog
import typer

from bot import logs
from bot.commands.common import DemoOption, SettingsOption, reading, settings_or_fail, writing
from bot.console.records.writing import write_export
from bot.ids import utc_now
from bot.service.records import exports

log = structlog.get_logger("export")
NICE = 10
FAILED = "没有写成，请再试一次；还不行请告诉管理员。"


def export(
    number: Annotated[str, typer.Option("--id", help="number of an export that waits")],
    settings: SettingsOption = None,
    demo: DemoOption = False,
) -> None:
    """Write an export that staff asked for on the console, and leave the file there."""
    chosen = settings_or_fail(settings, demo=demo)
    logs.set_up(chosen.log)
    os.nice(NICE)
    with writing(chosen) as write, reading(chosen) as conn:
        job = write(lambda conn: exports.claim(conn, number, utc_now()))
        if job is None:
            log.info("nothing_to_export", export=number)
            return
        try:
            rows = write_export(conn, write, job, utc_now, _step_back, demo=chosen.demo)
        except Exception:
            write(lambda conn: exports.fail(conn, number, FAILED, utc_now()))
            log.exception("export_failed", export=number)
            raise typer.Exit(1) from None
        log.info("exported", export=number, rows=rows)


def _step_back() -> None:
    """Use the processor only when nobody else wants it: with mere niceness, citizens still wait a moment for each turn."""
    with contextlib.suppress(AttributeError, OSError):  # not on every platform
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
